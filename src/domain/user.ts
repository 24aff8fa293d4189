import { emailKey } from "./identifier.ts";

/** Whether an account may be used: only `active` signs in; the others end every session at once. */
export type UserStatus = "active" | "disabled" | "deleted" | "anonymized";

/** The application's types, filled in by module augmentation: `declare module "latchkey" { interface Register { … } }`. */
// biome-ignore lint/suspicious/noEmptyInterface: applications augment it
export interface Register {}

/** The application's own field on a user: `Register["userData"]`, or any JSON object. */
export type UserData = Register extends { userData: infer T } ? T : Readonly<Record<string, unknown>>;

/** Permission strings, `resource:action`: `Register["permission"]`, or any string. */
export type Permission = Register extends { permission: infer T extends string } ? T : string;

/** Role names: `Register["role"]`, or any string. */
export type Role = Register extends { role: infer T extends string } ? T : string;

/** An account. */
export interface User {
  /** UUIDv7. */
  readonly id: string;
  /** Public name, lower case, 3 to 32 of `a-z 0-9 . _ -`; unique. */
  readonly username: string;
  /** As the person typed it, NFC; mail goes here. */
  readonly email: string;
  /** {@link emailKey} of `email`; unique. */
  readonly emailKey: string;
  readonly emailVerified: boolean;
  /** Display name, or null. */
  readonly name: string | null;
  readonly status: UserStatus;
  readonly roles: readonly Role[];
  readonly permissions: readonly Permission[];
  /** Name of the plan (`Tier.name`), or null. */
  readonly tier: string | null;
  readonly isSuperuser: boolean;
  /** Until they have chosen another password, this person may do nothing else. */
  readonly mustChangePassword: boolean;
  /** BCP 47 language tag, or null. */
  readonly locale: string | null;
  /** Proofs made under another generation are refused; revoke-all and password changes raise it. */
  readonly generation: number;
  /** Random tag that every session id of this user begins with, so that a cluster keeps them in one slot. */
  readonly slotTag: string;
  readonly data: UserData;
  /** Tokens of this user that were revoked before they expired, at most {@link mostRevokedTokens}. */
  readonly revokedTokens: readonly RevokedToken[];
  /** Counts writes of this row, for compare-and-swap. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When the account was deleted; after 30 days it is anonymised. Null while it lives. */
  readonly deletedAt: Date | null;
}

/** The fields of a user that a write may change; never assignable from input without a flow naming each one. */
export type UserChanges = Partial<
  Pick<
    User,
    | "username"
    | "email"
    | "emailKey"
    | "emailVerified"
    | "name"
    | "status"
    | "roles"
    | "permissions"
    | "tier"
    | "isSuperuser"
    | "mustChangePassword"
    | "locale"
    | "data"
    | "revokedTokens"
    | "deletedAt"
  >
>;

/** An access token that is refused though it has not expired; or the refresh tokens of a session that goes on without them. */
export interface RevokedToken {
  /** Its `jti`; of refresh tokens, what `revokedRefreshId` makes of them. */
  readonly tokenId: string;
  /** From here on it is refused anyway, and the entry may go. */
  readonly expiresAt: Date;
}

/** How many revoked tokens a user's row remembers; who revokes more ends the sessions that they belong to. */
export const mostRevokedTokens = 64;

/** The address that an anonymised account keeps in the unique column; `.invalid` receives no mail (RFC 2606). */
export function anonymousEmail(userId: string): string {
  return `${userId}@anonymized.invalid`;
}

/** The username that an anonymised account keeps: `x` and the id without dashes, shortened to what a username may hold. */
export function anonymousUsername(userId: string): string {
  return `x${userId.replaceAll("-", "").slice(1)}`;
}

/**
 * Somebody whom a strategy knows and the directory does not: an account of another system, for `signedInAs`. Active, without rights
 * but those that are given, as old as time itself. Flows that change an account do not find it.
 *
 * @param known - `id`: unique among all users, those of the directory included
 */
export function foreignUser(known: Pick<User, "id" | "username"> & Partial<User>): User {
  const { email = "" } = known;
  return {
    email,
    emailKey: emailKey(email),
    emailVerified: false,
    name: null,
    status: "active",
    roles: [],
    permissions: [],
    tier: null,
    isSuperuser: false,
    mustChangePassword: false,
    locale: null,
    generation: 1,
    slotTag: "",
    data: {} as UserData,
    revokedTokens: [],
    version: 1,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    deletedAt: null,
    ...known,
  };
}
