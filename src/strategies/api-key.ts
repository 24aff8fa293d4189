import type { ApiKey } from "../domain/api-key.ts";
import { looksLikeApiKey, parseApiKey } from "../domain/api-key-text.ts";
import type { EventPayloads } from "../domain/event.ts";
import { plainIp, withinNetworks } from "../domain/ip.ts";
import { signedInAs } from "../domain/principal.ts";
import { isSecretOf } from "../domain/session.ts";
import { AuthError } from "../errors.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import { namelessPath } from "../http/nameless-path.ts";
import { requestUrl } from "../http/next-path.ts";
import type { LimitState } from "../ports/change.ts";
import type { OwnedApiKey } from "../ports/directory-store.ts";
import type { Left, Limit } from "../ports/ephemeral-store.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { Awaitable } from "../ports/store.ts";
import type { Outcome, Strategy } from "../ports/strategy.ts";

/** What recognising API keys needs besides the services. */
export interface ApiKeyStrategyOptions {
  /** Of the keys that count here; one of another environment is refused before any look-up. */
  readonly environment: string;
  /** Name of the header that holds a key and nothing else. */
  readonly header: string;
  /** Is told of each use once it was answered. */
  readonly noteUse: (use: { readonly keyId: string; readonly path: string; readonly status: number }) => void;
}

type Refused = EventPayloads["api_key.refused"]["reason"];

const absent: Outcome = Object.freeze({ kind: "absent" });

/**
 * Recognises API keys, in a header of their own or as `Authorization: Bearer lk_…`. One read, and no write but for a key with
 * limits, each use of which is taken from its counters.
 *
 * Whatever is wrong with a key, the answer is the same; the event `api_key.refused` says which it was.
 *
 * @see RFC 6750, section 2.1; OWASP REST Security Cheat Sheet
 */
export function apiKey(
  services: Services,
  { environment, header, noteUse }: ApiKeyStrategyOptions,
): Strategy {
  const ownHeader = header.toLowerCase();
  const { basePath } = services.config;
  // One request is one use, however often it is asked who it is from.
  const counted = new WeakSet<object>();

  function judge(
    found: OwnedApiKey | null,
    secret: string,
    request: AuthRequest,
    client: ClientInfo,
  ): Awaitable<Outcome> {
    const reason = refusal(found, secret, client.ip, services.clock.now());
    if (reason !== null) return refuse(services, request, client, { reason, found });
    const { key, user } = found as OwnedApiKey;
    const { permissions: scopes, createdAt: authTime } = key;
    const proof = { via: "api-key", amr: [], authTime, sessionId: null, scopes };
    const accepted = { kind: "accepted", principal: signedInAs(user, proof) } as const;
    if (counted.has(request.of ?? request)) return accepted;
    const answered = (status: number): void =>
      noteUse({ keyId: key.id, path: namelessPath(requestUrl(request.url).pathname, basePath), status });
    const limits = limitsOf(key);
    if (limits.length > 0) return withinLimits(limits, { ...accepted, answered }, request, client);
    counted.add(request.of ?? request);
    return { ...accepted, answered };
  }

  async function withinLimits(
    limits: readonly Limit[],
    accepted: Extract<Outcome, { kind: "accepted" }>,
    request: AuthRequest,
    client: ClientInfo,
  ): Promise<Outcome> {
    const { stores, events, random, call } = services;
    const reserved = await stores.ephemeral.reserve(limits, call());
    if (reserved.ok) {
      // Only now: a use that was refused, or that nobody could count, is refused again when it is asked for again.
      counted.add(request.of ?? request);
      return { ...accepted, change: { limits: statesOf(limits, reserved.left ?? []) } };
    }
    const { retryAfterSeconds } = reserved;
    const payload = { limit: "api-key", retryAfterSeconds };
    const userId = accepted.principal.user.id;
    const from = eventOrigin(request, withRequestId(client, random));
    events.report({ type: "rate_limit.hit", userId, sessionId: null, payload }, from);
    const error = new AuthError("rate_limited", { retryAfterSeconds });
    accepted.answered?.(error.status);
    return { kind: "rejected", error };
  }

  return {
    name: "api-key",
    ambient: false,
    challenge: "Bearer",
    authenticate(request, client, stakes) {
      const text = presented(request, ownHeader);
      if (text === null) return absent;
      const parsed = parseApiKey(text);
      if (parsed === null) return refuse(services, request, client, { reason: "malformed", found: null });
      if (parsed.environment !== environment)
        return refuse(services, request, client, { reason: "environment", found: null });
      const call = stakes?.readsThrough ? { ...services.call(), readsThrough: true } : services.call();
      const found = services.stores.directory.apiKey(parsed.id, call);
      return found instanceof Promise
        ? found.then((read) => judge(read, parsed.secret, request, client))
        : judge(found, parsed.secret, request, client);
    },
  };
}

// The header of its own holds nothing else, so whatever stands there is claimed; `Authorization` is shared.
function presented({ headers }: AuthRequest, header: string): string | null {
  const own = headers.get(header);
  if (own) return own;
  const shared = headers.get("authorization");
  if (!shared) return null;
  const [, token = ""] = /^bearer +([^ ]+)$/i.exec(shared) ?? [];
  return looksLikeApiKey(token) ? token : null;
}

// The secret first: who does not have it learns nothing of the key, not even by how long the answer takes.
function refusal(found: OwnedApiKey | null, secret: string, ip: string | null, now: Date): Refused | null {
  if (found === null) return "unknown";
  const { key, user } = found;
  if (!isSecretOf(key, secret)) return "secret";
  if (key.expiresAt !== null && key.expiresAt <= now) return "expired";
  if (user.status !== "active") return "owner";
  return mayComeFrom(key, ip) ? null : "address";
}

function mayComeFrom({ allowedIps }: ApiKey, ip: string | null): boolean {
  if (allowedIps.length === 0) return true;
  const address = ip === null ? null : plainIp(ip);
  return address !== null && withinNetworks(allowedIps)(address);
}

function limitsOf({ id, limits: { perMinute, perDay } }: ApiKey): readonly Limit[] {
  const limits: Limit[] = [];
  const tellsLeft = true;
  if (perMinute !== null)
    limits.push({ key: `limit:api-key:minute:${id}`, limit: perMinute, windowSeconds: 60, tellsLeft });
  if (perDay !== null)
    limits.push({ key: `limit:api-key:day:${id}`, limit: perDay, windowSeconds: 86_400, tellsLeft });
  return limits;
}

function statesOf(limits: readonly Limit[], left: readonly Left[]): readonly LimitState[] {
  return left.map((each, at) => {
    const { limit = 0, windowSeconds = 60 } = limits[at] ?? {};
    return { name: windowSeconds === 60 ? "key-minute" : "key-day", limit, windowSeconds, ...each };
  });
}

function refuse(
  { events, random }: Services,
  request: AuthRequest,
  client: ClientInfo,
  { reason, found }: { readonly reason: Refused; readonly found: OwnedApiKey | null },
): Outcome {
  const payload = { keyId: found?.key.id ?? null, reason };
  const from = eventOrigin(request, withRequestId(client, random));
  events.report({ type: "api_key.refused", userId: found?.user.id ?? null, sessionId: null, payload }, from);
  const message = "The API key cannot be used.";
  return {
    kind: "rejected",
    error: new AuthError("not_authenticated", { message, diagnosis: `API key: ${reason}` }),
  };
}
