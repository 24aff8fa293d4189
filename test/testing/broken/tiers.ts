import type { Tier } from "../../../src/domain/tier.ts";
import { userQuery } from "../../../src/testing/queries.ts";
import { type Broken, brokenDirectory as broken, rewriting, yieldOnce } from "./broken.ts";

export const brokenTiers: readonly Broken[] = [
  broken("the last tier comes first", "tiers come back as inserted, by name", ({ tiers }) => ({
    tiers: async (call) => [...(await tiers(call))].reverse(),
  })),
  broken("a tier has ten limits", "tiers come back as inserted, by name", ({ tiers }) => ({
    tiers: async (call) => (await tiers(call)).map((tier) => ({ ...tier, limits: tier.limits.slice(0, 10) })),
  })),
  broken(
    "changes of a tier are not counted",
    "a tier gets other limits, and keeps its name",
    ({ tiers }) => ({
      tiers: async (call) => (await tiers(call)).map((tier) => ({ ...tier, version: 1 })),
    }),
  ),
  rewriting(
    "any version of a tier may be changed",
    "a tier gets other limits, and keeps its name",
    async (write, { directory }, call) => {
      if (write.kind !== "tier.update") return [write];
      const tier = (await directory.tiers(call)).find(({ name }) => name === write.name);
      return [{ ...write, version: tier?.version ?? write.version }];
    },
  ),
  rewriting(
    "a tier of a name takes the place of another",
    "a name and an id are one tier's alone, and free again after it",
    async (write, { directory }, call) => {
      if (write.kind !== "tier.insert") return [write];
      const { name, limits } = write.tier;
      const tier = (await directory.tiers(call)).find((each) => each.name === name);
      return [tier === undefined ? write : { kind: "tier.update", name, version: tier.version, limits }];
    },
  ),
  rewriting(
    "only active users are in a tier",
    "a tier that somebody is in stays, whatever their status",
    async (write, { directory }, call) => {
      if (write.kind !== "tier.delete") return [write];
      const { users } = await directory.users(userQuery({ tier: write.name }), call);
      const idle = users.filter(({ status }) => status !== "active");
      return [
        ...idle.map(
          ({ id, version }) =>
            ({ kind: "user.update", userId: id, version, changes: { tier: null } }) as const,
        ),
        write,
      ];
    },
  ),
  rewriting("a required tier is not looked for", "a tier is required to be there", (write) =>
    write.kind === "tier.require" ? [] : [write],
  ),
  broken(
    "a required tier is looked for before the transaction",
    "later writes of a transaction see the earlier ones of a tier",
    ({ commit, tiers }) => ({
      async commit(writes, call) {
        const known = new Set((await tiers(call)).map(({ name }) => name));
        for (const write of writes)
          if (write.kind === "tier.require" && !known.has(write.name))
            return { ok: false, refused: "conflict" };
        return commit(writes, call);
      },
    }),
  ),
  broken(
    "tiers are handed out without a copy",
    "what a reader does to its copy of a tier changes nothing in the store",
    ({ tiers }) => {
      let shared: readonly Tier[] | null = null;
      return {
        async tiers(call) {
          shared ??= await tiers(call);
          return shared;
        },
      };
    },
  ),
  broken(
    "who makes a tier that is there made it",
    "of many who make a tier of one name, or change one version of it, exactly one does",
    ({ commit }) => ({
      async commit(writes, call) {
        const result = await commit(writes, call);
        const isTier = writes.every(({ kind }) => kind === "tier.insert");
        return !result.ok && isTier ? { ok: true, ended: [], reported: [] } : result;
      },
    }),
  ),
  rewriting(
    "a tier is required before the transaction, not in it",
    "nobody gets into a tier while it is deleted",
    async (write, { directory }, call) => {
      if (write.kind !== "tier.require") return [write];
      const isThere = (await directory.tiers(call)).some(({ name }) => name === write.name);
      await yieldOnce();
      return isThere ? [] : [write];
    },
  ),
];
