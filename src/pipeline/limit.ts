import { clientLimits } from "../domain/client-limits.ts";
import { AuthError } from "../errors.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";

/** Attempts per IP address (IPv6: per /64) in one window; its /24 (IPv6: /48) has twenty times as many. */
export interface RouteLimit {
  /** For the counter's key, events and messages: `register`. */
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Takes an attempt of the client's address. @throws AuthError `rate_limited` with `retryAfterSeconds` */
export async function takeFromLimit(
  { stores, events, keys, random, call }: Services,
  limit: RouteLimit,
  request: AuthRequest,
  client: ClientInfo,
): Promise<void> {
  const limits = clientLimits(limit, client.ip, (text) => keys.sign("identifier", text));
  const reserved = await stores.ephemeral.reserve(limits, call());
  if (reserved.ok) return;
  const { retryAfterSeconds } = reserved;
  const { name } = limits.find(({ key }) => key === reserved.key) ?? limit;
  const from = eventOrigin(request, withRequestId(client, random));
  const payload = { limit: name, retryAfterSeconds };
  events.report({ type: "rate_limit.hit", userId: null, sessionId: null, payload }, from);
  throw new AuthError("rate_limited", { retryAfterSeconds });
}
