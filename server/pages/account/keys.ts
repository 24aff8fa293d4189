import { type ApiKeyInfo, type ApiKeys, AuthError, type CreatedApiKey, type SignedIn } from "latchkey";
import { checkbox, field, hidden } from "../fields.ts";
import { formAgain, typed } from "../form.ts";
import { type Html, html } from "../html.ts";
import { fill, fillText } from "../language/fill.ts";
import type { Words } from "../language/words-en.ts";
import { type Fields, type PageCall, type PageReply, seeOther } from "../page.ts";
import { moment } from "../words.ts";
import { type AccountView, type Section, type ShowAgain, section, stateOf } from "./section.ts";

/** Name of the form that makes a key; its token works once, so that reloading the answer makes no second one. */
const formName = "api-key";
/** What stands before a permission in the name of its box. */
const box = "may-";

/** API keys: those there are, and a form for another. Nothing where the set-up has none. */
export async function keysSection(view: AccountView): Promise<Html> {
  const { apiKeys, auth, visit, principal, language } = view.call;
  const { keys: words } = language.words;
  // Nobody makes keys in somebody else's place.
  if (apiKeys === null || principal.impersonator !== null) return html``;
  const keys = await apiKeys.list(principal);
  const { token } = await auth.forms.token(formName, visit);
  const state = stateOf(view, "keys");
  const about: Section = {
    name: "keys",
    title: words.title,
    lead: words.lead,
    fieldNames: ["key_name"],
    doneMessages: new Map([["key", words.done]]),
  };
  return section(
    view,
    about,
    html`${view.created !== null && createdNotice(view.created, words)}
${keys.length > 0 && html`<ul class="sessions">${keys.map((each) => keyItem(view, each))}</ul>`}
<form method="post" action="/account" novalidate>
${hidden("_token", token)}
${hidden("form", "new-key")}
${field(view.call, state, { name: "key_name", label: words.name, autocomplete: "off" })}
${principal.user.permissions.map((each) => checkbox(state, { name: box + each, label: fillText(words.may, { permission: each }) }))}
<button type="submit">${words.button}</button>
</form>`,
  );
}

/** Makes a key and shows it, this once. */
export async function submitNewKey(
  call: PageCall<SignedIn>,
  fields: Fields,
  showAgain: ShowAgain,
): Promise<PageReply> {
  const { auth, principal, visit } = call;
  const apiKeys = offered(call);
  try {
    await auth.forms.spend(formName, fields._token ?? "", visit);
    const permissions = principal.user.permissions.filter((each) => fields[box + each] === "on");
    const created = await apiKeys.create(principal, { name: typed(fields, "key_name"), permissions }, visit);
    return { ...(await showAgain(call, "keys", null, created)), status: 201 };
  } catch (thrown) {
    return formAgain(call, ofThisForm(thrown), fields, (state) => showAgain(call, "keys", state));
  }
}

/** Revokes a key. */
export async function submitKeys(
  call: PageCall<SignedIn>,
  fields: Fields,
  showAgain: ShowAgain,
): Promise<PageReply> {
  try {
    await offered(call).revoke(call.principal, fields.revoke ?? "", call.visit);
    return seeOther("/account?done=key#keys");
  } catch (thrown) {
    return formAgain(call, thrown, {}, (state) => showAgain(call, "keys", state));
  }
}

function offered({ apiKeys }: PageCall<SignedIn>): ApiKeys {
  if (apiKeys === null) throw new AuthError("invalid_input", { message: "The form is not known." });
  return apiKeys;
}

// The profile has a field `name` on the same page.
function ofThisForm(thrown: unknown): unknown {
  if (!(thrown instanceof AuthError)) return thrown;
  const fields = thrown.fields.map((each) => (each.field === "name" ? { ...each, field: "key_name" } : each));
  const { code, message, retryAfterSeconds, cause } = thrown;
  const retry = retryAfterSeconds === null ? {} : { retryAfterSeconds };
  return new AuthError(code, { message, fields, cause, ...retry });
}

function createdNotice({ key, name }: CreatedApiKey, { created }: Words["keys"]): Html {
  return html`<div class="notice good" role="status">
<p>${fill(created, { name })}</p>
<p><code class="breakable">${key}</code></p>
</div>`;
}

function keyItem({ call, token }: AccountView, key: ApiKeyInfo): Html {
  const { keys: words } = call.language.words;
  const { id, name, permissions, lastUsedAt, createdAt, expiresAt } = key;
  const isOver = expiresAt !== null && expiresAt <= call.now;
  return html`<li>
<div class="session">
<p class="device">${name}${isOver && html` <span class="badge">${words.expired}</span>`}</p>
<p class="meta"><span class="breakable">${id}</span> <span>${fill(words.made, { when: moment(createdAt, call) })}</span> <span>${lastUsedAt === null ? words.never : fill(words.used, { when: moment(lastUsedAt, call) })}</span> ${permissions.length > 0 && html`<span>${fill(words.permissions, { permissions: permissions.join(", ") })}</span>`}</p>
</div>
<form method="post" action="/account">
${hidden("_token", token)}
${hidden("form", "keys")}
${hidden("revoke", id)}
<button class="small" type="submit">${words.revoke}<span class="unseen">${fillText(words.revokeWhich, { name })}</span></button>
</form>
</li>`;
}
