import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { AccessClaims } from "../../jwt/access-claims.ts";
import type { Claims } from "../../jwt/claims.ts";
import type { VerifyingKey } from "../../jwt/keys.ts";
import type { RefreshKeys } from "../../jwt/read-by-current-keys.ts";
import type { TokenReader } from "../../jwt/token-reader.ts";
import type { Services } from "../../ports/services.ts";
import type { Awaitable } from "../../ports/store.ts";

/** What tokens are to be. */
export interface TokenPlan {
  readonly issuer: string;
  readonly audience: string;
  /** Lifetime of an access token. */
  readonly ttlSeconds: number;
  /** Lifetime of a session that tokens carry. */
  readonly sessionTtlSeconds: number;
  readonly hasRefresh: boolean;
  /** The application's claims of a token. */
  readonly claims: (user: User, session: Session) => Awaitable<Claims>;
  /** Whether the application takes the claims of a token that is otherwise good; null where it has no say. */
  readonly accepts: ((claims: Claims, user: User) => Awaitable<boolean>) | null;
  readonly signingKey: () => VerifyingKey;
  readonly reader: TokenReader<AccessClaims>;
  /** Null where the keys never change. */
  readonly refreshKeys: RefreshKeys | null;
}

/** What flows about access and refresh tokens work with. */
export interface TokenServices extends Services {
  readonly tokens: TokenPlan;
}
