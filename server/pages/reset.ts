import { AuthError } from "latchkey";
import { errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret } from "./form.ts";
import { html } from "./html.ts";
import { fromLink, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "reset";

/** The page behind a link for choosing a password. */
export async function showReset(call: PageCall): Promise<PageReply> {
  const { auth, visit, query } = call;
  if (query.get("done") === "1") return donePage(call);
  const opened = fromLink(call, "/reset", useless);
  if (opened !== null) return opened;
  return auth.forms.readMailed(visit) === null ? useless() : resetPage(call, blank());
}

/**
 * Chooses the password. The form's token shows that this browser was shown the form: with a cookie that goes along across
 * sites (`sameSite: none`), another site could otherwise post a password of its choice.
 */
export async function submitReset(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null) return useless();
  const password = secret(fields, "new_password");
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    const differing = mismatch(fields, "new_password");
    if (differing.length > 0)
      assertNone([...(await auth.users.passwordErrors(password, null)), ...differing]);
    await auth.users.resetPassword({ token, password }, visit);
    return seeOther("/reset?done=1", { mailed: "clear" });
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless();
    return formAgain(thrown, fields, (state) => resetPage(call, state));
  }
}

async function resetPage({ auth, visit }: PageCall, state: FormState): Promise<DocumentReply> {
  const { token, change } = await auth.forms.token(formName, visit);
  const main = html`<div class="card">
<h1>Choose a new password</h1>
<p class="lead">You will be signed out everywhere.</p>
${errorSummary(state, ["new_password", "confirm_password"])}
<form method="post" action="/reset" novalidate>
${hidden("_token", token)}
${field(state, { name: "new_password", label: "New password", type: "password", autocomplete: "new-password" })}
${field(state, { name: "confirm_password", label: "Confirm new password", type: "password", autocomplete: "new-password" })}
<button class="primary" type="submit">Change password</button>
</form>
</div>`;
  return { kind: "document", title: "Choose a new password", main, change: change ?? undefined };
}

function donePage({ auth }: PageCall): DocumentReply {
  const main = html`<div class="card">
<h1>Password changed</h1>
<p>Every session of your account has ended. Sign in with your new password.</p>
<p><a class="button primary" href="${auth.config.loginPath}">Sign in</a></p>
</div>`;
  return { kind: "document", title: "Password changed", main };
}

function useless(): DocumentReply {
  return uselessLink(
    "Choose a new password",
    "Links for choosing a password work once, and for 15 minutes. Ask an administrator for a fresh one.",
  );
}
