import type { Awaitable, Port, StoreCall } from "./store.ts";

/** One counter that an attempt is taken from. */
export interface Limit {
  readonly key: string;
  /** Attempts allowed per window, at least 1. */
  readonly limit: number;
  /** The window begins with its first attempt. */
  readonly windowSeconds: number;
  /** Whether a reservation says what is left of it. Default false. */
  readonly tellsLeft?: boolean;
}

/** What a counter still gives. */
export interface Left {
  /** Attempts, at least 0. */
  readonly remaining: number;
  /** Whole seconds until the window ends, rounded up. */
  readonly resetSeconds: number;
}

/** What became of {@link EphemeralStore.reserve}. */
export type Reservation =
  /** `left`: of those limits that ask for it (`tellsLeft`), in their order, after this attempt; absent where none does. */
  | { readonly ok: true; readonly left?: readonly Left[] }
  /** `key` is the exhausted counter that frees last; nothing was taken from any counter. */
  | { readonly ok: false; readonly key: string; readonly retryAfterSeconds: number };

/** One-time tokens, counters and spent marks. Losing it means that a flow has to be tried again. */
export interface EphemeralStore extends Port {
  /** Stores `value` under `key`, replacing what was there. `ttlSeconds` at least 1. */
  put(key: string, value: string, ttlSeconds: number, call: StoreCall): Promise<void>;
  /** The value, or null. Spends nothing; nothing may be granted on it alone. */
  read(key: string, call: StoreCall): Awaitable<string | null>;
  /** Reads and deletes in one step: of any number of concurrent calls one gets the value, the others null. */
  take(key: string, call: StoreCall): Promise<string | null>;
  /** Marks `key`; true for exactly one of any number of concurrent calls until it expires. */
  add(key: string, ttlSeconds: number, call: StoreCall): Promise<boolean>;
  /** Forgets a key or a counter; absent is fine. */
  remove(keys: readonly string[], call: StoreCall): Promise<void>;
  /**
   * Takes one attempt from every counter, or from none where one is exhausted: never more than the limit, however many race.
   *
   * @throws TypeError where one counter is named twice; nothing was taken
   */
  reserve(limits: readonly Limit[], call: StoreCall): Promise<Reservation>;
  /** Gives one attempt back to each counter. One whose last attempt came back is forgotten: the next begins a new window. */
  refund(keys: readonly string[], call: StoreCall): Promise<void>;
  /** Deletes at most `limit` expired entries; returns how many. */
  sweep(limit: number, call: StoreCall): Promise<number>;
}
