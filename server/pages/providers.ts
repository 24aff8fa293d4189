import { type Html, html } from "./html.ts";
import { fillText } from "./language/fill.ts";
import type { Words } from "./language/words-en.ts";
import type { PageCall } from "./page.ts";

/** What a sign-in with a provider may come back with, by its code in the address; anything else is not shown. */
const codes: readonly Exclude<keyof Words["refused"], "theProvider">[] = [
  "provider_refused",
  "provider_unavailable",
  "email_taken",
  "registration_closed",
  "forbidden",
  "session_expired",
  "fresh_auth_required",
  "conflict",
  "rate_limited",
  "overloaded",
  "store_unavailable",
];

/** What a refused sign-in with a provider is told as; null where none was. */
export function refusalWords({ query, oauth, language: { words } }: PageCall): string | null {
  const known = oauth?.providers.find(({ name }) => name === query.get("provider"));
  const code = codes.find((each) => each === query.get("refused"));
  if (code === undefined) return null;
  return fillText(words.refused[code], { provider: known?.label ?? words.refused.theProvider });
}

/** A way to each provider. Links and not forms: what a form leads to is held to `form-action`. */
export function providerLinks({ auth, oauth, language: { words } }: PageCall, next: string | null): Html {
  if (oauth === null || oauth.providers.length === 0) return html``;
  const query = next === null ? "" : `?next=${encodeURIComponent(next)}`;
  const link = ({ name, label }: { readonly name: string; readonly label: string }): Html =>
    html`<li><a class="button" href="${auth.config.basePath}/auth/oauth/${name}${query}">${fillText(words.login.provider, { provider: label })}</a></li>`;
  return html`<ul class="providers" aria-label="${words.login.otherWays}">
${oauth.providers.map(link)}
</ul>`;
}
