import { isLoopback } from "../config/origin.ts";
import { accessTokenType } from "./access-claims.ts";
import type { Claims } from "./claims.ts";
import { own } from "./json-object.ts";
import { type FetchKeys, remoteKeys } from "./remote-keys.ts";
import { tokenReader } from "./token-reader.ts";

/** Whose tokens are verified, and for whom they are. */
export interface VerifierOptions {
  /** Exact `iss`: the origin of the Latchkey that issues them. */
  readonly issuer: string;
  /** Must be among `aud`. Default: the issuer, as Latchkey writes it unless it is told otherwise. */
  readonly audience?: string;
  /** Where its public keys are; https, or http on loopback. Default `<issuer>/.well-known/jwks.json`. */
  readonly jwksUrl?: string;
  /** `typ` of the header. Default `at+jwt`. */
  readonly type?: string;
  /** Default: the machine's clock. */
  readonly now?: () => Date;
  /** Default: the platform's `fetch`. */
  readonly fetch?: FetchKeys;
}

/** Verifies access tokens by public keys alone. */
export interface Verifier {
  /**
   * What a token says, by signature, `typ`, `iss`, `aud` and `exp`; null for any other text.
   *
   * It cannot see that a token was revoked, or that its session or account has ended: such a token passes until it expires.
   *
   * @throws Error where the keys cannot be had: that says nothing of the token, so answer 503 and not 401
   */
  verify(token: string): Promise<Claims | null>;
}

/**
 * Makes a verifier. Keys are fetched at the first token and remembered for ten minutes; a token that names another key has them
 * fetched again, at most every 30 s. While they cannot be fetched those of before go on for a day.
 *
 * @throws TypeError for an address that is not https
 * @see RFC 8725; RFC 9068, section 4
 */
export function verifier(options: VerifierOptions): Verifier {
  const { issuer, audience = issuer, type = accessTokenType } = options;
  const url = new URL(options.jwksUrl ?? `${issuer}/.well-known/jwks.json`);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new TypeError(`jwksUrl: ${url.href} is not https`);
  }
  const now = options.now ?? (() => new Date());
  const keys = remoteKeys({ url: url.href, nowMs: () => now().getTime(), fetch: options.fetch ?? fetch });
  const reader = tokenReader({
    issuer,
    audience,
    type,
    keys: keys.current,
    content: (claims) => (typeof own(claims, "sub") === "string" ? claims : null),
  });
  return {
    async verify(token) {
      await keys.ready();
      const reading = reader.read(token, now().getTime());
      if (reading.kind === "good") return reading.claims;
      if (reading.kind === "foreign" || !reading.isKeyUnknown) return null;
      await keys.again();
      const second = reader.read(token, now().getTime());
      return second.kind === "good" ? second.claims : null;
    },
  };
}
