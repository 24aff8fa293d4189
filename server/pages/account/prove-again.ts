import type { SessionChange, SignedIn } from "latchkey";
import type { PageCall } from "../page.ts";
import { withSession } from "../request.ts";

/** A call that goes on in a session whose owner has just proved again who they are. */
export interface ProvenCall {
  readonly call: PageCall<SignedIn>;
  readonly change: SessionChange;
}

/**
 * Asks for the password within a session. The session goes on under a new id, which the rest of this request has to
 * carry: the one that the browser sent is dead.
 *
 * @throws AuthError `invalid_credentials` (field `password`), `rate_limited`, `conflict`
 */
export async function proveAgain(call: PageCall<SignedIn>, password: string): Promise<ProvenCall> {
  const { auth, visit, principal } = call;
  const { session, change } = await auth.users.reauthenticate(password, visit);
  if (typeof change.session !== "object") throw new TypeError("reauthenticate gave no session");
  const request = withSession(visit.request, { name: auth.config.cookie.name, token: change.session.token });
  return {
    call: { ...call, visit: { ...visit, request }, principal: { ...principal, sessionId: session.id } },
    change,
  };
}
