import { AuthError } from "latchkey";
import { errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret } from "./form.ts";
import { html } from "./html.ts";
import { fromLink, mailOf, opened, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "undo";
const title = "Take your account back";

/** The page behind the link that a former address gets when an account's address was changed. */
export async function showUndo(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  mailOf(call);
  if (query.get("done") === "1") return donePage(call);
  const moved = fromLink(call, "/undo", useless);
  if (moved !== null) return moved;
  const token = auth.forms.readMailed(visit);
  return token === null ? useless() : undoPage(call, token, blank());
}

/** Gives the account its former address, and the password chosen here. */
export async function submitUndo(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const mail = mailOf(call);
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless();
  const password = secret(fields, "new_password");
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    const differing = mismatch(fields, "new_password");
    if (differing.length > 0)
      assertNone([...(await auth.users.passwordErrors(password, null)), ...differing]);
    await mail.takeBack({ token, password }, visit);
    return seeOther("/undo?done=1", { mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless();
    return formAgain(thrown, fields, (state) => undoPage(call, token, state));
  }
}

async function undoPage(call: PageCall, mailed: string, state: FormState): Promise<DocumentReply> {
  const { auth, visit } = call;
  const found = await opened((token) => mailOf(call).openTakingBack(token), mailed);
  if (found === null) return useless();
  const { token, change } = await auth.forms.token(formName, visit);
  const main = html`<div class="card">
<h1>${title}</h1>
<p class="lead breakable">The account ${found.user.username} gets the address ${found.email} again, and the password that you choose here.</p>
<p>Everybody is signed out of it. API keys, and accounts linked for signing in, are removed: they may be somebody else's.</p>
${errorSummary(state, ["new_password", "confirm_password"])}
<form method="post" action="/undo" novalidate>
${hidden("_token", token)}
${field(state, { name: "new_password", label: "New password", type: "password", autocomplete: "new-password" })}
${field(state, { name: "confirm_password", label: "Confirm new password", type: "password", autocomplete: "new-password" })}
<button class="primary" type="submit">Take the account back</button>
</form>
<p class="aside">Did you change the address yourself? Then close this page, and nothing changes.</p>
</div>`;
  return { kind: "document", title, main, change: change ?? undefined };
}

function donePage({ auth }: PageCall): DocumentReply {
  const main = html`<div class="card">
<h1>The account is yours again</h1>
<p>Sign in with your former address and your new password.</p>
<p><a class="button primary" href="${auth.config.loginPath}">Sign in</a></p>
</div>`;
  return { kind: "document", title: "The account is yours again", main };
}

function useless(): DocumentReply {
  const life = "The link in a mail about a changed address works once, and for seven days.";
  return uselessLink(title, `${life} After that an administrator can help.`);
}
