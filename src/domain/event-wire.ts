import type { AuthEvent } from "./event.ts";

/** An event as it leaves this program: on webhooks and in exports. */
export interface WireEvent {
  readonly type: AuthEvent["type"];
  /** When it happened, RFC 3339. */
  readonly timestamp: string;
  readonly id: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  /** The event's payload, its names in snake_case. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** An event in the spelling of the wire. */
export function wireEvent(event: AuthEvent): WireEvent {
  return {
    type: event.type,
    timestamp: event.createdAt.toISOString(),
    id: event.id,
    user_id: event.userId,
    session_id: event.sessionId,
    ip: event.ip,
    user_agent: event.userAgent,
    request_id: event.requestId,
    data: Object.fromEntries(Object.entries(event.payload).map(([name, value]) => [snakeCase(name), value])),
  };
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
