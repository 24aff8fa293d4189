import type { SignedIn } from "latchkey";
import type { PageCall } from "../page.ts";
import { withSession } from "../request.ts";

/**
 * Asks for the password within a session. The session goes on under a new id, which the answer tells the browser and the
 * rest of this request carries: the one that the browser sent is dead.
 *
 * @returns the call in the session as it is now
 * @throws AuthError `invalid_credentials` (field `password`), `rate_limited`, `conflict`
 */
export async function proveAgain(call: PageCall<SignedIn>, password: string): Promise<PageCall<SignedIn>> {
  const { auth, visit, principal, keep } = call;
  const { session, change } = await auth.users.reauthenticate(password, visit);
  if (typeof change.session !== "object") throw new TypeError("reauthenticate gave no session");
  keep(change);
  const request = withSession(visit.request, { name: auth.config.cookie.name, token: change.session.token });
  return { ...call, visit: { ...visit, request }, principal: { ...principal, sessionId: session.id } };
}
