import { nextPath } from "latchkey";
import { checkbox, doneNotice, errorSummary, field, hidden } from "./fields.ts";
import { assertNone, blank, type FormState, formAgain, missing, secret, typed } from "./form.ts";
import { html } from "./html.ts";
import { fill } from "./language/fill.ts";
import type { Words } from "./language/words-en.ts";
import { type DocumentReply, type PageCall, type PageReply, seeOther } from "./page.ts";
import { providerLinks, refusalWords } from "./providers.ts";

type DoneWords = "signedOut" | "signedOutEverywhere" | "registered" | "deleted" | "erased";

/** What brought somebody here, as the pages say it in `?done=`; anything else is not shown. */
const doneWords: ReadonlyMap<string, DoneWords> = new Map([
  ["signed-out", "signedOut"],
  ["signed-out-everywhere", "signedOutEverywhere"],
  ["registered", "registered"],
  ["deleted", "deleted"],
  ["erased", "erased"],
]);

const requiredFields = { username: "Email or username is required", password: "Password is required" };

/** The sign-in page. */
export function showLogin(call: PageCall): DocumentReply {
  const state = { ...blank({ next: call.query.get("next") ?? "" }), message: refusalWords(call) };
  return loginPage(call, state, doneMessage(call.language.words, call.query.get("done")));
}

function doneMessage({ login }: Words, done: string | null): string | undefined {
  const key = doneWords.get(done ?? "");
  return key === undefined ? undefined : login[key];
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
    return formAgain(call, thrown, fields, (state) => loginPage(call, state));
  }
}

function loginPage(call: PageCall, state: FormState, done?: string): DocumentReply {
  const { loginPath, origin, registration } = call.auth.config;
  const { words } = call.language;
  const canRegister = registration === "open" || registration === "confirm";
  const next = nextPath(state.values.next, origin);
  const isFirstLook = done === undefined && state.message === null && state.errors.length === 0;
  const register = html`<a href="${withNext("/register", next)}">${words.login.register}</a>`;
  return {
    kind: "document",
    page: "login",
    title: words.login.title,
    lead: html`${next !== null && isFirstLook && html`<p class="lead">${words.login.next}</p>`}`,
    messages: html`${errorSummary(call, state, ["username", "password"])}
${doneNotice(done)}`,
    form: html`<form method="post" action="${loginPath}" novalidate>
${hidden("next", next)}
${field(call, state, { name: "username", label: words.form.identifier, autocomplete: "username" })}
${field(call, state, { name: "password", label: words.form.password, type: "password", autocomplete: "current-password" })}
${checkbox(state, { name: "remember", label: words.form.remember })}
<button class="primary" type="submit">${words.login.button}</button>
</form>`,
    aside: html`${call.mail !== null && html`<p class="aside"><a href="/reset?new=1">${words.login.forgot}</a> · <a href="/magic?new=1">${words.login.byMail}</a></p>`}
${providerLinks(call, next)}
${canRegister && html`<p class="aside">${fill(words.login.new, { link: register })}</p>`}`,
  };
}

/** A link to another form that leads to the same place in the end. */
export function withNext(path: string, next: string | null): string {
  return next === null ? path : `${path}?next=${encodeURIComponent(next)}`;
}
