import { signedInAs } from "../domain/principal.ts";
import { AuthError } from "../errors.ts";
import { type AccessClaims, type LiveAccess, liveAccess } from "../jwt/access-claims.ts";
import type { Claims } from "../jwt/claims.ts";
import { type RefreshKeys, readByCurrentKeys } from "../jwt/read-by-current-keys.ts";
import type { Reading, TokenReader } from "../jwt/token-reader.ts";
import type { Services } from "../ports/services.ts";
import type { FoundSession } from "../ports/session-store.ts";
import type { Awaitable } from "../ports/store.ts";
import type { Outcome, Stakes, Strategy } from "../ports/strategy.ts";
import type { HeaderToken } from "./header-token.ts";
import { touch } from "./touch.ts";

/** What {@link accessToken} works with. */
export interface AccessTokenParts {
  readonly token: HeaderToken;
  readonly reader: TokenReader<AccessClaims>;
  /** Whether the application takes the claims; null where it has no say. */
  readonly accepts: ((claims: Claims, user: LiveAccess["user"]) => Awaitable<boolean>) | null;
  /** Null where the keys never change. */
  readonly refreshKeys: RefreshKeys | null;
}

const absent: Outcome = Object.freeze({ kind: "absent" });

/**
 * Recognises the access tokens that we issued. The signature is verified at the first sight of a token; expiry, session,
 * account, generation and revocation at every one: one read, none where sessions are in the process.
 *
 * @see RFC 6750, section 2.1; RFC 9068, section 4
 */
export function accessToken(services: Services, parts: AccessTokenParts): Strategy {
  const { reader } = parts;
  const now = (): number => services.clock.now().getTime();
  return {
    name: "jwt",
    ambient: false,
    challenge: "Bearer",
    authenticate(request, _client, stakes) {
      const token = parts.token(request);
      if (token === null) return absent;
      const reading = readByCurrentKeys(reader, parts.refreshKeys, token, now);
      return reading instanceof Promise
        ? reading.then((read) => judge(services, parts, read, stakes))
        : judge(services, parts, reading, stakes);
    },
  };
}

/** A proof that is no good. `why` is for the operator: the wire says the same of each. */
export function rejected(why: string): Outcome {
  const message = "The access token is unknown, expired or revoked.";
  return {
    kind: "rejected",
    error: new AuthError("token_invalid", { status: 401, message, diagnosis: why }),
  };
}

function judge(
  services: Services,
  parts: AccessTokenParts,
  reading: Reading<AccessClaims>,
  stakes: Stakes | undefined,
): Awaitable<Outcome> {
  if (reading.kind === "foreign") return absent;
  if (reading.kind === "bad") return rejected(reading.why);
  const { content, claims } = reading;
  const call = services.call();
  const found = services.stores.sessions.find(
    [content.sessionId],
    stakes?.readsThrough ? { ...call, readsThrough: true } : call,
  );
  const decide = ([answer = null]: readonly (FoundSession | null)[]): Awaitable<Outcome> => {
    const live = liveAccess(content, answer);
    if (typeof live === "string") return rejected(live);
    const taken = parts.accepts === null || parts.accepts(claims, live.user);
    if (typeof taken === "boolean") return taken ? accept(services, live) : refusedByApplication();
    return taken.then((isTaken) => (isTaken ? accept(services, live) : refusedByApplication()));
  };
  return found instanceof Promise ? found.then(decide) : decide(found);
}

function accept(services: Services, { session, user }: LiveAccess): Outcome {
  touch(services, session);
  const { id, amr, authTime, createdAt } = session;
  const proof = { via: "jwt", amr, authTime: authTime ?? createdAt, sessionId: id, scopes: null };
  return { kind: "accepted", session, principal: signedInAs(user, proof) };
}

function refusedByApplication(): Outcome {
  return rejected("the application refused its claims");
}
