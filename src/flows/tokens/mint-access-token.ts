import { randomBase62 } from "../../domain/random.ts";
import type { User } from "../../domain/user.ts";
import { accessTokenType, assertOwnClaims, type LiveAccess } from "../../jwt/access-claims.ts";
import type { Claims } from "../../jwt/claims.ts";
import { signToken } from "../../jwt/sign-token.ts";
import type { TokenServices } from "./token-services.ts";

/** An access token. */
export interface AccessToken {
  readonly accessToken: string;
  /** Its `jti`. */
  readonly tokenId: string;
  /** Whole seconds that it works. */
  readonly expiresInSeconds: number;
}

/** Tokens as their caller gets them. They are answered once and never stored. */
export interface IssuedTokens extends AccessToken {
  /** Null where there is none. */
  readonly refreshToken: string | null;
  /** Public id of the session behind them: ending it ends them. */
  readonly sessionId: string;
  readonly user: User;
}

/**
 * Makes an access token of a session. It never outlives its session: who verifies offline sees no more than `exp`.
 *
 * @param claims - the application's, beside those of `tokens({ claims })`
 * @throws TypeError - a claim has a name that is latchkey's, or there are too many
 * @see RFC 9068, section 2.2
 */
export async function mintAccessToken(
  { tokens, clock, random }: TokenServices,
  { user, session }: LiveAccess,
  claims: Claims = {},
): Promise<AccessToken> {
  const own = { ...(await tokens.claims(user, session)), ...claims };
  assertOwnClaims(own);
  const issuedAt = Math.floor(clock.now().getTime() / 1000);
  const expiresAt = Math.min(issuedAt + tokens.ttlSeconds, Math.floor(session.expiresAt.getTime() / 1000));
  const tokenId = randomBase62(22, (length) => random.bytes(length));
  const ours = {
    iss: tokens.issuer,
    aud: tokens.audience,
    sub: user.id,
    iat: issuedAt,
    exp: expiresAt,
    jti: tokenId,
    sid: session.id,
    gen: session.generation,
  };
  const accessToken = signToken(accessTokenType, { ...own, ...ours }, tokens.signingKey());
  return { accessToken, tokenId, expiresInSeconds: expiresAt - issuedAt };
}
