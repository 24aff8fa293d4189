import { strictEqual } from "node:assert/strict";
import { counterRules } from "./ephemeral-counters.ts";
import { ephemeralRaces } from "./ephemeral-races.ts";
import { valueRules } from "./ephemeral-values.ts";
import { type ContractCase, cases, type Rules, type StoreHarness } from "./trial.ts";

/**
 * The rules that every `EphemeralStore` keeps: values, marks and counters, alone and under races, and past a restart where
 * the harness can reopen.
 */
export function ephemeralContract(harness: StoreHarness): readonly ContractCase[] {
  return [
    ...cases(harness, "basics", valueRules, counterRules),
    ...cases(harness, "concurrency", ephemeralRaces),
    ...(harness.reopen === undefined ? [] : cases(harness, "durability", durability)),
  ];
}

const durability: Rules = {
  "values, marks and attempts outlive the process": async (trial) => {
    const { stores, call } = trial;
    const limit = { key: "counter", limit: 1, windowSeconds: 60 };
    await stores.ephemeral.put("key", "value", 60, call());
    await stores.ephemeral.put("spent", "value", 60, call());
    await stores.ephemeral.take("spent", call());
    await stores.ephemeral.add("mark", 60, call());
    await stores.ephemeral.reserve([limit], call());
    const { ephemeral } = await trial.reopen();
    strictEqual(await ephemeral.read("key", call()), "value");
    strictEqual(await ephemeral.take("spent", call()), null, "what was taken stays taken");
    strictEqual(await ephemeral.add("mark", 60, call()), false, "a spent mark stays spent");
    strictEqual((await ephemeral.reserve([limit], call())).ok, false, "attempts stay counted");
  },
};
