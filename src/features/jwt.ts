import { ownProofs } from "../domain/principal.ts";
import type { User } from "../domain/user.ts";
import type { Algorithm } from "../jwt/algorithms.ts";
import type { Claims } from "../jwt/claims.ts";
import { own } from "../jwt/json-object.ts";
import { type Jwk, secretVerifyingKey, type VerifyingKey, verifyingKeys } from "../jwt/keys.ts";
import { tokenReader } from "../jwt/token-reader.ts";
import type { Awaitable } from "../ports/store.ts";
import { headerToken, type TokenPlace } from "../strategies/header-token.ts";
import { issuedElsewhere } from "../strategies/issued-elsewhere.ts";
import type { Feature } from "./feature.ts";

/** Settings of {@link jwt}. */
export interface JwtOptions extends TokenPlace {
  /** Becomes `Principal.via`, and the feature's name. Default `jwt`. */
  readonly name?: string;
  /** A secret of at least 32 bytes, for HS256. */
  readonly key?: string | Uint8Array;
  /** Or keys as JSON: public ones, or secrets. Their algorithm is `alg`, or the only one that fits. */
  readonly keys?: readonly Jwk[];
  /** Algorithm of keys that do not say theirs, where several fit (RSA, secrets). */
  readonly algorithm?: Algorithm;
  /** The claim that holds our user's id; a number counts as its digits. Default `sub`. */
  readonly userIdClaim?: string;
  /** Exact `iss`. Default: any. */
  readonly issuer?: string;
  /** Must be among `aud`. Default: a token that names an audience is refused. */
  readonly audience?: string;
  /** `typ` of the header. Default: any. */
  readonly type?: string;
  /**
   * Whether a proxy puts the token on every request by itself, so that another site's form brings it, too. Then unsafe methods
   * need their origin and the CSRF token of `GET /auth/csrf`. Default false.
   */
  readonly isAmbient?: boolean;
  /** Whether to take a token that is otherwise good, asked at every use. Default: yes. */
  readonly validateClaims?: (claims: Claims, user: User) => Awaitable<boolean>;
}

/** Reads the tokens of {@link jwt}. */
export interface JwtReader {
  /** What a token says, by its signature and claims alone; null for one that is bad, or for somebody else to judge. */
  verify(token: string): Claims | null;
}

/**
 * Accepts tokens that another program issues for our users: verified by its key, then the user is looked up. They end by
 * `exp`, which they need, and with the account; nothing else revokes them.
 *
 * Of several the first claims a token whose header, prefix, `typ` and `iss` fit, so one without `type` and `issuer` is listed
 * last, after `tokens()` too.
 *
 * @throws TypeError where there is no key, both kinds of it, or one that cannot be used; for a name that is another proof's
 */
export function jwt(options: JwtOptions): Feature<JwtReader> {
  const { name = "jwt", userIdClaim = "sub", issuer = null, audience = null, type = null } = options;
  const { isAmbient = false } = options;
  if (ownProofs.includes(name))
    throw new TypeError(`jwt: name: ${name} is what proofs of another kind are called`);
  const keys = keysOf(options);
  const token = headerToken(options);
  return {
    name,
    install(services) {
      const content = (claims: Claims): string | null => userIdOf(own(claims, userIdClaim));
      const reader = tokenReader({ issuer, audience, type, keys: () => keys, content });
      const accepts = options.validateClaims ?? null;
      return {
        api: {
          verify(text) {
            const reading = reader.read(text, services.clock.now().getTime());
            return reading.kind === "good" ? reading.claims : null;
          },
        },
        strategies: [issuedElsewhere(services, { name, token, isAmbient, reader, accepts })],
      };
    },
  };
}

function keysOf({ key, keys, algorithm }: JwtOptions): readonly VerifyingKey[] {
  if ((key === undefined) === (keys === undefined))
    throw new TypeError("jwt: either `key` or `keys` is needed");
  return key === undefined
    ? verifyingKeys(keys ?? [], algorithm === undefined ? {} : { algorithm })
    : [secretVerifyingKey(key, algorithm)];
}

function userIdOf(value: unknown): string | null {
  if (typeof value === "string" && value !== "" && value.length <= 64) return value;
  return Number.isSafeInteger(value) ? String(value) : null;
}
