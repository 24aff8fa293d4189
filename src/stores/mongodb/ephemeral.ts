import type { EphemeralStore } from "../../ports/ephemeral-store.ts";
import type { Port, StoreCall } from "../../ports/store.ts";
import { assertDistinct } from "../distinct-limits.ts";
import { settled } from "../settled.ts";
import type { Collection } from "./collection.ts";
import { refund, reserve } from "./counters.ts";
import type { Opened } from "./slots.ts";
import { add, hashed, put, read, take } from "./values.ts";

/** Where one-time tokens and marks lie, and where counters do. */
export interface EphemeralCollections {
  readonly values: Opened;
  readonly counters: Opened;
}

/** One-time tokens, counters and marks on MongoDB. */
export function ephemeralStore(port: Port, { values, counters }: EphemeralCollections): EphemeralStore {
  const within = <T>(opened: Opened, call: StoreCall, work: (all: Collection) => Promise<T>): Promise<T> => {
    call.signal.throwIfAborted();
    return settled(opened().then(work), call.signal);
  };
  return {
    ...port,
    put: async (key, value, ttlSeconds, call) =>
      within(values, call, (all) => put(all, key, { value, ttlSeconds, now: call.now })),
    read: async (key, call) => within(values, call, (all) => read(all, key, call)),
    take: async (key, call) => within(values, call, (all) => take(all, key, call)),
    add: async (key, ttlSeconds, call) =>
      within(values, call, (all) => add(all, key, { ttlSeconds, now: call.now })),
    async remove(keys, call) {
      const some = { _id: { $in: keys.map(hashed) } };
      await within(values, call, (all) => all.delete(some));
      await within(counters, call, (all) => all.delete(some));
    },
    async reserve(limits, call) {
      assertDistinct(limits);
      return within(counters, call, (all) => reserve(all, limits, call));
    },
    refund: async (keys, call) => within(counters, call, (all) => refund(all, keys, call)),
    async sweep(limit, call) {
      const swept = await within(values, call, (all) => sweep(all, limit, call));
      return swept + (await within(counters, call, (all) => sweep(all, limit - swept, call)));
    },
  };
}

async function sweep(all: Collection, limit: number, { now }: StoreCall): Promise<number> {
  if (limit < 1) return 0;
  const over = { endsAt: { $lte: now } };
  const found = await all.find(over, { by: "endsAt", limit, fields: ["_id"] });
  if (found.length === 0) return 0;
  // Asked again: one that was put anew since stays.
  return all.delete({ _id: { $in: found.map(({ _id }) => _id) }, ...over });
}
