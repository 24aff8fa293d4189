import { doesNotReject, strictEqual } from "node:assert/strict";
import { hostileTexts, withNul } from "./hostile.ts";
import type { Rules } from "./trial.ts";

/** Values and marks, one call at a time. */
export const valueRules: Rules = {
  "ping resolves, and close may be called twice": async ({ stores, call }) => {
    await stores.ephemeral.ping(call());
    await stores.ephemeral.close();
    await doesNotReject(async () => stores.ephemeral.close());
  },

  "a value is read and taken as it was put": async ({ stores: { ephemeral }, call }) => {
    const values = ["plain", "", "Ünïcode 🔑 \u202e", `{"a":"'\\""}`, "v".repeat(10_000)];
    for (const [index, value] of values.entries()) {
      await ephemeral.put(`key:${index}`, value, 60, call());
      strictEqual(await ephemeral.read(`key:${index}`, call()), value);
      strictEqual(await ephemeral.take(`key:${index}`, call()), value);
    }
  },

  "an unknown key reads, takes and removes as absent": async ({ stores: { ephemeral }, call }) => {
    strictEqual(await ephemeral.read("nothing", call()), null);
    strictEqual(await ephemeral.take("nothing", call()), null);
    await ephemeral.remove(["nothing", "neither"], call());
    await ephemeral.remove([], call());
    await ephemeral.refund(["nothing"], call());
  },

  "reading spends nothing": async ({ stores: { ephemeral }, call }) => {
    await ephemeral.put("key", "value", 60, call());
    await ephemeral.read("key", call());
    await ephemeral.read("key", call());
    strictEqual(await ephemeral.take("key", call()), "value");
  },

  "a taken key is gone": async ({ stores: { ephemeral }, call }) => {
    await ephemeral.put("key", "value", 60, call());
    await ephemeral.take("key", call());
    strictEqual(await ephemeral.take("key", call()), null);
    strictEqual(await ephemeral.read("key", call()), null);
  },

  "put replaces the value and its lifetime": async ({ stores: { ephemeral }, call, clock }) => {
    await ephemeral.put("key", "first", 10, call());
    clock.advance(5);
    await ephemeral.put("key", "second", 10, call());
    clock.advance(9);
    strictEqual(await ephemeral.read("key", call()), "second");
    await ephemeral.put("key", "third", 1, call());
    clock.advance(1);
    strictEqual(await ephemeral.read("key", call()), null);
  },

  "a value is there until the instant its lifetime ends, and not at it": async ({ stores, call, clock }) => {
    const { ephemeral } = stores;
    await ephemeral.put("key", "value", 10, call());
    clock.advance(9.999);
    strictEqual(await ephemeral.read("key", call()), "value");
    clock.advance(0.001);
    strictEqual(await ephemeral.read("key", call()), null);
    strictEqual(await ephemeral.take("key", call()), null);
  },

  "a mark is made once, and again once it expired": async ({ stores: { ephemeral }, call, clock }) => {
    strictEqual(await ephemeral.add("mark", 10, call()), true);
    clock.advance(9.999);
    strictEqual(await ephemeral.add("mark", 10, call()), false);
    clock.advance(0.001);
    strictEqual(await ephemeral.add("mark", 10, call()), true);
    strictEqual(await ephemeral.add("mark", 10, call()), false);
  },

  "a refused mark does not prolong the one that is there": async ({ stores: { ephemeral }, call, clock }) => {
    await ephemeral.add("mark", 10, call());
    clock.advance(5);
    await ephemeral.add("mark", 60, call());
    clock.advance(5);
    strictEqual(await ephemeral.add("mark", 10, call()), true);
  },

  "removed values and marks are forgotten, others stay": async ({ stores: { ephemeral }, call }) => {
    await ephemeral.put("gone", "value", 60, call());
    await ephemeral.put("kept", "value", 60, call());
    await ephemeral.add("mark", 60, call());
    await ephemeral.remove(["gone", "mark"], call());
    strictEqual(await ephemeral.read("gone", call()), null);
    strictEqual(await ephemeral.add("mark", 60, call()), true);
    strictEqual(await ephemeral.read("kept", call()), "value");
  },

  "keys are compared exactly, whatever is in them": async ({ stores: { ephemeral }, call }) => {
    const keys = ["Key", "key", "key ", ...hostileTexts.filter((text) => text !== "")];
    for (const key of keys) await ephemeral.put(key, `value of ${key}`, 60, call());
    for (const key of keys) strictEqual(await ephemeral.read(key, call()), `value of ${key}`);
    for (const key of keys) strictEqual(await ephemeral.read(withNul(key), call()), null);
    for (const key of keys) strictEqual(await ephemeral.take(key, call()), `value of ${key}`);
  },

  "a sweep deletes no more than its limit and nothing that lives": async ({ stores, call, clock }) => {
    const { ephemeral } = stores;
    for (let index = 0; index < 20; index++) await ephemeral.put(`short:${index}`, "value", 10, call());
    await ephemeral.put("long", "value", 60, call());
    await ephemeral.add("long mark", 60, call());
    await ephemeral.reserve([{ key: "long counter", limit: 1, windowSeconds: 60 }], call());
    clock.advance(10);
    let swept = 0;
    for (let last = -1; last !== 0; swept += last) {
      last = await ephemeral.sweep(3, call());
      strictEqual(last <= 3, true, "at most the limit");
    }
    strictEqual(swept <= 20, true, "nothing but what expired");
    strictEqual(await ephemeral.read("long", call()), "value");
    strictEqual(await ephemeral.add("long mark", 60, call()), false);
    const counter = await ephemeral.reserve([{ key: "long counter", limit: 1, windowSeconds: 60 }], call());
    strictEqual(counter.ok, false);
  },
};
