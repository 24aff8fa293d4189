import type { EventOrigin } from "../../domain/event.ts";
import { isImpersonation } from "../../domain/impersonation.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { administrator } from "../acting.ts";
import { findSession } from "./find-session.ts";

/** What signing out of an impersonation ends: it, and the session that it was begun from. */
export async function leavingWrites(
  services: Services,
  current: Session,
  from: EventOrigin,
): Promise<readonly Write[]> {
  const { events } = services;
  const own = await ownSession(services, current);
  if (own === null) return [];
  const { user, session } = own;
  return [
    stopped(services, { current, impersonator: user, from }),
    {
      kind: "session.delete",
      sessionId: session.id,
      ended: (ended) =>
        ended.map(({ id: sessionId, userId }) =>
          events.row({ type: "user.logged_out", userId, sessionId, payload: {} }, from),
        ),
    },
  ];
}

/** The impersonator's own session, which goes on without a cookie; null where it has ended. @throws AuthError `forbidden` - nobody's place is taken */
export async function ownSession(
  services: Services,
  current: Session,
): Promise<{ readonly user: User; readonly session: Session } | null> {
  if (!isImpersonation(current) || current.rotatedFrom === null)
    throw new AuthError("forbidden", { message: "Nobody's place is taken here." });
  const found = await findSession(services, current.rotatedFrom);
  return found === null || found.user === null ? null : { user: found.user, session: found.session };
}

/** Ends an impersonation, and has it on record. */
export function stopped(
  { events }: Services,
  about: {
    readonly current: Session;
    readonly impersonator: User;
    readonly from: EventOrigin;
  },
): Write {
  const { current, impersonator, from } = about;
  const acting = administrator({ user: impersonator, sessionId: null, scopes: null }, from);
  const draft = {
    type: "user.impersonation_stopped" as const,
    userId: current.userId,
    sessionId: current.id,
    payload: { impersonatorId: impersonator.id },
  };
  return {
    kind: "session.delete",
    sessionId: current.id,
    ended: (ended) => ended.map(() => events.row(draft, acting.from)),
  };
}
