import { noOrigin } from "../domain/event.ts";
import type { SignedIn } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import { eraseDeletedAccounts } from "../flows/administration/life-cycle.ts";
import { type LoggedOut, logout } from "../flows/sessions/logout.ts";
import {
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  type StartOptions,
  type SweepOptions,
  startSession,
  sweep,
} from "../flows/sessions/sessions.ts";
import { mintCsrfToken, type SignIn } from "../flows/sign-in/start-session.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import type { Pipeline } from "../pipeline/check.ts";
import { assertOrigin, isUnsafe } from "../pipeline/origin.ts";
import { holderOf } from "./token-visit.ts";
import {
  assertCarrier,
  assertVisit,
  csrfBindingOf,
  inSession,
  leaving,
  present,
  type Visit,
} from "./visit.ts";

/** A session as its owner may see it: without the digests of its secret and of its refresh token. */
export type SessionInfo = Omit<Session, "secretDigest" | "refresh">;

/** Sessions: what an application, a route and the command line do with them. */
export interface Sessions {
  /** Starts a session for a user whom the application has recognised by its own means. @throws AuthError `not_found` */
  start(userId: string, options?: StartOptions & { readonly visit?: Visit }): Promise<SignIn>;
  /** The live sessions of a user, most recently used first. */
  list(userId: string): Promise<readonly SessionInfo[]>;
  /** Ends one session of a user; false where they have none of this id. */
  revoke(userId: string, sessionId: string): Promise<boolean>;
  /** Ends every session of a user, and every sign-in under way; returns how many ended. @throws AuthError `not_found` */
  revokeAll(userId: string): Promise<number>;
  /**
   * Who holds a session token, for applications that carry it by other means than Latchkey's cookie. Counts as a use of the session;
   * where no store keeps sessions, the idle limit is in the token itself and stays as it was.
   *
   * Null for a token that is unknown, malformed, expired or revoked, for a visitor's, and for one of a user who may not sign in.
   *
   * @param visit - what the token came with; sessions that are bound to a browser or address are compared with it. Default: nothing
   * @throws AuthError `store_unavailable`
   */
  validate(token: string, visit?: Visit): Promise<SignedIn | null>;
  /**
   * Signs out whoever holds a session token; whether a session ended. False for one that {@link validate} does not know.
   *
   * @throws AuthError `store_unavailable`
   */
  end(token: string, visit?: Visit): Promise<boolean>;
  /**
   * Deletes what has expired, anonymises accounts deleted 30 days ago, and drops what features keep no longer; returns how many
   * sessions.
   */
  sweep(options?: SweepOptions): Promise<number>;

  /** Ends the caller's session. @throws AuthError `origin_rejected` - a form of another site asks for it */
  logout(visit: Visit): Promise<LoggedOut>;
  /** Ends every session of the caller, this one included. */
  logoutAll(visit: Visit): Promise<LoggedOut & { readonly count: number }>;
  /** Ends one session of the caller; false where they have none of this id. */
  revokeOwn(sessionId: string, visit: Visit): Promise<boolean>;
  /** Ends every session of the caller but this one, which goes on under a new id. */
  revokeOthers(visit: Visit): Promise<SignIn & { readonly ended: number }>;
  /** A fresh CSRF token of the caller's session, or of an ambient proof that has none; null where there is neither. */
  csrfToken(visit: Visit): Promise<string | null>;
}

/** The sessions of a pipeline. `sweepRest` is what features have to drop. */
export function bindSessions(pipeline: Pipeline, sweepRest: () => Promise<unknown>): Sessions {
  const { services } = pipeline;
  const { stores, call } = services;
  return {
    async start(userId, { visit, ...options } = {}) {
      if (visit === undefined) return startSession(services, userId, options);
      const { from, current } = await leaving(pipeline, visit);
      return startSession(services, userId, { replaces: current, from, ...options });
    },
    list: async (userId) => (await stores.sessions.list(userId, call())).map(withoutDigests),
    revoke: async (userId, sessionId) =>
      revokeSession(services, { userId, sessionId }, noOrigin, { by: "operator" }),
    revokeAll: (userId) => revokeAllSessions(services, userId, noOrigin, { by: "operator" }),
    async validate(token, visit) {
      const { principal } = await holderOf(pipeline, token, visit);
      return principal.isAuthenticated ? principal : null;
    },
    async end(token, visit) {
      const { principal, session } = await holderOf(pipeline, token, visit);
      if (!principal.isAuthenticated) return false;
      const from =
        visit === undefined
          ? noOrigin
          : eventOrigin(visit.request, withRequestId(visit.client, services.random));
      return (await logout(services, session, from)).ended;
    },
    async sweep(options) {
      const count = await sweep(services, options);
      await eraseDeletedAccounts(services);
      await sweepRest();
      return count;
    },
    async logout(visit) {
      assertVisit(visit);
      // Another site's form carries no cookie, and the answer to it would clear the cookie all the same.
      if (services.config.csrf && isUnsafe(visit.request.method))
        assertOrigin(visit.request, services.config);
      const { current, from } = await leaving(pipeline, visit);
      return logout(services, current, from);
    },
    async logoutAll(visit) {
      const { principal, from } = await present(pipeline, visit, { whilePasswordChange: true });
      const count = await revokeAllSessions(services, principal.user.id, from);
      return { ended: count > 0, count, change: { session: "clear" } };
    },
    async revokeOwn(sessionId, visit) {
      const { principal } = await present(pipeline, visit);
      const from = eventOrigin(visit.request, withRequestId(visit.client, services.random));
      return revokeSession(services, { userId: principal.user.id, sessionId }, from);
    },
    async revokeOthers(visit) {
      const { principal, current, from } = await inSession(pipeline, visit);
      assertCarrier(principal);
      return revokeOtherSessions(services, { user: principal.user, current }, from);
    },
    async csrfToken(visit) {
      const binding = await csrfBindingOf(pipeline, visit);
      return binding === null ? null : mintCsrfToken(services, binding);
    },
  };
}

function withoutDigests({ secretDigest: _, refresh: __, ...info }: Session): SessionInfo {
  return info;
}
