import type { ApiKey } from "../../domain/api-key.ts";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import type { Tier } from "../../domain/tier.ts";
import type { User } from "../../domain/user.ts";

/** What another product knows of an account, in one shape for all of them. Null: it does not say. */
export interface ImportRecord {
  /** The account's id there; with source and address it says whether an earlier run has brought it. */
  readonly sourceId: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly username: string | null;
  readonly name: string | null;
  /** BCP 47 language tag. */
  readonly locale: string | null;
  /** Whether the account may be used. */
  readonly isActive: boolean;
  /** As that product stores it; null: the person has no password there. */
  readonly passwordHash: string | null;
  readonly createdAt: Date | null;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly isSuperuser: boolean;
  readonly linkedAccounts: readonly ImportedLink[];
}

/** An account at a provider by which the person signs in. */
export type ImportedLink = Pick<LinkedAccount, "provider" | "issuer" | "subject" | "email">;

/** An account with everything that belongs to it, as the directory holds it. */
export interface Account {
  readonly user: User;
  readonly password: PasswordCredential | null;
  readonly linkedAccounts: readonly LinkedAccount[];
  readonly apiKeys: readonly ApiKey[];
}

/** One piece of an import, in the order of its source. `row` counts from 1 and is for the report. */
export type ImportItem = { readonly row: number } & (
  | { readonly record: ImportRecord }
  /** An account of Latchkey itself: its ids, times and data stay; names, rights and hash are held to what those of a record are. */
  | { readonly account: Account }
  /** A plan of Latchkey itself; one of this name that is there already stays as it is. */
  | { readonly tier: Tier }
  /** What could not be read, and why, without a piece of it: it may be anything. */
  | { readonly unreadable: string }
);

/** Why a row was not imported, or what of it was not. */
export type ImportReason =
  | "unreadable"
  | "email_missing"
  | "email_invalid"
  | "email_taken"
  | "username_taken"
  | "password_hash_refused"
  | "linked_account_taken"
  | "tier_unknown"
  | "conflict"
  /** Imported; the name cannot be a username here, so the account was given another. */
  | "username_replaced"
  /** Imported without its display name, which is longer than 200 characters or holds control characters. */
  | "name_dropped"
  /** Imported without roles, permissions or plan, which were not asked for or cannot be any here. */
  | "rights_dropped"
  /** Imported as an ordinary account. */
  | "superuser_dropped";

/** A line of the report. */
export interface ImportNote {
  readonly row: number;
  /** Whether the account was imported all the same. */
  readonly isImported: boolean;
  readonly reason: ImportReason;
  /** For the operator; null where the reason says it all. */
  readonly detail: string | null;
  readonly sourceId: string | null;
  readonly email: string | null;
}
