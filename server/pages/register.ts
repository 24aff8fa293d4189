import { AuthError, nextPath, type SessionChange } from "latchkey";
import { errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, mismatch, secret, typed } from "./form.ts";
import { type Html, html } from "./html.ts";
import { fill } from "./language/fill.ts";
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
    // What nobody has said is left open: the server may speak another language one day.
    const locale = call.localeBy === "default" ? null : call.language.locale;
    const { user, signIn, ...pending } = await auth.users.register({ ...registration, locale }, visit);
    if (user === null) return pendingPage(call, registration.email, pending);
    const next = nextPath(fields.next, config.origin);
    if (signIn === null)
      return seeOther(`${withNext(config.loginPath, next)}${next === null ? "?" : "&"}done=registered`);
    return seeOther(next ?? config.appPath, signIn.change);
  } catch (thrown) {
    return formAgain(call, thrown, fields, (state) => registerPage(call, state));
  }
}

function canRegister({ auth }: PageCall): boolean {
  return auth.config.registration === "open" || auth.config.registration === "confirm";
}

/** What is said after a registration that a mailed link completes, whoever has the address. */
function pendingPage(
  call: PageCall,
  email: string,
  pending: { readonly change?: SessionChange },
): DocumentReply {
  const { register } = call.language.words;
  return {
    kind: "document",
    page: "register",
    title: register.pendingTitle,
    lead: html`<p class="lead breakable">${fill(register.pending, { email })}</p>`,
    form: html`<p>${register.pendingHint}</p>`,
    aside: shownHint(call),
    change: pending.change,
  };
}

async function registerPage(call: PageCall, state: FormState): Promise<DocumentReply> {
  const { auth, visit, language } = call;
  const { register, login } = language.words;
  const { token, change } = await auth.forms.token(formName, visit);
  const next = nextPath(state.values.next, auth.config.origin);
  const signIn = html`<a href="${withNext(auth.config.loginPath, next)}">${login.title}</a>`;
  return {
    kind: "document",
    page: "register",
    title: register.title,
    messages: errorSummary(call, state, registrationFieldNames),
    form: html`<form method="post" action="/register" novalidate>
${hidden("_token", token)}
${hidden("next", next)}
${registrationFields(call, state)}
<button class="primary" type="submit">${register.button}</button>
</form>`,
    aside: html`<p class="aside">${fill(register.have, { link: signIn })}</p>`,
    change: change ?? undefined,
  };
}

/** The fields of a registration. */
export function registrationFields(call: PageCall, state: FormState): Html[] {
  const { form: labels } = call.language.words;
  return [
    field(call, state, { name: "email", label: labels.email, type: "email", autocomplete: "email" }),
    field(call, state, {
      name: "username",
      label: labels.username,
      autocomplete: "username",
      isOptional: true,
      hint: labels.usernameHint,
    }),
    field(call, state, {
      name: "name",
      label: labels.name,
      autocomplete: "name",
      isOptional: true,
      hint: labels.nameHint,
    }),
    field(call, state, {
      name: "password",
      label: labels.password,
      type: "password",
      autocomplete: "new-password",
      hint: labels.passwordHint,
    }),
    field(call, state, {
      name: "confirm_password",
      label: labels.confirmPassword,
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

/**
 * Refuses where the passwords differ, naming at once all else that would be refused after it.
 *
 * @param naming - `isOperators`: who registers may speak for the service by their name. Default false
 * @throws AuthError `invalid_input`
 */
export async function assertConsistent(
  { auth }: PageCall,
  fields: Fields,
  naming: { readonly isOperators?: boolean } = {},
): Promise<void> {
  const differing = mismatch(fields, "password");
  if (differing.length === 0) return;
  assertNone([...(await auth.users.registrationErrors(registrationOf(fields), naming)), ...differing]);
}
