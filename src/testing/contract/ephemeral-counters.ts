import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { Limit, Reservation } from "../../ports/ephemeral-store.ts";
import type { Rules, Trial } from "./trial.ts";

const counter = (key: string, limit: number, windowSeconds = 60): Limit => ({ key, limit, windowSeconds });

/** Takes attempts one after the other until the counters refuse; how many were given (at most `most`). */
async function exhaust({ stores, call }: Trial, limits: readonly Limit[], most = 100): Promise<number> {
  for (let given = 0; given < most; given++) {
    if (!(await stores.ephemeral.reserve(limits, call())).ok) return given;
  }
  return most;
}

async function reserve({ stores, call }: Trial, ...limits: readonly Limit[]): Promise<Reservation> {
  return stores.ephemeral.reserve(limits, call());
}

// Without what a driver's rows bring along.
function plain(reservation: Reservation): unknown {
  return JSON.parse(JSON.stringify(reservation));
}

/** Counters, one call at a time. */
export const counterRules: Rules = {
  "a counter gives its limit and then says which it is and how long to wait": async (trial) => {
    strictEqual(await exhaust(trial, [counter("a", 3)]), 3);
    trial.clock.advance(20);
    const refusal = await reserve(trial, counter("a", 3));
    deepStrictEqual({ ...refusal }, { ok: false, key: "a", retryAfterSeconds: 40 });
  },

  "seconds to wait are rounded up, so that a try after them succeeds": async (trial) => {
    await exhaust(trial, [counter("a", 1, 10)]);
    trial.clock.advance(5.5);
    const early = await reserve(trial, counter("a", 1, 10));
    deepStrictEqual({ ...early }, { ok: false, key: "a", retryAfterSeconds: 5 });
    trial.clock.advance(4.499);
    const last = await reserve(trial, counter("a", 1, 10));
    deepStrictEqual({ ...last }, { ok: false, key: "a", retryAfterSeconds: 1 });
  },

  "a window begins with its first attempt and ends at its exact instant": async (trial) => {
    await reserve(trial, counter("a", 2, 10));
    trial.clock.advance(9);
    await reserve(trial, counter("a", 2, 10));
    trial.clock.advance(0.999);
    strictEqual((await reserve(trial, counter("a", 2, 10))).ok, false);
    trial.clock.advance(0.001);
    strictEqual(await exhaust(trial, [counter("a", 2, 10)]), 2);
  },

  "refused attempts neither count nor prolong the window": async (trial) => {
    await exhaust(trial, [counter("a", 2, 10)]);
    trial.clock.advance(9);
    for (let index = 0; index < 5; index++) await reserve(trial, counter("a", 2, 10));
    trial.clock.advance(1);
    strictEqual(await exhaust(trial, [counter("a", 2, 10)]), 2);
  },

  "where one of several counters is exhausted nothing is taken from the others": async (trial) => {
    await exhaust(trial, [counter("full", 1)]);
    for (let index = 0; index < 5; index++) {
      await reserve(trial, counter("before", 3), counter("full", 1), counter("after", 3));
    }
    strictEqual(await exhaust(trial, [counter("before", 3)]), 3);
    strictEqual(await exhaust(trial, [counter("after", 3)]), 3);
  },

  "of several exhausted counters the one that frees last is named": async (trial) => {
    await exhaust(trial, [counter("soon", 1, 10)]);
    await exhaust(trial, [counter("late", 1, 50)]);
    await exhaust(trial, [counter("middle", 1, 30)]);
    const refusal = await reserve(
      trial,
      counter("soon", 1, 10),
      counter("late", 1, 50),
      counter("middle", 1, 30),
    );
    deepStrictEqual({ ...refusal }, { ok: false, key: "late", retryAfterSeconds: 50 });
  },

  "several counters are each taken from": async (trial) => {
    strictEqual(await exhaust(trial, [counter("a", 5), counter("b", 3)]), 3);
    strictEqual(await exhaust(trial, [counter("a", 5)]), 2);
  },

  "a counter that asks for it says what is left and when its window ends, others say nothing": async (
    trial,
  ) => {
    const asking = (key: string, limit: number): Limit => ({ ...counter(key, limit, 10), tellsLeft: true });
    deepStrictEqual(plain(await reserve(trial, counter("silent", 9))), { ok: true });
    const first = { ok: true, left: [{ remaining: 2, resetSeconds: 10 }] };
    deepStrictEqual(plain(await reserve(trial, asking("a", 3))), first);
    trial.clock.advance(3.5);
    deepStrictEqual(plain(await reserve(trial, asking("b", 1), counter("silent", 9), asking("a", 3))), {
      ok: true,
      left: [
        { remaining: 0, resetSeconds: 10 },
        { remaining: 1, resetSeconds: 7 },
      ],
    });
    strictEqual((await reserve(trial, asking("b", 1))).ok, false);
    trial.clock.advance(7);
    deepStrictEqual(plain(await reserve(trial, asking("a", 3))), first);
    await trial.stores.ephemeral.refund(["a"], trial.call());
    deepStrictEqual(plain(await reserve(trial, asking("a", 3))), first);
  },

  "what is left of a counter whose limit was lowered is nothing, never less": async (trial) => {
    for (let taken = 0; taken < 5; taken++) await reserve(trial, counter("a", 9));
    const lowered = await reserve(trial, { ...counter("a", 6), tellsLeft: true });
    deepStrictEqual(plain(lowered), { ok: true, left: [{ remaining: 0, resetSeconds: 60 }] });
    strictEqual((await reserve(trial, { ...counter("a", 4), tellsLeft: true })).ok, false);
  },

  "no counters at all refuse nobody": async (trial) => {
    deepStrictEqual({ ...(await reserve(trial)) }, { ok: true });
  },

  "a counter that is named twice is a mistake: nothing is taken": async (trial) => {
    const { stores, call } = trial;
    const twice = [counter("a", 3), counter("b", 3), counter("a", 5)];
    await rejects(async () => stores.ephemeral.reserve(twice, call()), TypeError);
    await rejects(
      async () => stores.ephemeral.reserve([counter("a", 1), counter("a", 1)], call()),
      TypeError,
    );
    strictEqual(await exhaust(trial, [counter("a", 3)]), 3);
    strictEqual(await exhaust(trial, [counter("b", 3)]), 3);
  },

  "a refunded attempt can be taken again, within the same window": async (trial) => {
    const { stores, call, clock } = trial;
    await exhaust(trial, [counter("a", 3, 10)]);
    clock.advance(6);
    await stores.ephemeral.refund(["a"], call());
    strictEqual(await exhaust(trial, [counter("a", 3, 10)]), 1);
    clock.advance(4);
    strictEqual(await exhaust(trial, [counter("a", 3, 10)]), 3);
  },

  "a counter whose last attempt was refunded is forgotten: the next begins a new window": async (trial) => {
    const { stores, call, clock } = trial;
    await reserve(trial, counter("a", 1, 10), counter("b", 2, 10));
    await reserve(trial, counter("b", 2, 10));
    clock.advance(6);
    await stores.ephemeral.refund(["a", "b"], call());
    await reserve(trial, counter("a", 1, 10), counter("b", 2, 10));
    clock.advance(4);
    const refusal = await reserve(trial, counter("a", 1, 10));
    deepStrictEqual({ ...refusal }, { ok: false, key: "a", retryAfterSeconds: 6 });
    strictEqual(
      await exhaust(trial, [counter("b", 2, 10)]),
      2,
      "an attempt was left, and its window is over",
    );
  },

  "refunds never give more than the limit": async (trial) => {
    const { stores, call } = trial;
    await stores.ephemeral.refund(["a"], call());
    await reserve(trial, counter("a", 3));
    for (let index = 0; index < 5; index++) await stores.ephemeral.refund(["a", "unknown"], call());
    strictEqual(await exhaust(trial, [counter("a", 3)]), 3);
    strictEqual(await exhaust(trial, [counter("unknown", 3)]), 3);
  },

  "a refund of a window that is over gives nothing to the next": async (trial) => {
    const { stores, call, clock } = trial;
    await exhaust(trial, [counter("a", 3, 10)]);
    clock.advance(10);
    await stores.ephemeral.refund(["a"], call());
    strictEqual(await exhaust(trial, [counter("a", 3, 10)]), 3);
  },

  "a removed counter begins anew": async (trial) => {
    const { stores, call } = trial;
    await exhaust(trial, [counter("a", 3), counter("b", 3)]);
    await stores.ephemeral.remove(["a"], call());
    strictEqual(await exhaust(trial, [counter("a", 3)]), 3);
    strictEqual(await exhaust(trial, [counter("b", 3)]), 0);
  },
};
