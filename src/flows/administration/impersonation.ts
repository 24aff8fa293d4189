import type { EventOrigin } from "../../domain/event.ts";
import { impersonationSeconds, isImpersonation, mayImpersonate } from "../../domain/impersonation.ts";
import { idleLimit, type Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { administrator, assertMayChange } from "../acting.ts";
import { stoppedRow } from "../leave-impersonation.ts";
import { assertCommitted } from "../refusals.ts";
import { findSession } from "../sessions/find-session.ts";
import { rotation } from "../sessions/rotate-session.ts";
import { carry, draftSession, type SignIn } from "../sign-in/start-session.ts";

/** Who wants to act in somebody's place, in which session of theirs. */
export interface Impersonator {
  readonly user: User;
  readonly current: Session;
  readonly from: EventOrigin;
}

/** Never fresh: the person whose session it is has proven nothing. */
const never = new Date(0);

/**
 * Starts a session in which an administrator acts in a user's place, for {@link impersonationSeconds} at most. Their own session goes on
 * without a cookie, under an id that nobody was ever given: whatever ends it, or their right to do this, ends the other with the next check.
 *
 * @throws AuthError `not_found`; `forbidden` - themselves, a superuser, somebody who may do what they may not, or within another
 * impersonation; where no store keeps sessions; `conflict` - their session, or the user's generation, ended in the meantime
 */
export async function impersonate(
  services: Services,
  userId: string,
  { user, current, from }: Impersonator,
): Promise<SignIn> {
  const { stores, clock, config, rights } = services;
  if (services.sealedSessions !== null)
    throw refused("Sessions are in their cookies here, so nobody could take this one back.");
  if (isImpersonation(current)) throw refused("Somebody else's place is taken already.");
  const target = await stores.directory.user(userId, { ...services.call(), readsThrough: true });
  if (target === null) throw new AuthError("not_found");
  if (target.status !== "active")
    throw new AuthError("conflict", { message: `The account is ${target.status}.` });
  if (!mayImpersonate(rights, user, target)) throw refused("Nobody may act in this person's place.");
  const acting = administrator({ user, sessionId: current.id, scopes: null }, from);
  assertMayChange(services, acting, target);
  const now = clock.now();
  const { generation } = user;
  const kept = rotation(services, { user, current, generation, authTime: current.authTime, from });
  const until = new Date(now.getTime() + impersonationSeconds * 1000);
  const drafted = draftSession(services, {
    user: target,
    generation: target.generation,
    amr: ["imp"],
    authTime: never,
    isRemembered: false,
    from,
    replaces: kept.draft.session,
    expiresAt: until < current.expiresAt ? until : current.expiresAt,
    data: {},
  });
  const { session } = drafted;
  const idleExpiresAt = idleLimit(now, config.session.idleSeconds, session.expiresAt);
  const draft = { ...drafted, session: { ...session, idleExpiresAt } };
  const event = {
    type: "user.impersonated" as const,
    userId: target.id,
    sessionId: session.id,
    payload: { impersonatorId: user.id },
  };
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation },
    { kind: "user.require", userId: target.id, generation: target.generation },
    ...kept.writes,
    // Without a cap: the person's own sessions make no room for this one.
    { kind: "session.insert", session: draft.session, cap: 0, evicted: () => [] },
    { kind: "audit.insert", row: services.events.row(event, acting.from) },
  ]);
  assertCommitted(result);
  return { user: target, session: draft.session, change: carry(services, draft) };
}

/**
 * Ends an impersonation and gives the impersonator's own session back, under a new id.
 *
 * @param current - the session in which they act in somebody's place
 * @throws AuthError `forbidden` - it is none; `conflict` - either session ended in the meantime
 */
export async function stopImpersonating(
  services: Services,
  current: Session,
  from: EventOrigin,
): Promise<SignIn> {
  const own = await ownSession(services, current);
  if (own === null) throw new AuthError("conflict");
  const { user, session } = own;
  const { generation } = session;
  const back = rotation(services, { user, current: session, generation, authTime: session.authTime, from });
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation },
    {
      kind: "session.delete",
      sessionId: current.id,
      ended: (ended) => ended.map(() => stoppedRow(services, current, user.id, from)),
    },
    ...back.writes,
  ]);
  assertCommitted(result);
  return { user, session: back.draft.session, change: carry(services, back.draft) };
}

// It goes on without a cookie; null where it has ended.
async function ownSession(
  services: Services,
  current: Session,
): Promise<{ readonly user: User; readonly session: Session } | null> {
  if (!isImpersonation(current) || current.rotatedFrom === null)
    throw refused("Nobody's place is taken here.");
  const found = await findSession(services, current.rotatedFrom);
  return found === null || found.user === null ? null : { user: found.user, session: found.session };
}

function refused(message: string): AuthError {
  return new AuthError("forbidden", { message });
}
