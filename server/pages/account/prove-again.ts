import { AuthError, type SignedIn } from "latchkey";
import type { ProviderInfo } from "latchkey/oauth";
import { secret } from "../form.ts";
import { type Html, html } from "../html.ts";
import { fill, fillText } from "../language/fill.ts";
import type { Fields, PageCall } from "../page.ts";
import { withSession } from "../request.ts";

/** How somebody can prove again who they are. */
export interface ProofWays {
  readonly hasPassword: boolean;
  /** Linked accounts by which it can be proven. */
  readonly providers: readonly ProviderInfo[];
}

/** The ways of who is signed in; of who acts in another's place no provider is one. */
export async function proofWays({ auth, oauth, principal }: PageCall<SignedIn>): Promise<ProofWays> {
  const { id } = principal.user;
  const hasPassword = await auth.users.hasPassword(id);
  const linked = principal.impersonator === null ? ((await oauth?.accounts(id)) ?? []) : [];
  const isLinked = ({ name }: ProviderInfo): boolean => linked.some(({ provider }) => provider === name);
  const providers = oauth?.providers.filter((each) => each.mayProveAnew && isLinked(each)) ?? [];
  return { hasPassword, providers };
}

/** Whether the last proof is too long ago for what needs a fresh one. */
export function isStale({ auth, principal, now }: PageCall<SignedIn>): boolean {
  return now.getTime() - principal.authTime.getTime() >= auth.config.freshSeconds * 1000;
}

/** What a fresh proof is asked for; `sentences` of the languages have a sentence for each. */
type Purpose = "to change your email address" | "to change how you sign in" | "to delete your account";

/**
 * The password that a form brought as a fresh proof.
 *
 * @param purpose - what it is for
 * @throws AuthError `fresh_auth_required` - none; for who has one the refusal stands beside the field
 */
export function confirmation(fields: Fields, { hasPassword }: ProofWays, purpose: Purpose): string {
  if (!hasPassword) {
    throw new AuthError("fresh_auth_required", { message: `Sign in again ${purpose}.` });
  }
  const password = secret(fields, "password");
  if (password !== "") return password;
  const message = `Confirm your password ${purpose}`;
  throw new AuthError("fresh_auth_required", { fields: [{ field: "password", code: "required", message }] });
}

/**
 * The ways by providers, each of which is asked to ask again.
 *
 * @param next - path of the page to come back to
 */
export function signInAgain(
  { auth, mail, language }: PageCall<SignedIn>,
  { hasPassword, providers }: ProofWays,
  next: string,
): Html {
  const { account: words } = language.words;
  const query = `?fresh=on&next=${encodeURIComponent(next)}`;
  const link = ({ name, label }: ProviderInfo): Html =>
    html`<p class="aside"><a href="${auth.config.basePath}/auth/oauth/${name}${query}">${fillText(words.againWith, { provider: label })}</a></p>`;
  return html`${providers.map(link)}
${!hasPassword && html`<p class="aside">${providers.length === 0 ? how() : fill(words.stillAsked, { how: how() })}</p>`}`;

  function how(): Html {
    const link = html`<a href="/reset?new=1">${words.mailedLinkText}</a>`;
    return mail === null ? html`${words.administratorLink}` : fill(words.mailedLink, { link });
  }
}

/**
 * Asks for the password within a session. The session goes on under a new id, which the answer tells the browser and the
 * rest of this request carries: the one that the browser sent is dead.
 *
 * @returns the call in the session as it is now
 * @throws AuthError `invalid_credentials` (field `password`), `rate_limited`, `conflict`
 */
export async function proveAgain(call: PageCall<SignedIn>, password: string): Promise<PageCall<SignedIn>> {
  const { auth, visit, principal, keep, now } = call;
  const { session, change } = await auth.users.reauthenticate(password, visit);
  if (typeof change.session !== "object") throw new TypeError("reauthenticate gave no session");
  keep(change);
  const request = withSession(visit.request, { name: auth.config.cookie.name, token: change.session.token });
  const fresh = { ...principal, sessionId: session.id, authTime: session.authTime ?? now };
  return { ...call, visit: { ...visit, request }, principal: fresh };
}
