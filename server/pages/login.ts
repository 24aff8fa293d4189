import { nextPath } from "latchkey";
import { checkbox, doneNotice, errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, missing, secret, typed } from "./form.ts";
import { html } from "./html.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";
import { providerLinks, refusalWords } from "./providers.ts";

/** What brought somebody here, as the pages say it in `?done=`; anything else is not shown. */
const doneMessages: ReadonlyMap<string, string> = new Map([
  ["signed-out", "You are signed out."],
  ["registered", "Your account is ready. Sign in to use it."],
  ["deleted", "Your account is deleted. Within 30 days an administrator can bring it back."],
  ["erased", "Your account is deleted and your data is erased."],
]);

const requiredFields = { username: "Email or username is required", password: "Password is required" };

/** The sign-in page. */
export function showLogin(call: PageCall): DocumentReply {
  const state = { ...blank({ next: call.query.get("next") ?? "" }), message: refusalWords(call) };
  return loginPage(call, state, doneMessages.get(call.query.get("done") ?? ""));
}

/** Signs in. The form asks for no CSRF token: the flow checks where it comes from. */
export async function submitLogin(call: PageCall): Promise<PageReply> {
  const { auth, visit } = call;
  const fields = await visit.request.fields();
  const username = typed(fields, "username");
  const password = secret(fields, "password");
  try {
    assertNone(missing({ username, password }, requiredFields));
    const login = { identifier: username, password, isRemembered: fields.remember === "on" };
    const { change } = await auth.users.login(login, visit);
    return seeOther(nextPath(fields.next, auth.config.origin) ?? auth.config.appPath, change);
  } catch (thrown) {
    return formAgain(thrown, fields, (state) => loginPage(call, state));
  }
}

function loginPage(call: PageCall, state: FormState, done?: string): DocumentReply {
  const { loginPath, origin, registration } = call.auth.config;
  const canRegister = registration === "open" || registration === "confirm";
  const next = nextPath(state.values.next, origin);
  const isFirstLook = done === undefined && state.message === null && state.errors.length === 0;
  const main = html`<div class="card">
<h1>Sign in</h1>
${errorSummary(state, ["username", "password"])}
${doneNotice(done)}
${next !== null && isFirstLook && html`<p class="lead">Sign in to go on.</p>`}
<form method="post" action="${loginPath}" novalidate>
${hidden("next", next)}
${field(state, { name: "username", label: "Email or username", autocomplete: "username" })}
${field(state, { name: "password", label: "Password", type: "password", autocomplete: "current-password" })}
${checkbox(state, { name: "remember", label: "Keep me signed in on this device" })}
<button class="primary" type="submit">Sign in</button>
</form>
${call.mail !== null && html`<p class="aside"><a href="/reset?new=1">Forgot your password?</a> · <a href="/magic?new=1">Sign in by mail</a></p>`}
${providerLinks(call, next)}
${canRegister && html`<p class="aside">New here? <a href="${withNext("/register", next)}">Create an account</a></p>`}
</div>`;
  return { kind: "document", title: "Sign in", main };
}

/** A link to another form that leads to the same place in the end. */
export function withNext(path: string, next: string | null): string {
  return next === null ? path : `${path}?next=${encodeURIComponent(next)}`;
}
