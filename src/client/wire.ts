import type { Permission, Role } from "../domain/user.ts";

/** A user as the server spells them. */
export interface ClientUser {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly name: string | null;
  readonly email_verified: boolean;
  readonly roles: readonly Role[];
  readonly permissions: readonly Permission[];
  readonly tier: { readonly id: string; readonly name: string } | null;
  readonly is_superuser: boolean;
  readonly locale: string | null;
  /** RFC 3339, as every time. */
  readonly created_at: string;
  readonly updated_at: string;
}

/** Answer of what signs in or gives a session a new id. */
export interface SignedInAnswer {
  readonly user: ClientUser;
  readonly csrf_token: string | null;
  readonly expires_at: string;
}

/** Answer of `GET /auth/session`. */
export interface SessionAnswer {
  readonly authenticated: boolean;
  readonly user: ClientUser | null;
}

/** Answer of `/auth/token` and `/auth/token/refresh`. @see RFC 6749, section 5.1 */
export interface TokenAnswer {
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
}

/** What somebody signs in with. */
export interface LoginInput {
  /** Address or username, in either field. */
  readonly email?: string;
  readonly username?: string;
  readonly password: string;
  /** A session that outlives the browser. Default false. */
  readonly remember?: boolean;
}

/** What somebody registers with. */
export interface RegisterInput {
  readonly email: string;
  readonly password: string;
  readonly username?: string;
  readonly name?: string;
  readonly remember?: boolean;
}

/** What of a profile can be changed; absent fields stay. */
export interface ProfileInput {
  readonly email?: string;
  readonly username?: string;
  readonly name?: string | null;
  /** BCP 47 language tag; null removes it. */
  readonly locale?: string | null;
}
