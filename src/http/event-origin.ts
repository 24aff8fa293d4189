import type { EventOrigin } from "../domain/event.ts";
import type { Principal } from "../domain/principal.ts";
import { uuidv4 } from "../domain/random.ts";
import type { Random } from "../ports/clock.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";

/** Characters of a User-Agent header that are kept; longer ones are cut. */
const longestUserAgent = 512;

/** Where a request comes from, as events and sessions keep it. */
export function eventOrigin(request: AuthRequest, client: ClientInfo): EventOrigin {
  const userAgent =
    request.headers
      .get("user-agent")
      ?.slice(0, longestUserAgent)
      .replace(/[\p{Cc}\p{Cs}]/gu, "") || null;
  return { ip: client.ip, userAgent, requestId: client.requestId ?? null };
}

/**
 * The same for what happens to whoever a request acts as. Of somebody who acts in another's place neither address nor browser is kept: the
 * row is the other's, is shown to them, and outlives the erasure of the one who acts. Its session says who it was.
 */
export function originOf(
  principal: Principal,
  request: AuthRequest,
  client: ClientInfo,
  random: Random,
): EventOrigin {
  const from = eventOrigin(request, withRequestId(client, random));
  const isOwn = !principal.isAuthenticated || principal.impersonator == null;
  return isOwn ? from : { ...from, ip: null, userAgent: null };
}

/** The same client with a request id: its own where it is short and plain, else a fresh one. */
export function withRequestId(client: ClientInfo, random: Random): Required<ClientInfo> {
  const { ip, requestId } = client;
  if (requestId !== undefined && /^[\w.:-]{1,64}$/.test(requestId)) return { ip, requestId };
  return { ip, requestId: random.uuid?.() ?? uuidv4((length) => random.bytes(length)) };
}
