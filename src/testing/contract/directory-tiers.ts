import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { mostTierLimits, type Tier } from "../../domain/tier.ts";
import type { Committed, Write } from "../../ports/store.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same, scribble } from "./same.ts";
import { addUser, committed, refused, winners, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

async function addTier(trial: Trial, overrides: Partial<Tier> = {}): Promise<Tier> {
  const tier = trial.make.tier(overrides);
  await committed(trial, [write.tier(tier)]);
  return tier;
}

function tiers({ stores, call }: Trial): readonly Tier[] | Promise<readonly Tier[]> {
  return stores.directory.tiers(call());
}

/** Tiers, one call at a time. */
export const tierRules: Rules = {
  "tiers come back as inserted, by name": async (trial) => {
    const { make, clock } = trial;
    const limits = Array.from({ length: mostTierLimits }, (_, index) => ({
      path: `/api/é "'${"x".repeat(200)}/${index}/*`,
      limit: 1_000_000_000 + index,
      windowSeconds: 2_592_000,
    }));
    const written = [
      make.tier({ name: "pro", limits, version: 7, updatedAt: new Date(clock.now().getTime() + 5) }),
      make.tier({ name: "free", limits: [] }),
      make.tier({ name: "pro-2" }),
      make.tier({ name: "0_a" }),
    ];
    same(await tiers(trial), []);
    await committed(trial, written.map(write.tier));
    same(
      await tiers(trial),
      written.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
  },

  "a tier gets other limits, and keeps its name": async (trial) => {
    const [tier, other] = [await addTier(trial), await addTier(trial)];
    trial.clock.advance(60);
    const limits = [{ path: "*", limit: 1, windowSeconds: 1 }];
    const renamed = { name: "other", id: "other", createdAt: trial.clock.now() };
    await committed(trial, [{ ...renamed, ...write.updateTier(tier, limits) } as Write]);
    const changed = { ...tier, limits, version: 2, updatedAt: trial.clock.now() };
    same(
      await tiers(trial),
      [changed, other].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    await refused(trial, [write.updateTier(tier, [])], "conflict");
    await committed(trial, [write.updateTier(changed, [])]);
  },

  "a name and an id are one tier's alone, and free again after it": async (trial) => {
    const tier = await addTier(trial, { name: "pro" });
    await refused(trial, [write.tier(trial.make.tier({ name: "pro" }))], "conflict");
    await refused(trial, [write.tier(trial.make.tier({ id: tier.id }))], "conflict");
    same(await tiers(trial), [tier]);
    await committed(trial, [write.deleteTier("pro"), write.tier(tier)]);
    await refused(trial, [write.deleteTier("pro"), write.deleteTier("pro")], "conflict");
    same(await tiers(trial), [tier]);
  },

  "a tier that somebody is in stays, whatever their status": async (trial) => {
    const tier = await addTier(trial, { name: "pro" });
    await addTier(trial, { name: "pro-2" });
    for (const status of ["active", "disabled", "deleted"] as const) {
      const user = await addUser(trial, { tier: "pro", status });
      await refused(trial, [write.deleteTier("pro")], "tier_in_use");
      same((await tiers(trial))[0], tier);
      await committed(trial, [write.deleteTier("pro-2"), write.tier(trial.make.tier({ name: "pro-2" }))]);
      await committed(trial, [
        status === "deleted" ? write.erase(user.id) : write.update(user, { tier: null }),
      ]);
    }
    await committed(trial, [write.deleteTier("pro")]);
  },

  "a tier is required to be there": async (trial) => {
    await addTier(trial, { name: "pro" });
    await committed(trial, [write.requireTier("pro")]);
    for (const name of [
      "free",
      "Pro",
      " pro",
      withNul("pro"),
      ...hostileTexts,
      ...hostileTexts.map(withNul),
    ]) {
      await refused(trial, [write.requireTier(name)], "conflict");
      await refused(trial, [write.deleteTier(name)], "conflict");
      await refused(trial, [{ kind: "tier.update", name, version: 1, limits: [] }], "conflict");
    }
  },

  "later writes of a transaction see the earlier ones of a tier": async (trial) => {
    const tier = trial.make.tier({ name: "pro" });
    const user = trial.make.user({ tier: "pro" });
    await committed(trial, [
      write.tier(tier),
      write.requireTier("pro"),
      write.user(user),
      write.updateTier(tier, []),
    ]);
    await refused(trial, [write.deleteTier("pro")], "tier_in_use");
    await refused(trial, [write.deleteTier("pro"), write.update(user, { tier: null })], "tier_in_use");
    await committed(trial, [write.update(user, { tier: null }), write.deleteTier("pro")]);
    await refused(trial, [write.requireTier("pro")], "conflict");
  },

  "what a reader does to its copy of a tier changes nothing in the store": async (trial) => {
    const tier = await addTier(trial);
    scribble(await tiers(trial));
    same(await tiers(trial), [tier]);
  },
};

const racers = 20;

function commitAll(
  trial: Trial,
  count: number,
  writes: (index: number) => readonly Write[],
): Promise<readonly Committed[]> {
  return race(trial, count, ({ directory }, index) => directory.commit(writes(index), trial.call()));
}

/** Tiers under concurrent transactions. */
export const tierRaces: Rules = {
  "of many who make a tier of one name, or change one version of it, exactly one does": async (trial) => {
    const made = await commitAll(trial, racers, () => [write.tier(trial.make.tier({ name: "pro" }))]);
    strictEqual(winners(made, "conflict"), 1);
    const [tier] = await tiers(trial);
    ok(tier !== undefined);
    const changed = await commitAll(trial, racers, (index) => [
      write.updateTier(tier, [{ path: "*", limit: index + 1, windowSeconds: 1 }]),
    ]);
    strictEqual(winners(changed, "conflict"), 1);
    const winner = changed.findIndex(({ ok: isOk }) => isOk);
    deepStrictEqual((await tiers(trial))[0]?.limits[0]?.limit, winner + 1);
    strictEqual(winners(await commitAll(trial, racers, () => [write.deleteTier("pro")]), "conflict"), 1);
  },

  "nobody gets into a tier while it is deleted": async (trial) => {
    for (let round = 0; round < 10; round++) {
      const name = `tier-${round}`;
      await addTier(trial, { name });
      const known = await addUser(trial);
      const results = await commitAll(trial, 6, (index) => {
        if (index % 2 === round % 2) return [write.deleteTier(name)];
        const entering =
          index < 2 ? write.update(known, { tier: name }) : write.user(trial.make.user({ tier: name }));
        return [write.requireTier(name), entering];
      });
      for (const result of results)
        ok(result.ok || ["conflict", "tier_in_use"].includes(result.refused), JSON.stringify(result));
      const isThere = (await tiers(trial)).some((tier) => tier.name === name);
      const query = { search: null, status: null, role: null, isSuperuser: null, after: null, limit: 9 };
      const { users } = await trial.stores.directory.users({ ...query, tier: name }, trial.call());
      // Either somebody is in it and it is there, or it is gone and nobody is.
      strictEqual(isThere, users.length > 0);
    }
  },
};
