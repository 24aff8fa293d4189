import type { EventOrigin } from "../domain/event.ts";
import { noOrigin } from "../domain/event.ts";
import type { Session } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import { findAccess, readAccess } from "../flows/tokens/find-access.ts";
import { type IssueOptions, issueTokens, reissueToken } from "../flows/tokens/issue-tokens.ts";
import type { IssuedTokens } from "../flows/tokens/mint-access-token.ts";
import { refreshTokens, startTokens } from "../flows/tokens/refresh-tokens.ts";
import { revokeToken } from "../flows/tokens/revoke-tokens.ts";
import { type RotatedKey, rotateSigningKey } from "../flows/tokens/rotate-signing-key.ts";
import type { TokenServices } from "../flows/tokens/token-services.ts";
import { accessClaims, accessTokenType } from "../jwt/access-claims.ts";
import type { Claims } from "../jwt/claims.ts";
import type { RingKey } from "../jwt/key-ring.ts";
import { fixedKeys, type KeySource, type OpenKeys } from "../jwt/key-source.ts";
import { type Jwk, secretVerifyingKey, type VerifyingKey } from "../jwt/keys.ts";
import { claimsUnverified, tokenReader } from "../jwt/token-reader.ts";
import type { Services } from "../ports/services.ts";
import type { Awaitable } from "../ports/store.ts";
import { accessToken } from "../strategies/access-token.ts";
import { headerToken, type TokenPlace } from "../strategies/header-token.ts";
import type { Feature } from "./feature.ts";

/** Settings of {@link tokens}. */
export interface TokensOptions extends TokenPlace {
  /** Lifetime of an access token in minutes, 1 to 10,080 (7 days); never past the end of its session. Default 15, or 60 without refresh tokens. */
  readonly expiresInMinutes?: number;
  /** Whether refresh tokens come along. Default true. */
  readonly refresh?: boolean;
  /** Lifetime of a session that tokens carry, in days, 1 to 400. Default 7. */
  readonly sessionDays?: number;
  /** `aud`. Default: the origin. */
  readonly audience?: string;
  /** Claims of every token. Names that are latchkey's (`sub`, `exp`, …) are refused. Default none. */
  readonly claims?: (user: User, session: Session) => Awaitable<Claims>;
  /** Whether to take a token that is otherwise good, asked at every use. Default: yes. */
  readonly validateClaims?: (claims: Claims, user: User) => Awaitable<boolean>;
  /**
   * Keys for ES256 or EdDSA, of which others can verify with the public halves: `signingKeyFile({ path })`, or private JWKs
   * with `alg` and `kid`, of which the first signs. Default: HS256 with a key derived from the secrets.
   */
  readonly keys?: KeySource | readonly Jwk[];
}

/** Access and refresh tokens. */
export interface Tokens {
  /** Issues tokens for a user, or for a session that they have. @throws AuthError `not_found`; TypeError for claims that are latchkey's */
  issue(userId: string, options?: IssueOptions): Promise<IssuedTokens>;
  /** What a token says, where it works now: signature, expiry, session, account, revocation. Null for any other. @throws AuthError `store_unavailable` */
  verify(token: string): Promise<Claims | null>;
  /** What a token says, verified by nobody: anybody can have written it. Null where it cannot be read. */
  decodeUnverified(token: string): Claims | null;
  /** What a token says, by signature, `typ`, `iss`, `aud` and `exp` alone: one that was revoked, or whose session or account ended, passes until it expires. Null for any other. */
  verifyOffline(token: string): Claims | null;
  /** Redeems a refresh token. @throws AuthError `token_invalid`, `token_reused`: then its session has ended */
  refresh(refreshToken: string, from?: EventOrigin): Promise<IssuedTokens>;
  /** Another access token for the session of one that works. @throws AuthError `not_authenticated` */
  reissue(sessionId: string, from?: EventOrigin): Promise<IssuedTokens>;
  /** Revokes an access or refresh token; one that works no more is no error. @throws AuthError `store_unavailable` @see RFC 7009 */
  revoke(token: string, from?: EventOrigin): Promise<void>;
  /** Lifetime of a session that tokens carry. */
  readonly sessionTtlSeconds: number;
  /** The public halves of the signing keys, those included that sign soon. Empty with HS256. @see RFC 7517 */
  publicKeys(): readonly Jwk[];
  /** The signing keys with their times, without the keys themselves. Empty with HS256. */
  signingKeys(): readonly SigningKeyInfo[];
  /** Brings in a new signing key; see the flow `rotateSigningKey`. @throws TypeError with HS256 or fixed keys */
  rotateSigningKey(options?: { readonly publishSeconds?: number }): Promise<RotatedKey>;
}

/** A signing key as an operator sees it. */
export interface SigningKeyInfo extends Omit<RingKey, "jwk"> {
  readonly keyId: string;
  readonly algorithm: string;
}

/** JWT access tokens that end with their session, and refresh tokens with reuse detection. */
export function tokens(options: TokensOptions = {}): Feature<Tokens> {
  return {
    name: "tokens",
    install(services) {
      const place = headerToken(options);
      const keys = openKeys(services, options.keys);
      const parts = withPlan(services, options, keys);
      const api = tokensOf(parts, keys);
      const { reader, accepts, refreshKeys } = parts.tokens;
      return {
        api,
        strategies: [accessToken(services, { token: place, reader, accepts, refreshKeys })],
        tokensFor: ({ session, user }, from) =>
          startTokens(parts, { session, user }, { from, hasRefresh: parts.tokens.hasRefresh }),
        routes: async (endpoints) => (await import("../endpoints/tokens.ts")).tokenRoutes(endpoints, api),
        close: async () => keys?.close(),
      };
    },
  };
}

function tokensOf(services: TokenServices, keys: OpenKeys | null): Tokens {
  const { clock, tokens: plan } = services;
  const now = (): number => clock.now().getTime();
  return {
    issue: (userId, options) => issueTokens(services, userId, options),
    async verify(token) {
      const reading = await readAccess(services, token);
      if (reading.kind !== "good") return null;
      return (await findAccess(services, reading.content, reading.claims)) === null ? null : reading.claims;
    },
    decodeUnverified: claimsUnverified,
    verifyOffline(token) {
      const reading = plan.reader.read(token, now());
      return reading.kind === "good" ? reading.claims : null;
    },
    refresh: (token, from = noOrigin) => refreshTokens(services, token, from),
    reissue: (sessionId, from = noOrigin) => reissueToken(services, { sessionId, from }),
    revoke: (token, from = noOrigin) => revokeToken(services, token, from),
    sessionTtlSeconds: plan.sessionTtlSeconds,
    publicKeys: () => keys?.ring().published(now()) ?? [],
    signingKeys: () =>
      (keys?.list() ?? []).map(({ jwk, ...times }) => ({
        keyId: jwk.kid ?? "",
        algorithm: jwk.alg ?? "",
        ...times,
      })),
    rotateSigningKey: (rotation) => rotateSigningKey(services, keys, rotation),
  };
}

function withPlan(services: Services, options: TokensOptions, keys: OpenKeys | null): TokenServices {
  const { config, clock } = services;
  const hasRefresh = options.refresh ?? true;
  const minutes = whole("expiresInMinutes", options.expiresInMinutes ?? (hasRefresh ? 15 : 60), 10_080);
  const days = whole("sessionDays", options.sessionDays ?? 7, 400);
  const audience = options.audience ?? config.origin;
  const now = (): number => clock.now().getTime();
  const secrets =
    keys === null ? services.keys.derived("access-token").map((key) => secretVerifyingKey(key)) : [];
  const rules = { issuer: config.origin, audience, type: accessTokenType };
  const verifying = keys === null ? () => secrets : () => keys.ring().verifying(now());
  return {
    ...services,
    tokens: {
      issuer: config.origin,
      audience,
      ttlSeconds: minutes * 60,
      sessionTtlSeconds: days * 86_400,
      hasRefresh,
      claims: options.claims ?? (() => ({})),
      accepts: options.validateClaims ?? null,
      signingKey: () => keys?.ring().signing(now()) ?? (secrets[0] as VerifyingKey),
      reader: tokenReader({ ...rules, keys: verifying, content: accessClaims }),
      refreshKeys: keys === null ? null : () => keys.refresh(),
    },
  };
}

function openKeys({ clock, config, log }: Services, keys: TokensOptions["keys"]): OpenKeys | null {
  if (keys === undefined) return null;
  const source = "open" in keys ? keys : fixedKeys(keys);
  try {
    return source.open({ now: () => clock.now(), mayCreate: !config.isProduction, log });
  } catch (error) {
    throw new TypeError(`tokens: keys: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function whole(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new TypeError(`tokens: ${name}: a whole number from 1 to ${most}`);
}
