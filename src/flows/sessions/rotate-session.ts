import type { EventOrigin } from "../../domain/event.ts";
import { isTokenSession, type Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { type DraftSession, draftSession, limitOf, type TokenSession } from "../sign-in/start-session.ts";

/** What a rotation is to change besides id and secret. */
export interface Rotation {
  readonly user: User;
  readonly current: Session;
  /** Generation of the new session. */
  readonly generation: number;
  readonly authTime: Date | null;
  readonly from: EventOrigin;
}

/**
 * A new id and secret for the browser that raised its own privilege; the old one dies in the same transaction. Data, absolute
 * limit and "remember me" stay.
 *
 * @see OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change"
 */
export function rotation(
  services: Services,
  { user, current, generation, authTime, from }: Rotation,
): { draft: DraftSession; writes: Write[] } {
  const draft = draftSession(services, {
    user,
    generation,
    amr: current.amr,
    authTime,
    isRemembered: current.isRemembered,
    from,
    replaces: current,
    expiresAt: current.expiresAt,
    data: current.data,
    ...(isTokenSession(current) && { tokenSession: whole(current) }),
  });
  const event = {
    type: "session.rotated" as const,
    userId: user.id,
    sessionId: draft.session.id,
    payload: { rotatedFrom: current.id },
  };
  return {
    draft,
    writes: [
      {
        kind: "session.rotate",
        from: current.id,
        session: draft.session,
        limit: limitOf(services, user.id, from),
      },
      { kind: "audit.insert", row: services.events.row(event, from) },
    ],
  };
}

// Its idle limit is its absolute one, however much of it is left.
function whole({ createdAt, expiresAt }: Session): TokenSession {
  return { ttlSeconds: (expiresAt.getTime() - createdAt.getTime()) / 1000 };
}
