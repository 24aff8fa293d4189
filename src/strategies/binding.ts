import type { EventPayloads } from "../domain/event.ts";
import { ipForLimits } from "../domain/ip.ts";
import type { Session } from "../domain/session.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";

/** Whether a session may be used from where a request comes from; a refusal is told as `session.refused`. */
export type IsBoundHere = (session: Session, request: AuthRequest, client: ClientInfo) => boolean;

/**
 * The configured binding of session cookies; null where there is none.
 *
 * @see OWASP Session Management Cheat Sheet, "Binding the Session ID to Other User Properties"
 */
export function sessionBinding({ config, events, random }: Services): IsBoundHere | null {
  const { binding } = config.session;
  if (binding === "off") return null;
  return (session, request, client) => {
    const from = eventOrigin(request, client);
    const reason = mismatch(session, from, binding === "ip+user-agent");
    if (reason === null) return true;
    const { id: sessionId, userId } = session;
    const { requestId } = withRequestId(client, random);
    events.report(
      { type: "session.refused", userId, sessionId, payload: { reason } },
      { ...from, requestId },
    );
    return false;
  };
}

// A session that was started without a request knows of no browser and no address.
function mismatch(
  session: Session,
  from: { readonly ip: string | null; readonly userAgent: string | null },
  comparesIp: boolean,
): EventPayloads["session.refused"]["reason"] | null {
  if (session.userAgent !== null && session.userAgent !== from.userAgent) return "user_agent";
  const isElsewhere = session.ip !== null && ipForLimits(session.ip) !== ipForLimits(from.ip);
  return comparesIp && isElsewhere ? "ip" : null;
}
