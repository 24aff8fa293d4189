import { AuthError } from "latchkey";
import { errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret, typed } from "./form.ts";
import { html } from "./html.ts";
import { fromLink, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "invite";
/** The counter of the JSON route: registering is one thing, whichever way it is asked for. */
const registrationLimit = { name: "register", limit: 100, windowSeconds: 3_600 };
const fieldNames = ["username", "name", "password", "confirm_password"];

/** The page behind an invitation's link. */
export async function showInvite(call: PageCall): Promise<PageReply> {
  const opened = fromLink(call, "/invite", useless);
  if (opened !== null) return opened;
  const token = call.auth.forms.readMailed(call.visit);
  if (token === null || call.administration === null) return useless();
  return orUseless(() => invitePage(call, token, null));
}

/**
 * Creates the account. The form's token shows that this browser was shown the form: another site could otherwise sign its visitor in
 * with an invitation of its own.
 */
export async function submitInvite(call: PageCall): Promise<PageReply> {
  const { auth, visit, administration } = call;
  const { config } = auth;
  const fields = await visit.request.fields();
  const token = auth.forms.readMailed(visit);
  if (token === null || administration === null) return useless();
  const [username, name] = [typed(fields, "username"), typed(fields, "name")];
  const password = secret(fields, "password");
  return orUseless(async () => {
    try {
      await auth.takeFromLimit(registrationLimit, visit.request, visit.client);
      await auth.forms.spend(formName, fields._token ?? "", visit);
      const { email } = await administration.openInvitation(token);
      const differing = mismatch(fields, "password");
      if (differing.length > 0) {
        const others = await auth.users.registrationErrors({ email, username, name, password });
        assertNone([...others, ...differing]);
      }
      const { signIn } = await administration.redeemInvitation({ token, username, name, password }, visit);
      if (signIn === null) return seeOther(`${config.loginPath}?done=registered`, { mailed: "clear" });
      return seeOther(config.appPath, { ...signIn.change, mailed: "clear" });
    } catch (thrown) {
      if (thrown instanceof AuthError && thrown.code === "token_invalid") throw thrown;
      return formAgain(thrown, fields, (state) => invitePage(call, token, state));
    }
  });
}

async function invitePage(
  { auth, administration, visit }: PageCall,
  token: string,
  state: FormState | null,
): Promise<DocumentReply> {
  if (administration === null) return useless();
  const { email, name } = await administration.openInvitation(token);
  const shown = state ?? blank({ name: name ?? "" });
  const form = await auth.forms.token(formName, visit);
  const main = html`<div class="card">
<h1>You are invited</h1>
<p class="lead">Create your account for <strong class="breakable">${email}</strong>.</p>
${errorSummary(shown, fieldNames)}
<form method="post" action="/invite" novalidate>
${hidden("_token", form.token)}
<input hidden type="text" autocomplete="email" value="${email}" readonly>
${field(shown, {
  name: "username",
  label: "Username",
  autocomplete: "username",
  isOptional: true,
  hint: "A public name, and another way to sign in.",
})}
${field(shown, { name: "name", label: "Name", autocomplete: "name", isOptional: true, hint: "What we call you." })}
${field(shown, {
  name: "password",
  label: "Password",
  type: "password",
  autocomplete: "new-password",
  hint: "Long beats complicated: a few unrelated words are good.",
})}
${field(shown, { name: "confirm_password", label: "Confirm password", type: "password", autocomplete: "new-password" })}
<button class="primary" type="submit">Create account</button>
</form>
</div>`;
  return { kind: "document", title: "You are invited", main, change: form.change ?? undefined };
}

async function orUseless(work: () => Promise<PageReply>): Promise<PageReply> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless();
    throw thrown;
  }
}

function useless(): DocumentReply {
  return uselessLink(
    "You are invited",
    "Invitations work once, and for a week. Ask who invited you for a fresh one.",
  );
}
