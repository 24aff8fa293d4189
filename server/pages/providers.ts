import { type Html, html } from "./html.ts";
import type { PageCall } from "./page.ts";

/** What a sign-in with a provider may come back with, by its code in the address; anything else is not shown. */
const words: ReadonlyMap<string, (label: string) => string> = new Map<string, (label: string) => string>([
  ["provider_refused", (label) => `Signing in with ${label} did not work. Please try again.`],
  ["provider_unavailable", (label) => `${label} does not answer just now. Please try again in a moment.`],
  [
    "email_taken",
    (label) =>
      `Somebody has an account with the address that ${label} gave. If that is you, sign in as before, then link ${label} on your account page.`,
  ],
  ["registration_closed", () => "Registration is closed. An administrator can create an account for you."],
  ["forbidden", () => "Your account may not sign in."],
  ["session_expired", () => "You signed out, or in as somebody else, in the meantime. Please start again."],
  ["fresh_auth_required", () => "Sign in again first: your last sign-in was too long ago for this."],
  [
    "conflict",
    (label) =>
      `This ${label} account is linked to another account already, or another ${label} account to yours.`,
  ],
  ["rate_limited", () => "Too many requests. Please try again later."],
  ["overloaded", () => "The server is busy. Please try again in a moment."],
  ["store_unavailable", () => "The service is temporarily unavailable."],
]);

/** What a refused sign-in with a provider is told as; null where none was. */
export function refusalWords({ query, oauth }: PageCall): string | null {
  const known = oauth?.providers.find(({ name }) => name === query.get("provider"));
  return words.get(query.get("refused") ?? "")?.(known?.label ?? "the provider") ?? null;
}

/** A way to each provider. Links and not forms: what a form leads to is held to `form-action`. */
export function providerLinks({ auth, oauth }: PageCall, next: string | null): Html {
  if (oauth === null || oauth.providers.length === 0) return html``;
  const query = next === null ? "" : `?next=${encodeURIComponent(next)}`;
  const link = ({ name, label }: { readonly name: string; readonly label: string }): Html =>
    html`<li><a class="button" href="${auth.config.basePath}/auth/oauth/${name}${query}">Continue with ${label}</a></li>`;
  return html`<ul class="providers" aria-label="Other ways to sign in">
${oauth.providers.map(link)}
</ul>`;
}
