import type { ApiKey, ApiKeyUsage } from "../domain/api-key.ts";
import type { AuditRow } from "../domain/audit.ts";
import type { PasswordCredential } from "../domain/credential.ts";
import type { Identifier } from "../domain/identifier.ts";
import type { LinkedAccount } from "../domain/linked-account.ts";
import type { User } from "../domain/user.ts";
import type { Awaitable, Committed, Port, StoreCall, Write } from "./store.ts";

/** A user together with their password, or without one where they sign in by other means. */
export interface UserWithPassword {
  readonly user: User;
  readonly password: PasswordCredential | null;
}

/** An API key together with its owner, read at one instant. */
export interface OwnedApiKey {
  readonly key: ApiKey;
  readonly user: User;
}

/** An account at a provider together with whom it is linked to, read at one instant. */
export interface OwnedLinkedAccount {
  readonly account: LinkedAccount;
  readonly user: User;
}

/** Uses of one API key that are to be added to what is on record. */
export interface ApiKeyUses {
  readonly keyId: string;
  readonly lastUsedAt: Date;
  readonly usage: readonly Omit<ApiKeyUsage, "keyId">[];
}

/** A user whose sessions live in another engine. */
export interface SessionOwner {
  readonly user: User;
  /** Those of the sessions asked about whose end is on record (`session.revoke`), in no order; at least as new as `user`. */
  readonly revoked: readonly Revocation[];
}

/** The end of a session, on record. */
export interface Revocation {
  readonly sessionId: string;
  /** The `now` of the transaction that put it on record. */
  readonly revokedAt: Date;
}

/** Accounts, credentials and the audit log. Losing it means that the accounts are gone. */
export interface DirectoryStore extends Port {
  /** The user, whatever their status; null where there is none. */
  user(userId: string, call: StoreCall): Awaitable<User | null>;
  /** The user and their password, read at one instant: a generation and a hash that belong together. */
  userWithPassword(
    by: Identifier | { readonly kind: "id"; readonly key: string },
    call: StoreCall,
  ): Awaitable<UserWithPassword | null>;
  /** An API key by its id, expired or not, whatever its owner's status; null for the unknown. One read. */
  apiKey(keyId: string, call: StoreCall): Awaitable<OwnedApiKey | null>;
  /** The API keys of a user, newest first. */
  apiKeys(userId: string, call: StoreCall): Awaitable<readonly ApiKey[]>;
  /** What is on record of a key's uses from the hour `from` on, oldest hour first, at most `limit` rows. */
  apiKeyUsage(
    query: { readonly keyId: string; readonly from: Date; readonly limit: number },
    call: StoreCall,
  ): Awaitable<readonly ApiKeyUsage[]>;
  /** Adds to the counts and moves `lastUsedAt` forward, never back; what a key was used for that is gone is dropped. All or none. */
  recordApiKeyUses(uses: readonly ApiKeyUses[], call: StoreCall): Promise<void>;
  /** The account of a provider by what the provider calls it; null where it is linked to nobody. */
  linkedAccount(
    by: { readonly issuer: string; readonly subject: string },
    call: StoreCall,
  ): Awaitable<OwnedLinkedAccount | null>;
  /** The linked accounts of a user, oldest first. */
  linkedAccounts(userId: string, call: StoreCall): Awaitable<readonly LinkedAccount[]>;
  /** A user whose sessions live in another engine, and which of these have ended; null where there is no such user. */
  sessionOwner(
    userId: string,
    sessionIds: readonly string[],
    call: StoreCall,
  ): Awaitable<SessionOwner | null>;
  /** Ids of sessions whose end went on record before `instant`, oldest first, at most `limit`. */
  revokedBefore(instant: Date, limit: number, call: StoreCall): Awaitable<readonly string[]>;
  /** Whether there is no user at all. */
  isEmpty(call: StoreCall): Awaitable<boolean>;
  /** Ids of users with status `deleted` whose `deletedAt` is before `instant`, oldest first, at most `limit`. */
  deletedBefore(instant: Date, limit: number, call: StoreCall): Awaitable<readonly string[]>;
  /** Audit rows of a user (or of everybody: null), newest first, at most `limit`. */
  auditRows(
    query: { readonly userId: string | null; readonly limit: number },
    call: StoreCall,
  ): Awaitable<readonly AuditRow[]>;
  /**
   * Runs the writes in order, all or none. After a resolved `ok`, a kill at any instant leaves all of it.
   * Session writes are taken only where the session store has the same engine.
   */
  commit(writes: readonly Write[], call: StoreCall): Promise<Committed>;
  /** The application changed this user by its own means: once it resolves, nothing cached of them is answered. */
  forget(userId: string, call: StoreCall): Awaitable<void>;
}
