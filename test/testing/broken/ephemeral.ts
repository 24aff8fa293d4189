import type { Reservation } from "../../../src/ports/ephemeral-store.ts";
import { type Broken, brokenEphemeral as broken, closesOnce, shifted, yieldOnce } from "./broken.ts";

export const brokenEphemerals: readonly Broken[] = [
  broken("it cannot be closed twice", "ping resolves, and close may be called twice", closesOnce),
  broken(
    "a take of nothing is an empty value",
    "an unknown key reads, takes and removes as absent",
    ({ take }) => ({
      take: async (key, call) => (await take(key, call)) ?? "",
    }),
  ),
  broken("no counters refuse", "no counters at all refuse nobody", ({ reserve }) => ({
    reserve: async (limits, call) =>
      limits.length === 0 ? { ok: false, key: "", retryAfterSeconds: 1 } : reserve(limits, call),
  })),
  broken(
    "a counter that is named twice is taken from once",
    "a counter that is named twice is a mistake: nothing is taken",
    ({ reserve }) => ({
      reserve: (limits, call) =>
        reserve(
          limits.filter(({ key }, at) => limits.findIndex((other) => other.key === key) === at),
          call,
        ),
    }),
  ),
  broken("take leaves the value", "a taken key is gone", ({ read }) => ({
    take: async (key, call) => read(key, call),
  })),
  broken(
    "take reads, then deletes",
    "of many concurrent takes of one key exactly one gets the value",
    ({ read, remove }) => ({
      async take(key, call) {
        const value = await read(key, call);
        await yieldOnce();
        await remove([key], call);
        return value;
      },
    }),
  ),
  broken("read spends the value", "reading spends nothing", ({ take }) => ({ read: take })),
  broken("put keeps what is there", "put replaces the value and its lifetime", ({ put, read }) => ({
    async put(key, value, ttl, call) {
      if ((await read(key, call)) === null) await put(key, value, ttl, call);
    },
  })),
  broken("values are trimmed", "a value is read and taken as it was put", ({ put }) => ({
    put: (key, value, ttl, call) => put(key, value.slice(0, 9_999), ttl, call),
  })),
  broken("keys end at a NUL", "keys are compared exactly, whatever is in them", ({ read }) => ({
    read: (key, call) => read(key.split("\u0000")[0] ?? "", call),
  })),
  broken("keys ignore case", "keys are compared exactly, whatever is in them", ({ read, put }) => ({
    read: (key, call) => read(key.toLowerCase(), call),
    put: (key, value, ttl, call) => put(key.toLowerCase(), value, ttl, call),
  })),
  broken(
    "a value outlives its instant",
    "a value is there until the instant its lifetime ends, and not at it",
    ({ put }) => ({ put: (key, value, ttl, call) => put(key, value, ttl, shifted(call, 1)) }),
  ),
  broken(
    "a value ends early",
    "a value is there until the instant its lifetime ends, and not at it",
    ({ put }) => ({ put: (key, value, ttl, call) => put(key, value, ttl, shifted(call, -1)) }),
  ),
  broken("add always says true", "a mark is made once, and again once it expired", ({ add }) => ({
    async add(key, ttl, call) {
      await add(key, ttl, call);
      return true;
    },
  })),
  broken("add never expires", "a mark is made once, and again once it expired", ({ add }) => ({
    add: (key, _, call) => add(key, 1_000_000, call),
  })),
  broken(
    "add prolongs the mark",
    "a refused mark does not prolong the one that is there",
    ({ add, put, read }) => ({
      async add(key, ttl, call) {
        const isThere = (await read(key, call)) !== null;
        await put(key, "", ttl, call);
        return isThere ? false : (await add(key, ttl, call)) || true;
      },
    }),
  ),
  broken(
    "add looks, then marks",
    "of many concurrent marks of one key exactly one is made",
    ({ put, read }) => ({
      async add(key, ttl, call) {
        if ((await read(key, call)) !== null) return false;
        await yieldOnce();
        await put(key, "", ttl, call);
        return true;
      },
    }),
  ),
  broken(
    "remove takes the first key only",
    "removed values and marks are forgotten, others stay",
    ({ remove }) => ({
      remove: (keys, call) => remove(keys.slice(0, 1), call),
    }),
  ),
  broken("remove spares counters", "a removed counter begins anew", ({ remove, read }) => ({
    async remove(keys, call) {
      for (const key of keys) if ((await read(key, call)) !== null) await remove([key], call);
    },
  })),
  broken(
    "reserve gives one too many",
    "a counter gives its limit and then says which it is and how long to wait",
    ({ reserve }) => ({
      reserve: (limits, call) =>
        reserve(
          limits.map((limit) => ({ ...limit, limit: limit.limit + 1 })),
          call,
        ),
    }),
  ),
  broken(
    "reserve says nothing of what is left",
    "a counter that asks for it says what is left and when its window ends, others say nothing",
    ({ reserve }) => ({
      async reserve(limits, call) {
        const { left: _, ...rest } = { left: null, ...(await reserve(limits, call)) };
        return rest as Reservation;
      },
    }),
  ),
  broken(
    "reserve says of every counter what is left",
    "a counter that asks for it says what is left and when its window ends, others say nothing",
    ({ reserve }) => ({
      reserve: (limits, call) =>
        reserve(
          limits.map((limit) => ({ ...limit, tellsLeft: true })),
          call,
        ),
    }),
  ),
  broken(
    "reserve says that less than nothing is left",
    "what is left of a counter whose limit was lowered is nothing, never less",
    ({ reserve }) => ({
      async reserve(limits, call) {
        const reserved = await reserve(limits, call);
        if (!reserved.ok || reserved.left === undefined) return reserved;
        return { ok: true, left: reserved.left.map((each) => ({ ...each, remaining: each.remaining - 1 })) };
      },
    }),
  ),
  broken(
    "reserve takes from one counter after the other",
    "where one of several counters is exhausted nothing is taken from the others",
    ({ reserve }) => ({
      async reserve(limits, call): Promise<Reservation> {
        for (const limit of limits) {
          const taken = await reserve([limit], call);
          if (!taken.ok) return taken;
        }
        return { ok: true };
      },
    }),
  ),
  broken(
    "reserve takes from the first counter only",
    "several counters are each taken from",
    ({ reserve }) => ({ reserve: (limits, call) => reserve(limits.slice(0, 1), call) }),
  ),
  broken(
    "reserve names the first exhausted counter",
    "of several exhausted counters the one that frees last is named",
    ({ reserve }) => ({
      async reserve(limits, call): Promise<Reservation> {
        for (const limit of limits) {
          const alone = await reserve([limit], call);
          if (!alone.ok) return alone;
        }
        return reserve(limits, call);
      },
    }),
  ),
  broken(
    "a window never ends",
    "a window begins with its first attempt and ends at its exact instant",
    ({ reserve }) => ({
      reserve: (limits, call) =>
        reserve(
          limits.map((limit) => ({ ...limit, windowSeconds: 1_000_000 })),
          call,
        ),
    }),
  ),
  broken(
    "a refused attempt starts the window anew",
    "refused attempts neither count nor prolong the window",
    ({ reserve, remove }) => ({
      async reserve(limits, call) {
        const taken = await reserve(limits, call);
        if (taken.ok) return taken;
        await remove([taken.key], call);
        for (const limit of limits) for (let at = 0; at < limit.limit; at++) await reserve([limit], call);
        return taken;
      },
    }),
  ),
  broken(
    "seconds to wait are rounded down",
    "seconds to wait are rounded up, so that a try after them succeeds",
    ({ reserve }) => ({
      async reserve(limits, call) {
        const taken = await reserve(limits, call);
        return taken.ok ? taken : { ...taken, retryAfterSeconds: taken.retryAfterSeconds - 1 };
      },
    }),
  ),
  broken(
    "reserve looks, then takes",
    "concurrent attempts never get more than the limit, and no fewer",
    () => {
      const taken = new Map<string, number>();
      return {
        async reserve(limits): Promise<Reservation> {
          const full = limits.find(({ key, limit }) => (taken.get(key) ?? 0) >= limit);
          if (full !== undefined) return { ok: false, key: full.key, retryAfterSeconds: 1 };
          await yieldOnce();
          for (const { key } of limits) taken.set(key, (taken.get(key) ?? 0) + 1);
          return { ok: true };
        },
      };
    },
  ),
  broken(
    "refund gives everything back",
    "a refunded attempt can be taken again, within the same window",
    ({ remove }) => ({
      refund: remove,
    }),
  ),
  broken("refund does nothing", "a refunded attempt can be taken again, within the same window", () => ({
    refund: async () => undefined,
  })),
  broken(
    "a refund keeps the window of a counter at zero",
    "a counter whose last attempt was refunded is forgotten: the next begins a new window",
    ({ reserve }) => {
      const windows = new Map<string, number>();
      return {
        reserve(limits, call) {
          const now = call.now.getTime();
          const kept = limits.map((limit) => {
            const known = windows.get(limit.key) ?? 0;
            const endsAt = known > now ? known : now + limit.windowSeconds * 1000;
            windows.set(limit.key, endsAt);
            return { ...limit, windowSeconds: (endsAt - now) / 1000 };
          });
          return reserve(kept, call);
        },
      };
    },
  ),
  broken(
    "refund is remembered where nothing was taken",
    "refunds never give more than the limit",
    ({ reserve, refund }) => {
      const credit = new Map<string, number>();
      return {
        async refund(keys, call) {
          for (const key of keys) credit.set(key, (credit.get(key) ?? 0) + 1);
          await refund(keys, call);
        },
        async reserve(limits, call) {
          const taken = await reserve(limits, call);
          const left = taken.ok ? 0 : (credit.get(taken.key) ?? 0);
          if (taken.ok || left === 0) return taken;
          credit.set(taken.key, left - 1);
          return { ok: true };
        },
      };
    },
  ),
  broken(
    "a sweep knows no limit",
    "a sweep deletes no more than its limit and nothing that lives",
    ({ sweep }) => ({
      sweep: (_, call) => sweep(1_000, call),
    }),
  ),
  broken(
    "a sweep takes the living",
    "a sweep deletes no more than its limit and nothing that lives",
    ({ sweep }) => ({
      sweep: (limit, call) => sweep(limit, shifted(call, 3_600_000)),
    }),
  ),
];
