import { AuthError } from "latchkey";
import { onward } from "./error-page.ts";
import { errorSummary, hidden, newPasswordFields, whosePassword } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret } from "./form.ts";
import { html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { formOfLink, fromLink, mailOf, opened, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "undo";

/** The page behind the link that a former address gets when an account's address was changed. */
export async function showUndo(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  mailOf(call);
  if (query.get("done") === "1") return donePage(call);
  const moved = fromLink(call, "/undo", () => useless(call));
  if (moved !== null) return moved;
  const token = auth.forms.readMailed(visit);
  return token === null ? useless(call) : undoPage(call, token, blank());
}

/** Gives the account its former address, and the password chosen here. */
export async function submitUndo(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless(call);
  const password = secret(fields, "new_password");
  try {
    await auth.forms.spend(formOfLink(formName, token), fields._token ?? "", visit);
    const differing = mismatch(fields, "new_password");
    if (differing.length > 0) {
      const { user } = await mail.openTakingBack(token);
      assertNone([...(await auth.users.passwordErrors(password, user)), ...differing]);
    }
    await mail.takeBack({ token, password }, visit);
    return seeOther("/undo?done=1", { mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    return formAgain(call, thrown, fields, (state) => undoPage(call, token, state));
  }
}

async function undoPage(call: PageCall, mailed: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { undo } = language.words;
  const found = await opened((token) => mailOf(call).openTakingBack(token), mailed);
  if (found === null) return useless(call);
  const { token, change } = await auth.forms.token(formOfLink(formName, mailed), visit);
  const about = { user: found.user.username, email: found.email };
  return {
    kind: "document",
    page: "undo",
    title: undo.title,
    lead: html`<p class="lead breakable">${fill(undo.lead, about)}</p>
<p>${undo.removed}</p>`,
    messages: errorSummary(call, state, ["new_password", "confirm_password"]),
    form: html`<form method="post" action="/undo" novalidate>
${hidden("_token", token)}
${whosePassword(found)}
${newPasswordFields(call, state)}
<button class="primary" type="submit">${undo.button}</button>
</form>`,
    aside: html`<p class="aside">${undo.you}</p>`,
    change: change ?? undefined,
  };
}

function donePage({ auth, language }: PageCall): DocumentReply {
  const { login, undo } = language.words;
  return {
    kind: "document",
    page: "undo",
    title: undo.doneTitle,
    lead: html`<p>${undo.done}</p>`,
    form: onward(auth.config.loginPath, login.title),
  };
}

function useless(call: PageCall): DocumentReply {
  const { title, useless: whatToDo } = call.language.words.undo;
  return uselessLink(call, { page: "undo", title }, whatToDo);
}
