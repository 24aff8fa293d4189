import { AuthError } from "latchkey";
import { errorSummary } from "./fields.ts";
import { blank, type FormState, formAgain } from "./form.ts";
import { html } from "./html.ts";
import { fromLink, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";
import { assertConsistent, registrationFieldNames, registrationFields, registrationOf } from "./register.ts";

/** The page behind the link that an operator gets while there are no accounts. */
export function showSetup(call: PageCall): PageReply {
  const { auth, visit } = call;
  const opened = fromLink(call, "/setup", useless);
  if (opened !== null) return opened;
  return auth.forms.readMailed(visit) === null ? useless() : setupPage(blank());
}

/** Creates the first administrator. */
export async function submitSetup(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless();
  try {
    await assertConsistent(call, fields);
    const { signIn } = await auth.users.setUp(token, registrationOf(fields), visit);
    const change = { ...signIn?.change, mailed: "clear" } as const;
    return seeOther(signIn === null ? auth.config.loginPath : auth.config.appPath, change);
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless();
    return formAgain(thrown, fields, setupPage);
  }
}

function setupPage(state: FormState): DocumentReply {
  const main = html`<div class="card">
<h1>Set up Latchkey</h1>
<p class="lead">Create the first account. It will be an administrator.</p>
${errorSummary(state, registrationFieldNames)}
<form method="post" action="/setup" novalidate>
${registrationFields(state)}
<button class="primary" type="submit">Create administrator</button>
</form>
</div>`;
  return { kind: "document", title: "Set up Latchkey", main };
}

function useless(): DocumentReply {
  return uselessLink(
    "Set up Latchkey",
    "While there are no accounts, the server prints a fresh link each time it starts. Open that one.",
  );
}
