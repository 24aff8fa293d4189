import type { ApiKey, ApiKeyUsage } from "../domain/api-key.ts";
import type { AuditCheckpoint, AuditRow } from "../domain/audit.ts";
import type { PasswordCredential } from "../domain/credential.ts";
import type { EventType } from "../domain/event.ts";
import type { Identifier } from "../domain/identifier.ts";
import type { LinkedAccount } from "../domain/linked-account.ts";
import type { OutboxMail } from "../domain/outbox.ts";
import type { Tier } from "../domain/tier.ts";
import type { Role, User, UserStatus } from "../domain/user.ts";
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

/** Which accounts are asked for; null: whatever it is. */
export interface UserQuery {
  /** Beginning of the e-mail address or of the username, as their keys are compared; blanks alone: whatever it is. */
  readonly search: string | null;
  readonly status: UserStatus | null;
  readonly role: Role | null;
  readonly tier: string | null;
  readonly isSuperuser: boolean | null;
  /** `UserPage.next` of the page before; null for the first. What was never handed out gives the first page. */
  readonly after: string | null;
  /** At most 200. */
  readonly limit: number;
}

/** Some of the accounts that were asked for. */
export interface UserPage {
  readonly users: readonly User[];
  /** Where the next page begins, or null where this is the last. */
  readonly next: string | null;
}

/** Which audit rows are asked for; null: whatever it is. */
export interface AuditQuery {
  readonly userId: string | null;
  readonly types: readonly EventType[] | null;
  /** From this instant on. */
  readonly from: Date | null;
  /** Before this instant. */
  readonly to: Date | null;
  /** Only rows older than the row of this id, as the page before ended; none where there is no such row. */
  readonly before: string | null;
  readonly limit: number;
}

/** What {@link DirectoryStore.sealAudit} gave a position. */
export interface SealedRows {
  readonly fromSeq: number;
  readonly toSeq: number;
  /** That of the last one. */
  readonly chainHash: string;
}

/** How far somebody who follows the sealed log has come. */
export interface AuditCursor {
  readonly name: string;
  /** The `seq` that they last dealt with. */
  readonly seq: number;
}

/** Counts for administrators. */
export interface DirectoryStatistics {
  readonly users: Readonly<Record<UserStatus, number>>;
  readonly apiKeys: number;
  /** Audit rows by type and, where their payload has one, by its `reason`; in no order. */
  readonly events: readonly {
    readonly type: EventType;
    readonly reason: string | null;
    readonly count: number;
  }[];
}

/** Accounts, credentials, plans, the audit log, and mail that is to be sent. Losing it means that the accounts are gone. */
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
  /**
   * Accounts, the newest first; with `search` those whose username begins like it, by username, then those of whom only the
   * address does, by address. A page reads at most 10,000 accounts, so that its cost is bounded: it may be short, even empty,
   * while `next` says that there is more. Whoever is there all along is given once.
   */
  users(query: UserQuery, call: StoreCall): Awaitable<UserPage>;
  /** Every tier, by name. */
  tiers(call: StoreCall): Awaitable<readonly Tier[]>;
  /** Audit rows, newest first, at most `limit`. */
  auditRows(query: AuditQuery, call: StoreCall): Awaitable<readonly AuditRow[]>;
  /** Sealed audit rows whose `seq` is greater than `afterSeq`, in that order, at most `limit`. */
  sealedAudit(
    query: { readonly afterSeq: number; readonly limit: number },
    call: StoreCall,
  ): Awaitable<readonly AuditRow[]>;
  /**
   * Gives the oldest unsealed rows, at most `limit`, the next positions (from 1, without a gap) and their digests. `chain` is pure
   * and synchronous: it gets the row with its `seq` and the digest before it (null for the very first; that of the last row or
   * checkpoint after rows were dropped), and may be called again where the store runs the transaction again. Of several
   * who seal at once each row is sealed by one. Null where nothing was to be sealed.
   */
  sealAudit(
    sealing: {
      readonly limit: number;
      readonly chain: (row: AuditRow, previous: string | null) => string;
    },
    call: StoreCall,
  ): Promise<SealedRows | null>;
  /** The signed positions of the log, oldest first. */
  auditCheckpoints(call: StoreCall): Awaitable<readonly AuditCheckpoint[]>;
  /**
   * Drops sealed rows up to `throughSeq`, oldest first, at most `limit`, with their personal fields; returns how many. Nothing
   * past the newest checkpoint is ever dropped, nor what a cursor has not reached.
   */
  dropAudit(
    dropping: { readonly throughSeq: number; readonly limit: number },
    call: StoreCall,
  ): Promise<number>;
  /** How far somebody who follows the sealed log has come: the `seq` that they last dealt with; null where there is no such cursor. */
  cursor(name: string, call: StoreCall): Awaitable<number | null>;
  /** Everybody who follows the sealed log, in no order. */
  cursors(call: StoreCall): Awaitable<readonly AuditCursor[]>;
  /**
   * Takes mails whose `nextAttemptAt` has come, oldest first, at most `limit`: their `attempts` go up by one and `nextAttemptAt`
   * to `leasedUntil`, so that of several who claim at once each mail is answered to one, and to somebody again where that one dies.
   */
  claimMail(
    claim: { readonly limit: number; readonly leasedUntil: Date },
    call: StoreCall,
  ): Promise<readonly OutboxMail[]>;
  /** Deletes usage rows of API keys of hours before `instant`, at most `limit`; returns how many. */
  dropApiKeyUsage(instant: Date, limit: number, call: StoreCall): Promise<number>;
  /** How many accounts and API keys there are, and what happened from `from` on. Not for the way of a request. */
  statistics(from: Date, call: StoreCall): Awaitable<DirectoryStatistics>;
  /**
   * Runs the writes in order, all or none. After a resolved `ok`, a kill at any instant leaves all of it.
   * Session writes are taken only where the session store has the same engine.
   */
  commit(writes: readonly Write[], call: StoreCall): Promise<Committed>;
  /** The application changed this user by its own means: once it resolves, nothing cached of them is answered. */
  forget(userId: string, call: StoreCall): Awaitable<void>;
}
