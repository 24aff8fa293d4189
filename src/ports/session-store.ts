import type { Session } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import type { Awaitable, Port, Report, StoreCall } from "./store.ts";

/** What a session store says of an id. */
export type FoundSession =
  /** `user` is the owner as of now, whatever their status or generation; null for a visitor. An owner who is gone ends the session: null is answered in place of the pair. */
  | { readonly expired: false; readonly session: Session; readonly user: User | null }
  /** The row is still there, past its idle or absolute limit. */
  | { readonly expired: true; readonly id: string; readonly userId: string | null };

/** A use of a session that is to be remembered. */
export interface Touch {
  readonly sessionId: string;
  readonly usedAt: Date;
  readonly idleExpiresAt: Date;
}

/** Sessions. Losing it means that everybody signs in again. */
export interface SessionStore extends Port {
  /** One read for all ids (at most 3), each answered at its position; null for the unknown. Writes nothing. */
  find(ids: readonly string[], call: StoreCall): Awaitable<readonly (FoundSession | null)[]>;
  /** The unexpired sessions of a user of their current generation, most recently used first. */
  list(userId: string, call: StoreCall): Awaitable<readonly Session[]>;
  /** Moves `lastUsedAt` and `idleExpiresAt` forward, never back; a session that ended stays ended. */
  touch(touches: readonly Touch[], call: StoreCall): Promise<void>;
  /** How many sessions of users are unexpired, of whatever generation; null where the engine could only tell by reading them all. */
  count(call: StoreCall): Awaitable<number | null>;
  /** Deletes at most `limit` expired sessions, writing the rows of `ended` with them; it may be called for a part of them at a time. Returns those sessions. */
  sweep(limit: number, ended: Report, call: StoreCall): Promise<readonly Session[]>;
}
