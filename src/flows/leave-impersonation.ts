import type { AuditRow } from "../domain/audit.ts";
import { type EventOrigin, noOrigin } from "../domain/event.ts";
import type { Session } from "../domain/session.ts";
import type { Services } from "../ports/services.ts";
import type { Write } from "../ports/store.ts";

/** What the browser's leaving of an impersonation ends: it, and the session that it was begun from, which nobody has a cookie for. */
export function leavingWrites(services: Services, current: Session, from: EventOrigin): Write[] {
  const { rotatedFrom } = current;
  const gone: Write = { kind: "session.delete", sessionId: current.id, ended: () => [] };
  if (rotatedFrom === null) return [gone];
  const own: Write = {
    kind: "session.delete",
    sessionId: rotatedFrom,
    ended: (ended) =>
      ended.flatMap(({ id: sessionId, userId }) => {
        if (userId === null) return [];
        const out = { type: "user.logged_out", userId, sessionId, payload: {} } as const;
        return [stoppedRow(services, current, userId, from), services.events.row(out, from)];
      }),
  };
  return [gone, own];
}

/** Says that an impersonation has stopped, without where the impersonator sits. */
export function stoppedRow(
  { events }: Services,
  { id: sessionId, userId }: Session,
  impersonatorId: string,
  { requestId }: Pick<EventOrigin, "requestId">,
): AuditRow {
  const event = {
    type: "user.impersonation_stopped" as const,
    userId,
    sessionId,
    payload: { impersonatorId },
  };
  return events.row(event, { ...noOrigin, requestId });
}
