import type { RefreshFamily } from "../domain/refresh-family.ts";
import type { Session, SessionBag } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import type { Touch } from "./session-store.ts";
import type { Awaitable, Port, StoreCall } from "./store.ts";

/**
 * Sessions in an engine of their own, beside a directory in another. `split()` of `stores/split.ts` makes the three ports of
 * an `Auth` from the two.
 *
 * The directory decides: it puts the end of a session on record before the session is deleted here, and a user's generation
 * is its word alone. So every verb here is one atomic step about one user (or one visitor) and none decides who may do it.
 * Rows are answered as they are, expired ones too, as long as they are there: an engine that lets rows expire by itself keeps
 * them for {@link expiredKeepSeconds} past their end. Times are compared with the call's `now` and never with a clock of the engine's.
 */
export interface DetachedSessions extends Port {
  /** What the engine remembers of users; null where every check has to read the owner from the directory. */
  readonly owners: OwnerRecords | null;
  /** One read for all ids (at most 3), each answered at its position; null for the unknown. Writes nothing. */
  find(ids: readonly string[], call: StoreCall): Awaitable<readonly (DetachedSession | null)[]>;
  /** Every session of a user that is there, expired ones and ones of other generations too, in no order. */
  list(owner: OwnerKey, call: StoreCall): Awaitable<readonly Session[]>;
  /**
   * Adds a session. Where its user then has more than `cap` live ones (unexpired, of this session's generation; 0 = no
   * limit), the least recently used others are deleted and answered, least recent first. Holds under concurrency. An engine may
   * have a bound of its own, of a thousand or so.
   */
  insert(session: Session, cap: number, call: StoreCall): Promise<readonly Session[]>;
  /** Deletes sessions and answers those that were there, as they were: of concurrent calls one gets each. */
  take(ids: readonly string[], call: StoreCall): Promise<readonly Session[]>;
  /** Replaces the data bag. False unless the session is there, unexpired and has this data version. Brings nothing back. */
  setData(write: DataWrite, call: StoreCall): Promise<boolean>;
  /** Puts the next refresh token in the place of the one before, and moves `lastUsedAt` forward to when that was. False unless the session is there, unexpired, and its token has the number `from`. */
  refresh(write: RefreshWrite, call: StoreCall): Promise<boolean>;
  /** Moves `lastUsedAt` and `idleExpiresAt` forward, never back; a session that is gone or expired stays so. */
  touch(touches: readonly Touch[], call: StoreCall): Promise<void>;
  /** At most `limit` expired sessions; none where the engine deletes them by itself. Deletes nothing. */
  expired(limit: number, call: StoreCall): Promise<readonly Session[]>;
}

/** How long an engine that deletes expired sessions by itself keeps them past their end. */
export const expiredKeepSeconds = 3_600;

/** Where a user's sessions lie: a cluster keeps all with one slot tag in one place. */
export interface OwnerKey {
  readonly userId: string;
  /** The first characters of every session id of the user. */
  readonly slotTag: string;
}

/** A new data bag for a session. */
export interface DataWrite {
  readonly sessionId: string;
  readonly dataVersion: number;
  readonly data: SessionBag;
}

/** The next refresh token of a session. */
export interface RefreshWrite {
  readonly sessionId: string;
  /** Number of the token before; null where there is none. */
  readonly from: number | null;
  readonly family: RefreshFamily;
}

/** A session as it is in the engine. */
export interface DetachedSession {
  readonly session: Session;
  /** What the engine remembers of the owner, read in the same step; null where it may not answer for them, or for a visitor. */
  readonly owner: User | null;
  /** The engine's own clock at this read, in ms, for {@link OwnerRecords.publish}; 0 where it keeps no owner records. */
  readonly readAtMs: number;
}

/**
 * A copy of the user beside their sessions, so that a check is one read in one engine. It is an answer only while nothing can
 * have changed: a change of the user is *fenced* here, committed in the directory, and *published* here.
 *
 * An engine whose copies may be older than what it had acknowledged (a replica that took over) must not answer with a copy
 * that was published before.
 */
export interface OwnerRecords {
  /**
   * Deletes the copy, and lets nobody publish one until this fence is lifted or {@link fenceSeconds} are over. Any number of
   * fences may stand at once; `fence` is the name of this one.
   */
  fence(owner: OwnerKey, fence: string, call: StoreCall): Promise<void>;
  /** Lifts a fence without a copy; absent is fine. */
  lift(owner: OwnerKey, fence: string, call: StoreCall): Promise<void>;
  /** Puts up a fence that nobody lifts where a copy of this user may be, for one who may be gone from the directory. */
  forget(userId: string, call: StoreCall): Promise<void>;
  /**
   * Lifts the fence, if any, and keeps a copy of `user` for {@link ownerSeconds}, unless another fence stands, a copy of a
   * higher `version` is there, or the reading is older than half of {@link fenceSeconds}.
   */
  publish(user: User, reading: OwnerReading, call: StoreCall): Promise<void>;
}

/** When and why a user was read from the directory. */
export interface OwnerReading {
  /** The fence that the reader put up, or null. */
  readonly fence: string | null;
  /** The engine's clock before the directory was read, in ms; null where the reader holds a fence. */
  readonly readAtMs: number | null;
}

/** How long a fence stands whose owner died: longer than any call to a store can take. */
export const fenceSeconds = 60;
/** How long a copy of a user is kept without being published again. */
export const ownerSeconds = 900;
