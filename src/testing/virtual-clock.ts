import { setTimeout as delay, setImmediate } from "node:timers/promises";
import type { CallOff, Clock, TimerOptions } from "../ports/clock.ts";

/** A clock whose time passes only in tests: all that Latchkey waits for, puts off or repeats happens by it. */
export interface VirtualClock extends Clock {
  after(ms: number, work: () => void): CallOff;
  /**
   * Resolves `ms` milliseconds later. Who sleeps moves the clock: once nothing else is left to do, time goes on to what is due
   * next, so that a test that awaits an answer gets it at once.
   *
   * @param signal - wakes it up, with the signal's reason
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Moves the clock forward, doing on the way what falls due, each at its time and in order: sweeps, retries, expiries.
   *
   * @param seconds - fractions count; 0 does what is due now
   * @throws TypeError for less than 0
   */
  advance(seconds: number): Promise<void>;
}

/** What is to be done at a time. */
interface Due {
  readonly atMs: number;
  readonly work: () => void;
  /** Whether it bounds something that is under way outside of the process, in a database say. */
  readonly isLimit: boolean;
}

/** Real milliseconds that something outside of the process has for its answer before time goes on. */
const patienceMs = 1_000;
const lookMs = 2;

const made = new WeakSet<object>();

/** Whether a clock is one of {@link virtualClock}: what is for tests alone works with no other. */
export function isVirtual(clock: object): boolean {
  return made.has(clock);
}

/**
 * A clock for `createAuth` in tests, standing at `start` (default 2026-01-01T00:00:00Z).
 *
 * Never for a server: a session on it expires when somebody says so.
 *
 * @param settle - awaited at the end of each `advance`. Default: nothing
 */
export function virtualClock(
  start: Date = new Date("2026-01-01T00:00:00Z"),
  settle: () => Promise<void> = async () => {},
): VirtualClock {
  let nowMs = start.getTime();
  let advancing = 0;
  let isDriven = false;
  const all = new Set<Due>();
  const sleeping = new Set<Due>();
  const waitedFor = new WeakSet<Due>();

  function add(ms: number, work: () => void, isLimit = false): Due {
    const due = { atMs: nowMs + Math.max(0, ms), work, isLimit };
    all.add(due);
    return due;
  }

  // A set keeps its order: of two at one time the older comes first.
  function next(): Due | null {
    let first: Due | null = null;
    for (const due of all) if (first === null || due.atMs < first.atMs) first = due;
    return first;
  }

  function perform(due: Due): void {
    all.delete(due);
    sleeping.delete(due);
    nowMs = Math.max(nowMs, due.atMs);
    due.work();
  }

  // Where somebody sleeps, what is bounded is waiting for this clock.
  const isOutside = (due: Due): boolean => due.isLimit && all.has(due) && sleeping.size === 0;

  // Once for each: what hangs is given up when its time has passed.
  async function answersFromOutside(): Promise<void> {
    for (const due of all) {
      if (waitedFor.has(due) || !isOutside(due)) continue;
      waitedFor.add(due);
      for (let spentMs = 0; spentMs < patienceMs && isOutside(due); spentMs += lookMs) await delay(lookMs);
    }
  }

  async function drive(): Promise<void> {
    isDriven = true;
    while (sleeping.size > 0) {
      await restOfTurn();
      const due = advancing > 0 ? null : next();
      if (due !== null && sleeping.size > 0) perform(due);
    }
    isDriven = false;
  }

  const clock: VirtualClock = {
    now: () => new Date(nowMs),
    after(ms, work, { holdsProcess }: TimerOptions = {}) {
      const due = add(ms, work, holdsProcess);
      return () => void all.delete(due);
    },
    sleep(ms, signal) {
      if (!(ms > 0)) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const due = add(ms, () => {
          signal?.removeEventListener("abort", wake);
          resolve();
        });
        const wake = (): void => {
          all.delete(due);
          sleeping.delete(due);
          reject(signal?.reason);
        };
        sleeping.add(due);
        if (signal?.aborted) wake();
        else signal?.addEventListener("abort", wake, { once: true });
        if (!isDriven) void drive();
      });
    },
    async advance(seconds) {
      if (!(seconds >= 0)) throw new TypeError("a clock goes forward only");
      advancing++;
      const endMs = nowMs + seconds * 1000;
      try {
        for (;;) {
          await restOfTurn();
          await answersFromOutside();
          const due = next();
          if (due === null || due.atMs > endMs) break;
          perform(due);
        }
        nowMs = Math.max(nowMs, endMs);
      } finally {
        advancing--;
      }
      await settle();
    },
  };
  made.add(clock);
  return clock;
}

// Several turns of the event loop: what answers without waiting for anything outside of the process has done so by then.
async function restOfTurn(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}
