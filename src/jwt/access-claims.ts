import { isImpersonation } from "../domain/impersonation.ts";
import type { Session } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import type { FoundSession } from "../ports/session-store.ts";
import { type Claims, expiryOf } from "./claims.ts";
import { own } from "./json-object.ts";

/** `typ` of our access tokens. @see RFC 9068, section 2.1 */
export const accessTokenType = "at+jwt";

/** What an access token of ours says, apart from the application's claims. */
export interface AccessClaims {
  /** `sub`. */
  readonly userId: string;
  /** `sid`. */
  readonly sessionId: string;
  /** `gen`: the user's generation when the session was started. */
  readonly generation: number;
  /** `jti`. */
  readonly tokenId: string;
  readonly expiresAt: Date;
}

/** Claims that are ours to write. */
const reserved = ["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "sid", "gen"];

/** Reads our claims; null where one is missing or of another type. */
export function accessClaims(claims: Claims): AccessClaims | null {
  const [userId, sessionId, tokenId] = ["sub", "sid", "jti"].map((name) => own(claims, name));
  const generation = own(claims, "gen");
  const expirySeconds = expiryOf(claims);
  if (typeof userId !== "string" || typeof sessionId !== "string" || typeof tokenId !== "string") return null;
  if (!Number.isSafeInteger(generation) || expirySeconds === null) return null;
  const expiresAt = new Date(expirySeconds * 1000);
  return { userId, sessionId, tokenId, generation: generation as number, expiresAt };
}

/** @throws TypeError where the application's claims have a name that is ours */
export function assertOwnClaims(claims: Claims): void {
  const taken = reserved.filter((name) => Object.hasOwn(claims, name));
  if (taken.length > 0) throw new TypeError(`claims: ${taken.join(", ")} are written by latchkey`);
}

/** A session that a token stands for, with its owner as of now. */
export interface LiveAccess {
  readonly session: Session;
  readonly user: User;
}

/**
 * The session and user behind a token, or why it is refused: asked at every use, so that ending a session, disabling an
 * account, moving the generation and revoking the token each end it at once.
 */
export function liveAccess(claims: AccessClaims, found: FoundSession | null): LiveAccess | string {
  if (found === null || found.expired) return "its session has ended";
  const { session, user } = found;
  if (user === null || user.id !== claims.userId) return "its session is another user's";
  if (user.status !== "active") return "the account is not active";
  if (isImpersonation(session)) return "somebody acts in the user's place";
  if (user.generation !== claims.generation || session.generation !== claims.generation) {
    return "it is of another generation";
  }
  const isRevoked = user.revokedTokens.some(({ tokenId }) => tokenId === claims.tokenId);
  return isRevoked ? "it was revoked" : { session, user };
}
