import type { Clock } from "../ports/clock.ts";

/** A clock that moves only when it is told to. */
export interface TestClock extends Clock {
  /** Moves the clock forward; fractions of a second count. */
  advance(seconds: number): void;
  /** What {@link Clock.sleep} was asked for, in milliseconds, oldest first. */
  readonly sleeps: readonly number[];
}

/**
 * A clock for tests, standing at `start` (default 2026-01-01T00:00:00Z).
 *
 * `sleep` resolves at once, is noted in `sleeps` and does not move the clock: a test never waits, and sees what would have
 * been waited for.
 */
export function testClock(start: Date = new Date("2026-01-01T00:00:00Z")): TestClock {
  let nowMs = start.getTime();
  const sleeps: number[] = [];
  return {
    sleeps,
    now: () => new Date(nowMs),
    advance(seconds) {
      nowMs += seconds * 1000;
    },
    async sleep(ms) {
      sleeps.push(ms);
    },
  };
}
