import { AuthError, nextPath, type SessionChange } from "latchkey";
import { acceptedLocale } from "latchkey/mail";
import { errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret, typed } from "./form.ts";
import { type Html, html } from "./html.ts";
import { withNext } from "./login.ts";
import { shownHint } from "./mailed.ts";
import { type DocumentReply, type Fields, type PageCall, type PageReply, seeOther } from "./page.ts";

const formName = "register";
/** The counter of the JSON route: registering is one thing, whichever way it is asked for. */
const registrationLimit = { name: "register", limit: 100, windowSeconds: 3_600 };

/** The registration page. */
export function showRegister(call: PageCall): Promise<DocumentReply> {
  if (!canRegister(call)) throw new AuthError("registration_closed");
  return registerPage(call, blank({ next: call.query.get("next") ?? "" }));
}

/**
 * Creates an account. The form's token works once: who sends the form twice gets it back with what was typed and a token
 * that works.
 */
export async function submitRegister(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const { config } = auth;
  const fields = await visit.request.fields();
  if (!canRegister(call)) throw new AuthError("registration_closed");
  try {
    await auth.takeFromLimit(registrationLimit, visit.request, visit.client);
    await auth.forms.spend(formName, fields._token ?? "", visit);
    const registration = registrationOf(fields);
    await assertConsistent(call, fields);
    const locale = acceptedLocale(visit.request.headers.get("accept-language"));
    const { user, signIn, ...pending } = await auth.users.register({ ...registration, locale }, visit);
    if (user === null) return pendingPage(call, registration.email, pending);
    const next = nextPath(fields.next, config.origin);
    if (signIn === null)
      return seeOther(`${withNext(config.loginPath, next)}${next === null ? "?" : "&"}done=registered`);
    return seeOther(next ?? config.appPath, signIn.change);
  } catch (thrown) {
    return formAgain(thrown, fields, (state) => registerPage(call, state));
  }
}

function canRegister({ auth }: PageCall): boolean {
  return auth.config.registration === "open" || auth.config.registration === "confirm";
}

/** What is said after a registration that a mailed link completes, whoever has the address. */
function pendingPage(
  { shownMails }: PageCall,
  email: string,
  pending: { readonly change?: SessionChange },
): DocumentReply {
  const title = "Look into your mail";
  const main = html`<div class="card">
<h1>${title}</h1>
<p class="lead breakable">A mail is on its way to ${email}. The link in it creates your account; it works once, and for a day.</p>
<p>Open it in this browser, or have your password ready.</p>
${shownHint(shownMails)}
</div>`;
  return { kind: "document", title, main, change: pending.change };
}

async function registerPage({ auth, visit }: PageCall, state: FormState): Promise<DocumentReply> {
  const { token, change } = await auth.forms.token(formName, visit);
  const next = nextPath(state.values.next, auth.config.origin);
  const main = html`<div class="card">
<h1>Create an account</h1>
${errorSummary(state, registrationFieldNames)}
<form method="post" action="/register" novalidate>
${hidden("_token", token)}
${hidden("next", next)}
${registrationFields(state)}
<button class="primary" type="submit">Create account</button>
</form>
<p class="aside">Have an account? <a href="${withNext(auth.config.loginPath, next)}">Sign in</a></p>
</div>`;
  return { kind: "document", title: "Create an account", main, change: change ?? undefined };
}

/** The fields of a registration. */
export function registrationFields(state: FormState): Html[] {
  return [
    field(state, { name: "email", label: "Email", type: "email", autocomplete: "email" }),
    field(state, {
      name: "username",
      label: "Username",
      autocomplete: "username",
      isOptional: true,
      hint: "A public name, and another way to sign in.",
    }),
    field(state, {
      name: "name",
      label: "Name",
      autocomplete: "name",
      isOptional: true,
      hint: "What we call you.",
    }),
    field(state, {
      name: "password",
      label: "Password",
      type: "password",
      autocomplete: "new-password",
      hint: "Long beats complicated: a few unrelated words are good.",
    }),
    field(state, {
      name: "confirm_password",
      label: "Confirm password",
      type: "password",
      autocomplete: "new-password",
    }),
  ];
}

/** Names of {@link registrationFields}. */
export const registrationFieldNames: readonly string[] = [
  "email",
  "username",
  "name",
  "password",
  "confirm_password",
];

/** What was typed into {@link registrationFields}. */
export function registrationOf(fields: Fields): {
  email: string;
  username: string;
  name: string;
  password: string;
} {
  const [email, username, name] = [typed(fields, "email"), typed(fields, "username"), typed(fields, "name")];
  return { email, username, name, password: secret(fields, "password") };
}

/** Refuses where the passwords differ, naming at once all else that would be refused after it. @throws AuthError `invalid_input` */
export async function assertConsistent({ auth }: PageCall, fields: Fields): Promise<void> {
  const differing = mismatch(fields, "password");
  if (differing.length === 0) return;
  assertNone([...(await auth.users.registrationErrors(registrationOf(fields))), ...differing]);
}
