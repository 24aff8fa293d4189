import type { Left, Limit, Reservation } from "../ports/ephemeral-store.ts";

/** A counter after an attempt was taken from it. */
export interface Counted {
  readonly taken: number;
  /** When its window ends, in milliseconds since 1970. */
  readonly endsAt: number;
}

/**
 * The answer to a reservation that was granted.
 *
 * @param counters - of each limit, in their order; of those that do not ask for it nothing is looked at
 */
export function granted(
  limits: readonly Limit[],
  counters: readonly (Counted | undefined)[],
  now: Date,
): Reservation {
  if (!tellsLeft(limits)) return { ok: true };
  const left: Left[] = [];
  for (const [index, limit] of limits.entries()) {
    const { taken, endsAt } = counters[index] ?? { taken: limit.limit, endsAt: now.getTime() };
    if (limit.tellsLeft !== true) continue;
    const resetSeconds = Math.max(1, Math.ceil((endsAt - now.getTime()) / 1000));
    // Others may have taken under a higher limit since: MySQL looks after it has taken.
    left.push({ remaining: Math.max(0, limit.limit - taken), resetSeconds });
  }
  return { ok: true, left };
}

/** Whether any of the limits asks what is left of it. */
export function tellsLeft(limits: readonly Limit[]): boolean {
  return limits.some((limit) => limit.tellsLeft === true);
}
