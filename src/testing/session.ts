import type { Auth } from "../auth.ts";
import type { AuthenticationMethod, Session } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import { usualPeer } from "./client.ts";
import { testUser, type WhichUser } from "./test-user.ts";

/** What a session is to be that a test makes. */
export interface SessionWanted {
  /** When they signed in: limits and freshness count from then. Not in the future. Default: now. */
  readonly createdAt?: Date;
  /** Default false. */
  readonly isRemembered?: boolean;
  /** How they signed in. Default `["pwd"]`. */
  readonly amr?: readonly AuthenticationMethod[];
  /** Where from. Default: as the clients of this kit. */
  readonly ip?: string;
  readonly userAgent?: string;
}

/** A session, and all that a client of it sends. */
export interface TestSession {
  readonly user: User;
  readonly session: Session;
  /** The value of the session's cookie. Nobody else ever sees it. */
  readonly token: string;
  /** For the header `X-CSRF-Token` of what changes something. */
  readonly csrfToken: string;
  /** For the header `Cookie`. */
  readonly cookies: string;
  /** The `Set-Cookie` lines of an answer that starts it. */
  readonly setCookies: readonly string[];
}

/**
 * Starts a session past every login: with a real user, in the real stores.
 *
 * @param which - an account, its id, or what it is to be; see {@link WantedUser}. Default: a new one
 * @throws AuthError `not_found` - an account that may not sign in
 * @throws TypeError - `createdAt` lies ahead
 */
export async function session(
  auth: Auth,
  which?: WhichUser,
  wanted: SessionWanted = {},
): Promise<TestSession> {
  const user = await testUser(auth, which);
  const { createdAt: startedAt, isRemembered, amr, ...peer } = wanted;
  const from = { ...usualPeer, requestId: null, ...peer };
  const started = await auth.sessions.start(user.id, {
    from,
    ...(startedAt !== undefined && { startedAt }),
    ...(isRemembered !== undefined && { isRemembered }),
    ...(amr !== undefined && { amr }),
  });
  const { session: change } = started.change;
  if (change === undefined || change === "clear") throw new Error("no cookie carries this session");
  const setCookies = auth.seal(new Response(), started.change).headers.getSetCookie();
  const cookies = setCookies.map((line) => line.slice(0, line.indexOf(";"))).join("; ");
  const { token, csrfToken } = change;
  return { user: started.user, session: started.session, token, csrfToken, cookies, setCookies };
}
