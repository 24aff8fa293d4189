import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { StoreCall } from "../../ports/store.ts";

/** What waiting needs to know of a call. */
export type Caller = Pick<StoreCall, "signal">;

/** How long a call waits for a lock that another process holds. */
export interface Patience {
  /** Milliseconds from the call until it fails. */
  readonly limitMs: number;
  /** Milliseconds until the next try; with jitter, so that processes which met once do not meet again. */
  readonly pauseMs: () => number;
}

/** Whether SQLite answered that somebody else holds the lock: the one failure that passes by itself. */
export function isBusy(error: unknown): boolean {
  // The low byte is the result code, the rest says where it happened. @see https://sqlite.org/rescode.html#busy
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

/** One place in line for a call that found the database locked. */
interface Waiting {
  readonly giveUpAt: number;
  readonly signal: AbortSignal;
}

/** Where calls wait for a lock without holding up the event loop. */
export interface Line {
  /** Reads that need no turn: tried at once, later where the database is locked. */
  read<T>(work: () => T, call: Caller): T | Promise<T>;
  /**
   * Writes, in the order of their calls. Only the first in line tries for the lock, since each try blocks the event loop
   * for the length of `busy_timeout`.
   *
   * Fails once `limitMs` have passed, with the signal's reason once it is aborted; then nothing
   * was done, and nothing will be.
   */
  write<T>(work: () => T, call: Caller): Promise<T>;
  /** Resolves when nobody is in line any more. */
  empty(): Promise<void>;
}

/** An empty line. */
export function line({ limitMs, pauseMs }: Patience): Line {
  let last: Promise<unknown> | null = null;

  async function retry<T>(work: () => T, { giveUpAt, signal }: Waiting): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      // Asked before the try, not after: a long line whose time is up must not block the event loop once for each.
      if (performance.now() >= giveUpAt) throw new Error(`the database stayed locked for ${limitMs} ms`);
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      // Woken by an abort too; the reason is thrown above.
      await sleep(pauseMs(), undefined, { signal }).catch(noop);
    }
  }

  function enqueue<T>(work: () => T, before: Promise<unknown>, call: Caller): Promise<T> {
    // Asked for now: a signal that is first asked for later may never hear of an abort that came before.
    const waiting = { giveUpAt: performance.now() + limitMs, signal: call.signal };
    const turn = before.then(() => retry(work, waiting));
    // A long line lets other work in between when the lock is free at last.
    const settled = turn
      .then(noop, noop)
      .then(() => nextTurn())
      .then(() => {
        if (last === settled) last = null;
      });
    last = settled;
    return turn;
  }

  return {
    read(work, call) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw error;
        const waiting = { giveUpAt: performance.now() + limitMs, signal: call.signal };
        return sleep(pauseMs()).then(() => retry(work, waiting));
      }
    },
    async write(work, call) {
      if (last !== null) return enqueue(work, last, call);
      try {
        return work();
      } catch (error) {
        if (!isBusy(error)) throw error;
        return enqueue(work, sleep(pauseMs()), call);
      }
    },
    async empty() {
      while (last !== null) await last;
    },
  };
}

function noop(): void {}
