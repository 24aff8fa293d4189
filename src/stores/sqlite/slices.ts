import { setImmediate as nextTurn } from "node:timers/promises";
import type { Awaitable } from "../../ports/store.ts";

/** Rows that are counted at a time along an index: some milliseconds, after which other work comes in between. */
export const countedAtOnce = 20_000;

/** How rows that lie in an order are counted. */
export interface Counting<Place> {
  /** The place {@link countedAtOnce} rows after another; null where there are no more than that. */
  nth(place: Place): Awaitable<Place | null>;
  /** How many rows there are from a place on. */
  rest(place: Place): Awaitable<number>;
}

/** Counts rows from a place on, without keeping other work waiting. What is written meanwhile may count or not. */
export async function countFrom<Place>(first: Place, { nth, rest }: Counting<Place>): Promise<number> {
  let count = 0;
  for (let place = first; ; await nextTurn()) {
    const next = await nth(place);
    if (next === null) return count + (await rest(place));
    count += countedAtOnce;
    place = next;
  }
}
