import type { ApiKey, ApiKeyChanges } from "../domain/api-key.ts";
import type { AuditCheckpoint, AuditRow } from "../domain/audit.ts";
import type { PasswordCredential } from "../domain/credential.ts";
import type { LinkedAccount, LinkedAccountChanges } from "../domain/linked-account.ts";
import type { OutboxMail } from "../domain/outbox.ts";
import type { RefreshFamily } from "../domain/refresh-family.ts";
import type { Session, SessionBag } from "../domain/session.ts";
import type { Tier } from "../domain/tier.ts";
import type { User, UserChanges } from "../domain/user.ts";

/** A value, or a promise of it. An embedded store answers at once, which saves a check the trip through the job queue. */
export type Awaitable<T> = T | Promise<T>;

/** What every call to a store brings along. */
export interface StoreCall {
  /** The caller's clock; a store compares expiries with this and never reads a clock of its own. */
  readonly now: Date;
  /** Aborted when the caller gives up waiting. A store that can cancel its work does. */
  readonly signal: AbortSignal;
  /**
   * Set where a write or a fresh proof hangs on the answer: it comes from the database itself. Only `cached()` has answers that
   * it must then hold back; a store without a cache of bounded age has nothing to do.
   */
  readonly readsThrough?: boolean;
}

/** Identity of a database. Ports whose engines are the same object share one transaction and one joined read. */
export interface Engine {
  /** For messages: `memory`, `sqlite`. */
  readonly name: string;
}

/** What every port has. A method that throws says that the backend failed; everything else is an answer. */
export interface Port {
  readonly engine: Engine;
  /** Resolves when the backend answers. */
  ping(call: StoreCall): Promise<void>;
  /** Ends what the store opened. Idempotent. */
  close(): Promise<void>;
}

/** How many live sessions of a user a write leaves, and who is told of the others; 0 = no limit. */
export interface SessionLimit {
  readonly cap: number;
  readonly evicted: Report;
}

/**
 * Turns sessions that a write is about to end into the audit rows that belong into the same transaction. Pure, synchronous.
 * Called once for its write, with an empty list where nothing ended, so that "all sessions revoked" is on record at any count;
 * again where the store runs the whole transaction again, as a database may ask of it. The rows of the last time count.
 */
export type Report = (ended: readonly Session[]) => readonly AuditRow[];

/**
 * One step of a transaction. Steps are data, so that a store runs a list of them in one synchronous transaction and
 * nothing is awaited while it is open. Each step says what it relies on; where that does not hold, the whole list is undone.
 * Every step that changes a user counts `version` up by one and sets `updatedAt` to the call's `now`.
 */
export type Write =
  /** Fails `stale` unless the user is active and of this generation. Holds until the transaction ends. */
  | { readonly kind: "user.require"; readonly userId: string; readonly generation: number }
  /** Fails `email_taken` or `username_taken`. */
  | { readonly kind: "user.insert"; readonly user: User }
  /** Fails `conflict` unless the row has this version, `email_taken` or `username_taken` where the new values collide. */
  | {
      readonly kind: "user.update";
      readonly userId: string;
      readonly version: number;
      readonly changes: UserChanges;
    }
  /** `generation + 1`. Fails `stale` unless the user is of the generation `from`. */
  | { readonly kind: "user.advance"; readonly userId: string; readonly from: number }
  /** Fails `first_user_exists` unless the directory has no user at all. */
  | { readonly kind: "directory.require_empty" }
  /** Fails `last_superuser` where the user is the only active superuser. Holds until the transaction ends. */
  | { readonly kind: "directory.require_other_superuser"; readonly userId: string }
  /**
   * Removes what is personal, for good: status `anonymized`, no superuser, e-mail (then unverified), name, data, roles,
   * permissions, tier, locale and revoked tokens emptied, no password to change (`anonymousEmail` and `anonymousUsername` of `domain/user.ts` take the unique
   * columns), password credentials, linked accounts, API keys with their usage, mails that are to be sent to them, and the personal fields (value and salt) of the user's audit rows deleted. With `requires: "any"`
   * absent is fine; with `"deleted"` it fails `conflict` unless the user is there with that status: an account that was
   * restored between the caller's read and this transaction is not erased.
   */
  | { readonly kind: "user.erase"; readonly userId: string; readonly requires: "deleted" | "any" }
  /** Fails `conflict` where the user has a password already. */
  | { readonly kind: "password.insert"; readonly credential: PasswordCredential }
  /** Fails `conflict` unless the credential has the version before this one (`credential.version - 1`). */
  | { readonly kind: "password.replace"; readonly credential: PasswordCredential }
  /** Fails `conflict` where a key of this id is there already. */
  | { readonly kind: "api_key.insert"; readonly key: ApiKey }
  /** `version + 1`, `updatedAt` = now. Fails `conflict` unless the user has a key of this id and version. */
  | {
      readonly kind: "api_key.update";
      readonly keyId: string;
      readonly userId: string;
      readonly version: number;
      readonly changes: ApiKeyChanges;
    }
  /** Deletes a key and its usage. Fails `conflict` unless the user has it: of two who delete it one succeeds. */
  | { readonly kind: "api_key.delete"; readonly keyId: string; readonly userId: string }
  /** Fails `conflict` where the account at the provider (`issuer`, `subject`) is linked already, to whomever. */
  | { readonly kind: "linked_account.insert"; readonly account: LinkedAccount }
  /** `version + 1`, `updatedAt` = now. Fails `conflict` unless the row is there with this version. */
  | {
      readonly kind: "linked_account.update";
      readonly accountId: string;
      readonly version: number;
      readonly changes: LinkedAccountChanges;
    }
  /** Fails `conflict` unless the user has it, `last_credential` where they would have neither a password nor another one. Holds under concurrency. */
  | { readonly kind: "linked_account.delete"; readonly accountId: string; readonly userId: string }
  /**
   * Adds a session. Where the user then has more than `cap` live ones (unexpired, of the user's generation; 0 = no limit),
   * the least recently used others end and are passed to `evicted`. Holds under concurrency.
   */
  | {
      readonly kind: "session.insert";
      readonly session: Session;
      readonly cap: number;
      readonly evicted: Report;
    }
  /**
   * A sign-in in a browser that carries a session: ends `replaces` (an expired row too; absent is fine), then adds `session`
   * as `session.insert` does, so that the ended one neither counts towards the cap nor is evicted. Where the ended one was
   * unexpired, and a visitor's or of the same user, the new one takes its data bag as it is inside the transaction: what was
   * acknowledged since the caller read it is kept. Otherwise the new one has `session.data`; another user's bag is never
   * taken. `dataVersion` is as given either way.
   */
  | {
      readonly kind: "session.replace";
      readonly replaces: string;
      readonly ended: Report;
      readonly session: Session;
      readonly cap: number;
      readonly evicted: Report;
    }
  /**
   * Puts `session` in the place of `from`. It takes the data bag of `from` as it is inside the transaction: `session.data` is
   * ignored, so that nothing acknowledged since the caller's read is lost; `dataVersion` is as given. So is `refresh`: refresh tokens
   * name their session, so that those of `from` end with it, one that was answered a moment ago too. Fails `conflict` unless
   * `from` is there, unexpired, and a visitor's or of the same user.
   *
   * `limit` is as with `session.insert`, for stores that take the one and add the other in two steps: what a sign-in in between adds is
   * then one too many. In one step the number of sessions stays as it is. Default: no limit.
   */
  | {
      readonly kind: "session.rotate";
      readonly from: string;
      readonly session: Session;
      readonly limit?: SessionLimit;
    }
  /** Ends one session, an expired row too; absent is fine. With `userId`, only if it is theirs. */
  | {
      readonly kind: "session.delete";
      readonly sessionId: string;
      readonly userId?: string;
      readonly ended: Report;
    }
  /** Ends every session of the user but `except`, expired rows too: `isExpired` tells them apart in the report. */
  | {
      readonly kind: "session.delete_all";
      readonly userId: string;
      readonly except: string | null;
      readonly ended: Report;
    }
  /** Replaces the data bag. Fails `conflict` unless the session is there, unexpired and has this data version. */
  | {
      readonly kind: "session.set_data";
      readonly sessionId: string;
      readonly dataVersion: number;
      readonly data: SessionBag;
    }
  /**
   * Puts the next refresh token in the place of the one numbered `from` (null: the session has none yet), and moves
   * `lastUsedAt` to `family.refreshedAt`. Fails `conflict` unless the session is there, unexpired, and its token has that number.
   */
  | {
      readonly kind: "session.refresh";
      readonly sessionId: string;
      readonly from: number | null;
      readonly family: RefreshFamily;
    }
  /**
   * For sessions that live in another engine than the directory: puts their end on record. Those on record already are left
   * out, the rest are passed to `ended`: of two transactions that end one session, one reports it. With `requires: "all"` it
   * fails `conflict` where one was on record already. @see ports/detached-sessions.ts
   */
  | {
      readonly kind: "session.revoke";
      readonly sessions: readonly Session[];
      readonly requires: "all" | "any";
      readonly ended: Report;
    }
  /** Drops the records of `session.revoke`; absent is fine. */
  | { readonly kind: "revocation.forget"; readonly sessionIds: readonly string[] }
  | { readonly kind: "audit.insert"; readonly row: AuditRow }
  /** Fails `conflict` unless the row of this `seq` has this digest, or where there is a checkpoint at or past it. */
  | { readonly kind: "audit.checkpoint"; readonly checkpoint: AuditCheckpoint }
  /** Moves a cursor on. Fails `conflict` unless it stands at `from` (null: there is none yet). */
  | { readonly kind: "cursor.move"; readonly name: string; readonly from: number | null; readonly to: number }
  /** Deletes a cursor, so that it holds nothing back; absent is fine. */
  | { readonly kind: "cursor.delete"; readonly name: string }
  /** Fails `conflict` where there is a tier of this name or id. */
  | { readonly kind: "tier.insert"; readonly tier: Tier }
  /** `version + 1`, `updatedAt` = now. Fails `conflict` unless there is a tier of this name and version. */
  | {
      readonly kind: "tier.update";
      readonly name: string;
      readonly version: number;
      readonly limits: Tier["limits"];
    }
  /** Fails `conflict` unless there is such a tier, `tier_in_use` where a user is in it. Holds under concurrency with `tier.require`. */
  | { readonly kind: "tier.delete"; readonly name: string }
  /** Fails `conflict` unless there is such a tier. Holds until the transaction ends. */
  | { readonly kind: "tier.require"; readonly name: string }
  | { readonly kind: "mail.insert"; readonly mail: OutboxMail }
  /** It was sent, or never can be; absent is fine. */
  | { readonly kind: "mail.delete"; readonly mailId: string };

/** Why a transaction was refused; nothing of it was done. */
export type Refusal =
  | "stale"
  | "conflict"
  | "email_taken"
  | "username_taken"
  | "first_user_exists"
  | "last_superuser"
  | "last_credential"
  | "tier_in_use"
  /** By `repositories` alone: the application's own tables have no way to take it. */
  | "unsupported";

/** What became of a transaction. */
export type Committed =
  | {
      readonly ok: true;
      /** The sessions that it ended, in the order of the writes (a rotated-away one is not among them). */
      readonly ended: readonly Session[];
      /** The rows that reports added, in order. */
      readonly reported: readonly AuditRow[];
    }
  | { readonly ok: false; readonly refused: Refusal };
