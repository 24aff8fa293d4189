/** How long refusals take at least, learned from how long verifications take. */
export interface FailureFloor {
  /** Notes that a verification in this format took `durationMs` of its thread. */
  record(format: string, durationMs: number): void;
  /** What counts for a format until its first verification was measured. */
  expect(format: string, durationMs: number): void;
  /** The slowest format's usual duration so far. */
  floorMs(): number;
}

const windowLength = 64;

/**
 * Keeps the last 64 durations of each format. A format's usual duration is the largest of them after one in sixteen has
 * been set aside (at least one, as soon as there are two): a machine that slept for a moment must not slow the next
 * sixty refusals, and a refusal that is still slower than the floor is rare.
 *
 * @param initialMs - the floor before anything has been measured; default 0
 */
export function failureFloor(initialMs = 0): FailureFloor {
  const windows = new Map<string, number[]>();
  const expected = new Map<string, number>();
  return {
    expect(format, durationMs) {
      expected.set(format, durationMs);
    },
    record(format, durationMs) {
      const durations = windows.get(format) ?? [];
      windows.set(format, [...durations.slice(1 - windowLength), durationMs]);
    },
    floorMs() {
      const guessed = [...expected].flatMap(([format, durationMs]) =>
        windows.has(format) ? [] : [durationMs],
      );
      return Math.max(initialMs, ...guessed, ...[...windows.values()].map(usual));
    },
  };
}

function usual(durations: readonly number[]): number {
  const sorted = durations.toSorted((a, b) => a - b);
  const setAside = Math.ceil(sorted.length / 16);
  return sorted[Math.max(0, sorted.length - 1 - setAside)] ?? 0;
}
