import { AuthError } from "latchkey";
import { errorSummary, hidden } from "./fields.ts";
import { blank, type FormState, formAgain } from "./form.ts";
import { html } from "./html.ts";
import { formOfLink, fromLink, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";
import { assertConsistent, registrationFieldNames, registrationFields, registrationOf } from "./register.ts";

const formName = "setup";

/** The page behind the link that an operator gets while there are no accounts. */
export async function showSetup(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const opened = fromLink(call, "/setup", () => useless(call));
  if (opened !== null) return opened;
  const token = auth.forms.readMailed(visit);
  return token === null ? useless(call) : setupPage(call, token, blank());
}

/** Creates the first administrator. */
export async function submitSetup(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless(call);
  try {
    await auth.forms.spend(formOfLink(formName, token), fields._token ?? "", visit);
    await assertConsistent(call, fields, { isOperators: true });
    const { signIn } = await auth.users.setUp(token, registrationOf(fields), visit);
    const change = { ...signIn?.change, mailed: "clear" } as const;
    return seeOther(signIn === null ? auth.config.loginPath : auth.config.appPath, change);
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    return formAgain(call, thrown, fields, (state) => setupPage(call, token, state));
  }
}

async function setupPage(call: PageCall, mailed: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { setup } = language.words;
  const { token, change } = await auth.forms.token(formOfLink(formName, mailed), visit);
  return {
    kind: "document",
    page: "setup",
    title: setup.title,
    lead: html`<p class="lead">${setup.lead}</p>`,
    messages: errorSummary(call, state, registrationFieldNames),
    form: html`<form method="post" action="/setup" novalidate>
${hidden("_token", token)}
${registrationFields(call, state)}
<button class="primary" type="submit">${setup.button}</button>
</form>`,
    change: change ?? undefined,
  };
}

function useless(call: PageCall): DocumentReply {
  const { title, useless: whatToDo } = call.language.words.setup;
  return uselessLink(call, { page: "setup", title }, whatToDo);
}
