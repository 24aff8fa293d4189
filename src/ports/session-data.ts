import type { EventOrigin } from "../domain/event.ts";
import type { SessionChange } from "./change.ts";

/**
 * The data bag of a session, also for visitors who are not signed in. It says nothing about who somebody is: a
 * `user_id` written here signs nobody in.
 *
 * 4 KiB of JSON in all. A visitor's first `set` creates the session (never in a GET); it is carried over at sign-in, from
 * a visitor to a user, never from one user to another, and is gone at sign-out.
 */
export interface SessionData {
  /** Public id of the session, or null where there is none yet. */
  readonly id: string | null;
  /** For `seal`, where a `set` of this request created the session; else null. `protect` seals it by itself. */
  readonly change: SessionChange | null;
  /** The value as of the request's check, or undefined. */
  get(key: string): unknown;
  /**
   * Writes one key by compare-and-swap, so that parallel requests lose nothing of each other's.
   *
   * @throws AuthError `session_expired` - the session ended in the meantime and stays ended; `rate_limited`; `conflict`;
   * `payload_too_large` - more than 4 KiB in all
   * @throws TypeError for what JSON cannot hold, or a visitor's first write in a GET
   */
  set(key: string, value: unknown): Promise<void>;
  /** Removes one key. */
  delete(key: string): Promise<void>;
  /** Empties the bag; the session itself goes on. */
  clear(): Promise<void>;
}

/** The request that opens a bag. */
export interface Visit {
  readonly method: string;
  /** Where it comes from; asked only when a visitor's session is created. */
  readonly from: () => EventOrigin;
  /** Refuses a request of another site, whose form would leave its data in the visitor's bag. @throws AuthError `origin_rejected` */
  readonly assertOrigin: () => void;
}
