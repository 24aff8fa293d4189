import { AuthError } from "latchkey";
import { errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret, typed } from "./form.ts";
import { html } from "./html.ts";
import { fill } from "./language/fill.ts";
import { formOfLink, fromLink, uselessLink } from "./mailed.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "invite";
/** The counter of the JSON route: registering is one thing, whichever way it is asked for. */
const registrationLimit = { name: "register", limit: 100, windowSeconds: 3_600 };
const fieldNames = ["username", "name", "password", "confirm_password"];

/** The page behind an invitation's link. */
export async function showInvite(call: PageCall): Promise<PageReply> {
  const opened = fromLink(call, "/invite", () => useless(call));
  if (opened !== null) return opened;
  const token = call.auth.forms.readMailed(call.visit);
  if (token === null || call.administration === null) return useless(call);
  return orUseless(call, () => invitePage(call, token, null));
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
  if (token === null || administration === null) return useless(call);
  const [username, name] = [typed(fields, "username"), typed(fields, "name")];
  const password = secret(fields, "password");
  return orUseless(call, async () => {
    try {
      await auth.takeFromLimit(registrationLimit, visit.request, visit.client);
      await auth.forms.spend(formOfLink(formName, token), fields._token ?? "", visit);
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
      return formAgain(call, thrown, fields, (state) => invitePage(call, token, state));
    }
  });
}

async function invitePage(call: PageCall, token: string, state: FormState | null): Promise<DocumentReply> {
  const { auth, administration, visit, language } = call;
  if (administration === null) return useless(call);
  const { form: labels, invite, register } = language.words;
  const { email, name } = await administration.openInvitation(token);
  const shown = state ?? blank({ name: name ?? "" });
  const form = await auth.forms.token(formOfLink(formName, token), visit);
  const address = html`<strong class="breakable">${email}</strong>`;
  return {
    kind: "document",
    page: "invite",
    title: invite.title,
    lead: html`<p class="lead">${fill(invite.lead, { email: address })}</p>`,
    messages: errorSummary(call, shown, fieldNames),
    form: html`<form method="post" action="/invite" novalidate>
${hidden("_token", form.token)}
<input hidden type="text" autocomplete="email" value="${email}" readonly>
${field(call, shown, {
  name: "username",
  label: labels.username,
  autocomplete: "username",
  isOptional: true,
  hint: labels.usernameHint,
})}
${field(call, shown, { name: "name", label: labels.name, autocomplete: "name", isOptional: true, hint: labels.nameHint })}
${field(call, shown, {
  name: "password",
  label: labels.password,
  type: "password",
  autocomplete: "new-password",
  hint: labels.passwordHint,
})}
${field(call, shown, { name: "confirm_password", label: labels.confirmPassword, type: "password", autocomplete: "new-password" })}
<button class="primary" type="submit">${register.button}</button>
</form>`,
    change: form.change ?? undefined,
  };
}

async function orUseless(call: PageCall, work: () => Promise<PageReply>): Promise<PageReply> {
  try {
    return await work();
  } catch (thrown) {
    if (thrown instanceof AuthError && thrown.code === "token_invalid") return useless(call);
    throw thrown;
  }
}

function useless(call: PageCall): DocumentReply {
  const { title, useless: whatToDo } = call.language.words.invite;
  return uselessLink(call, { page: "invite", title }, whatToDo);
}
