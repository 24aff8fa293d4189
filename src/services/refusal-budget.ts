import type { RefusalType } from "../domain/event.ts";
import type { Clock } from "../ports/clock.ts";

/** Audit rows that one client gets for refusals of one type in one window. */
const rowsPerWindow = 20;
const windowMs = 60_000;
/** Clients that are remembered; past this the one whose window began longest ago is forgotten, and what was counted for it. */
const mostClients = 10_000;

/** How many rows refusals may still cost. */
export interface RefusalBudget {
  /**
   * Takes one row for a refusal of a client.
   *
   * @returns how many refusals of this type and client went without a row since its last one; null where this one does
   */
  take(type: RefusalType, client: string): number | null;
}

interface Spending {
  readonly since: number;
  rows: number;
  suppressed: number;
}

/**
 * Bounds what somebody without an account can make the directory keep: a refused request costs its sender nothing, and a
 * row that stays costs us for ever.
 *
 * @see CWE-779 (logging of excessive data), CWE-400
 */
export function refusalBudget(clock: Clock): RefusalBudget {
  const spendings = new Map<string, Spending>();

  function begin(key: string, now: number, suppressed: number): Spending {
    const fresh = { since: now, rows: 0, suppressed };
    // Put at the end: the first of the map is the one that began longest ago.
    spendings.delete(key);
    spendings.set(key, fresh);
    const [oldest] = spendings.keys();
    if (spendings.size > mostClients && oldest !== undefined) spendings.delete(oldest);
    return fresh;
  }

  return {
    take(type, client) {
      const key = `${type} ${client}`;
      const now = clock.now().getTime();
      const known = spendings.get(key);
      // A clock that was set back begins a new window, too: it must not silence the audit log until it has caught up.
      const isUnderWay = known !== undefined && now >= known.since && now - known.since < windowMs;
      const spending = isUnderWay ? known : begin(key, now, known?.suppressed ?? 0);
      if (spending.rows >= rowsPerWindow) {
        spending.suppressed++;
        return null;
      }
      spending.rows++;
      const { suppressed } = spending;
      spending.suppressed = 0;
      return suppressed;
    },
  };
}
