import { AuthError, type Principal, type SignedIn } from "latchkey";
import { hidden } from "./fields.ts";
import { type Html, html } from "./html.ts";
import { fill } from "./language/fill.ts";
import type { Language } from "./language/language.ts";
import { type PageCall, type PageReply, type RedirectReply, seeOther } from "./page.ts";

/** Where the banner's button goes. */
export const stopPath = "/impersonation/stop";

/**
 * Says on every page that somebody acts in another's place, and takes them back. Nobody is to forget whose account it is that
 * they look at.
 *
 * @param token - CSRF token of the session
 */
export function impersonationBanner(
  principal: Principal | null,
  token: string | null,
  { words: { frame } }: Language,
): Html {
  if (!principal?.isAuthenticated || principal.impersonator === null || token === null) return html``;
  const { user, impersonator } = principal;
  const name = (of: string): Html => html`<strong class="breakable">${of}</strong>`;
  const names = { user: name(user.username), administrator: name(impersonator.username) };
  return html`<div class="acting" role="region" aria-label="${frame.acting}">
<p>${fill(frame.actingAs, names)}</p>
<form method="post" action="${stopPath}">
${hidden("_token", token)}
<button class="small" type="submit">${frame.stop}</button>
</form>
</div>`;
}

/** Whoever opens the address itself finds the button on the page that they are sent to. */
export function showStop({ auth }: PageCall<SignedIn>): RedirectReply {
  return { kind: "redirect", status: 302, to: auth.config.appPath };
}

/** Gives the administrator's own session back. */
export async function submitStop({
  auth,
  administration,
  visit,
  principal,
}: PageCall<SignedIn>): Promise<PageReply> {
  // Stopped already, in another tab.
  if (principal.impersonator === null) return seeOther(auth.config.appPath);
  if (administration === null) throw new AuthError("not_found");
  const { change } = await administration.stopImpersonating(visit);
  return seeOther(auth.config.appPath, change);
}
