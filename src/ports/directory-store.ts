import type { AuditRow } from "../domain/audit.ts";
import type { PasswordCredential } from "../domain/credential.ts";
import type { Identifier } from "../domain/identifier.ts";
import type { User } from "../domain/user.ts";
import type { Awaitable, Committed, Port, StoreCall, Write } from "./store.ts";

/** A user together with their password, or without one where they sign in by other means. */
export interface UserWithPassword {
  readonly user: User;
  readonly password: PasswordCredential | null;
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
