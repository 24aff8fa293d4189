import type { EventOrigin } from "../../domain/event.ts";
import { isImpersonation } from "../../domain/impersonation.ts";
import { isTokenSession, type Session } from "../../domain/session.ts";
import type { SessionChange } from "../../ports/change.ts";
import type { Services } from "../../ports/services.ts";
import { leavingWrites } from "../leave-impersonation.ts";

/** What signing out gives: whether a session ended, and the cookie to clear in any case. */
export interface LoggedOut {
  readonly ended: boolean;
  readonly change: SessionChange;
}

/**
 * Ends a session. Its data goes with it.
 *
 * @param session - null where the browser carried none: then there is only the cookie to clear
 */
export async function logout(
  services: Services,
  session: Session | null,
  from: EventOrigin,
): Promise<LoggedOut> {
  const change = { session: "clear" } as const;
  if (session === null) return { ended: false, change };
  const { events } = services;
  if (services.sealedSessions !== null && !isTokenSession(session)) return noted(services, session, from);
  if (isImpersonation(session)) return { ended: await leave(services, session, from), change };
  const result = await services.commit([
    {
      kind: "session.delete",
      sessionId: session.id,
      ended: (ended) =>
        // A visitor was never signed in: their data goes without an event.
        ended
          .filter(isSignedIn)
          .map(({ id, userId }) =>
            events.row({ type: "user.logged_out", userId, sessionId: id, payload: {} }, from),
          ),
    },
  ]);
  return { ended: result.ok && result.ended.length > 0, change };
}

// Whoever sits there wants to be signed out: the session that they came from goes as well.
async function leave(services: Services, session: Session, from: EventOrigin): Promise<boolean> {
  const result = await services.commit(leavingWrites(services, session, from));
  return result.ok && result.ended.length > 0;
}

// No store knows of it, so there is nothing to end: a copy of the cookie works on.
async function noted(services: Services, { id, userId }: Session, from: EventOrigin): Promise<LoggedOut> {
  const event = { type: "user.logged_out", userId, sessionId: id, payload: {} } as const;
  await services.commit([{ kind: "audit.insert", row: services.events.row(event, from) }]);
  return { ended: false, change: { session: "clear" } };
}

function isSignedIn(session: Session): boolean {
  return session.userId !== null;
}
