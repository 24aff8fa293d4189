import { strictEqual } from "node:assert/strict";
import type { Limit } from "../../ports/ephemeral-store.ts";
import { type Rules, race } from "./trial.ts";

const counter = (key: string, limit: number): Limit => ({ key, limit, windowSeconds: 60 });
const count = (results: readonly unknown[], wanted: unknown): number =>
  results.filter((result) => result === wanted).length;

/** Values, marks and counters under concurrent calls. */
export const ephemeralRaces: Rules = {
  "of many concurrent takes of one key exactly one gets the value": async (trial) => {
    const { stores, call } = trial;
    for (const key of ["a", "b", "c"]) {
      await stores.ephemeral.put(key, "value", 60, call());
      const taken = await race(trial, 50, ({ ephemeral }) => ephemeral.take(key, call()));
      strictEqual(count(taken, "value"), 1);
      strictEqual(count(taken, null), 49);
    }
  },

  "of many concurrent marks of one key exactly one is made": async (trial) => {
    for (const key of ["a", "b", "c"]) {
      const made = await race(trial, 50, ({ ephemeral }) => ephemeral.add(key, 60, trial.call()));
      strictEqual(count(made, true), 1);
    }
  },

  "of many concurrent marks of an expired one exactly one is made": async (trial) => {
    await trial.stores.ephemeral.add("mark", 10, trial.call());
    trial.clock.advance(10);
    const made = await race(trial, 50, ({ ephemeral }) => ephemeral.add("mark", 60, trial.call()));
    strictEqual(count(made, true), 1);
  },

  "concurrent attempts never get more than the limit, and no fewer": async (trial) => {
    const given = await race(trial, 50, ({ ephemeral }) =>
      ephemeral.reserve([counter("a", 10)], trial.call()),
    );
    strictEqual(given.filter(({ ok }) => ok).length, 10);
  },

  "concurrent attempts at a window that is over never get more than the limit": async (trial) => {
    await race(trial, 10, ({ ephemeral }) => ephemeral.reserve([counter("a", 10)], trial.call()));
    trial.clock.advance(60);
    const given = await race(trial, 50, ({ ephemeral }) =>
      ephemeral.reserve([counter("a", 10)], trial.call()),
    );
    strictEqual(given.filter(({ ok }) => ok).length, 10);
  },

  "concurrent attempts over several counters take from all of them or from none": async (trial) => {
    const { stores, call } = trial;
    const both = [counter("narrow", 10), counter("wide", 25)];
    const turned = [counter("wide", 25), counter("narrow", 10)];
    const given = await race(trial, 50, ({ ephemeral }, index) =>
      ephemeral.reserve(index % 3 === 0 ? turned : both, call()),
    );
    strictEqual(given.filter(({ ok }) => ok).length, 10);
    const left = await race(trial, 50, ({ ephemeral }) => ephemeral.reserve([counter("wide", 25)], call()));
    strictEqual(left.filter(({ ok }) => ok).length, 15);
    const none = await stores.ephemeral.reserve([counter("wide", 25)], call());
    strictEqual(none.ok, false);
  },

  "concurrent refunds each give one attempt back, never more than were taken": async (trial) => {
    const { call } = trial;
    const attempt = ({ ephemeral }: typeof trial.stores) => ephemeral.reserve([counter("a", 20)], call());
    await race(trial, 20, attempt);
    await race(trial, 5, ({ ephemeral }) => ephemeral.refund(["a"], call()));
    const again = await race(trial, 30, attempt);
    strictEqual(again.filter(({ ok }) => ok).length, 5);
    await race(trial, 40, ({ ephemeral }) => ephemeral.refund(["a"], call()));
    const anew = await race(trial, 50, attempt);
    strictEqual(anew.filter(({ ok }) => ok).length, 20);
  },

  "a value put by one handle is taken by another, once": async (trial) => {
    const other = await trial.another();
    await trial.stores.ephemeral.put("key", "value", 60, trial.call());
    strictEqual(await other.ephemeral.read("key", trial.call()), "value");
    strictEqual(await other.ephemeral.take("key", trial.call()), "value");
    strictEqual(await trial.stores.ephemeral.read("key", trial.call()), null);
    strictEqual(await trial.stores.ephemeral.take("key", trial.call()), null);
  },
};
