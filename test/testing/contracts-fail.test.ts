import { AssertionError } from "node:assert";
import { describe, expect, it } from "vitest";
import { memory } from "../../src/stores/memory.ts";
import {
  type ContractCase,
  directoryContract,
  ephemeralContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";
import { brokenApiKeys } from "./broken/api-keys.ts";
import type { Broken } from "./broken/broken.ts";
import { brokenCounts } from "./broken/counts.ts";
import { brokenDirectories } from "./broken/directory.ts";
import { brokenEphemerals } from "./broken/ephemeral.ts";
import { brokenLinkedAccounts } from "./broken/linked-accounts.ts";
import { brokenListings } from "./broken/listing.ts";
import { brokenOutboxes } from "./broken/outbox.ts";
import { brokenSealings } from "./broken/sealing.ts";
import { brokenRefreshes } from "./broken/session-refresh.ts";
import { brokenSessionWrites } from "./broken/session-writes.ts";
import { brokenSessionStores } from "./broken/sessions.ts";
import { brokenTiers } from "./broken/tiers.ts";

// Two handles on one memory, each with a mistake of its own: what is cached in one is not in the other.
function harnessOf({ breakStores }: Broken): StoreHarness {
  let inner = memory();
  return {
    async open() {
      inner = memory();
      return breakStores(inner);
    },
    another: async () => breakStores(inner),
    reopen: async () => breakStores(inner),
  };
}

function allCases(harness: StoreHarness): readonly ContractCase[] {
  return [...directoryContract(harness), ...sessionContract(harness), ...ephemeralContract(harness)];
}

/** Fails unless one of the cases of this name does, by its own assertion. */
async function assertCaught(broken: Broken): Promise<void> {
  const named = allCases(harnessOf(broken)).filter(({ name }) => name === broken.caughtBy);
  expect(named, "cases of this name").not.toEqual([]);
  const outcomes = await Promise.all(named.map(({ run }) => run().catch((error: unknown) => error)));
  expect(outcomes.some((outcome) => outcome instanceof AssertionError)).toBe(true);
}

const sound: Broken = { mistake: "", caughtBy: "", breakStores: (stores) => stores };

describe("the contracts catch a store that makes a mistake", () => {
  for (const broken of [
    ...brokenDirectories,
    ...brokenApiKeys,
    ...brokenLinkedAccounts,
    ...brokenListings,
    ...brokenTiers,
    ...brokenSealings,
    ...brokenOutboxes,
    ...brokenCounts,
    ...brokenSessionWrites,
    ...brokenSessionStores,
    ...brokenRefreshes,
    ...brokenEphemerals,
  ]) {
    it(`${broken.mistake}: caught by "${broken.caughtBy}"`, () => assertCaught(broken));
  }
});

describe("the contracts accept a store that makes none, over two handles and a restart", () => {
  for (const { section, name, run } of allCases(harnessOf(sound))) it(`${section}: ${name}`, run);
});

describe("durability is asked for where a store claims it", () => {
  const forgetful: StoreHarness = { open: async () => memory(), reopen: async () => memory() };
  for (const { section, name, run } of allCases(forgetful)) {
    if (section !== "durability") continue;
    it(`a store that forgets is caught by "${name}"`, async () => {
      await expect(run()).rejects.toBeInstanceOf(AssertionError);
    });
  }

  it("a store that claims none is not asked", () => {
    const sections = allCases({ open: async () => memory() }).map(({ section }) => section);
    expect(new Set(sections)).toEqual(new Set(["basics", "concurrency", "faults"]));
  });
});
