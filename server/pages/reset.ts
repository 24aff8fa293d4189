import { AuthError } from "latchkey";
import { errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret, typed } from "./form.ts";
import { html } from "./html.ts";
import { fromLink, onItsWay, shownHint, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "reset";
const title = "Choose a new password";

/** The page behind a link for choosing a password; without a link, one can be asked for here. */
export async function showReset(call: PageCall): Promise<PageReply> {
  const { auth, visit, query, mail } = call;
  const done = query.get("done");
  if (done === "1") return donePage(call);
  if (done === "asked" && mail !== null)
    return onItsWay(title, "a link for choosing a password", call.shownMails);
  const opened = fromLink(call, "/reset", () => useless(call));
  if (opened !== null) return opened;
  if (auth.forms.readMailed(visit) !== null && !query.has("new")) return resetPage(call, blank());
  return mail === null ? useless(call) : askPage(call, blank());
}

/**
 * Chooses the password, or asks for the link. The form's token shows that this browser was shown the form: with a cookie that goes
 * along across sites (`sameSite: none`), another site could otherwise post a password of its choice.
 */
export async function submitReset(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const fields = await visit.request.fields();
  if (fields.form === "ask") return ask(call);
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless(call);
  const password = secret(fields, "new_password");
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    const differing = mismatch(fields, "new_password");
    if (differing.length > 0)
      assertNone([...(await auth.users.passwordErrors(password, null)), ...differing]);
    await auth.users.resetPassword({ token, password }, visit);
    return seeOther("/reset?done=1", { mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    return formAgain(thrown, fields, (state) => resetPage(call, state));
  }
}

async function ask(call: PageCall): Promise<PageReply> {
  const { auth, visit, mail } = call;
  const fields = await visit.request.fields();
  if (mail === null) return useless(call);
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    await mail.requestReset(typed(fields, "email"), visit);
    return seeOther("/reset?done=asked", { mailed: "clear" });
  } catch (thrown) {
    return formAgain(thrown, fields, (state) => askPage(call, state));
  }
}

async function askPage(call: PageCall, state: FormState): Promise<DocumentReply> {
  const { auth, visit } = call;
  const { token, change } = await auth.forms.token(formName, visit);
  const main = html`<div class="card">
<h1>${title}</h1>
<p class="lead">Tell us the address of your account. A link for choosing a password goes there.</p>
${errorSummary(state, ["email"])}
<form method="post" action="/reset" novalidate>
${hidden("_token", token)}
${hidden("form", "ask")}
${field(state, { name: "email", label: "Email", type: "email", autocomplete: "email" })}
<button class="primary" type="submit">Send the link</button>
</form>
${shownHint(call.shownMails)}
<p class="aside"><a href="${auth.config.loginPath}">Back to signing in</a></p>
</div>`;
  return { kind: "document", title, main, change: change ?? undefined };
}

async function resetPage({ auth, visit }: PageCall, state: FormState): Promise<DocumentReply> {
  const { token, change } = await auth.forms.token(formName, visit);
  const main = html`<div class="card">
<h1>${title}</h1>
<p class="lead">You will be signed out everywhere.</p>
${errorSummary(state, ["new_password", "confirm_password"])}
<form method="post" action="/reset" novalidate>
${hidden("_token", token)}
${field(state, { name: "new_password", label: "New password", type: "password", autocomplete: "new-password" })}
${field(state, { name: "confirm_password", label: "Confirm new password", type: "password", autocomplete: "new-password" })}
<button class="primary" type="submit">Change password</button>
</form>
</div>`;
  return { kind: "document", title, main, change: change ?? undefined };
}

function donePage({ auth }: PageCall): DocumentReply {
  const main = html`<div class="card">
<h1>Password changed</h1>
<p>Every session of your account has ended. Sign in with your new password.</p>
<p><a class="button primary" href="${auth.config.loginPath}">Sign in</a></p>
</div>`;
  return { kind: "document", title: "Password changed", main };
}

function useless({ mail }: PageCall): DocumentReply {
  const life = "Links for choosing a password work once, and for 15 minutes.";
  return mail === null
    ? uselessLink(title, `${life} Ask an administrator for a fresh one.`)
    : uselessLink(title, life, "/reset?new=1");
}
