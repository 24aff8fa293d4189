import type { ApiKeyUsage } from "../../../src/domain/api-key.ts";
import type { DirectoryStore } from "../../../src/ports/directory-store.ts";
import type { Committed, Write } from "../../../src/ports/store.ts";
import { type Broken, brokenDirectory as broken, insisting, rewriting, yieldOnce } from "./broken.ts";

const undone = (refusal: string, words: string): string =>
  `${refusal}, with all writes undone, where ${words}`;

const done: Committed = { ok: true, ended: [], reported: [] };

/** A directory that takes a refusal for an answer that suits it. */
function shrugging(mistake: string, caughtBy: string, refusal: string, kind: Write["kind"]): Broken {
  return broken(mistake, caughtBy, ({ commit }) => ({
    async commit(writes, call) {
      const result = await commit(writes, call);
      const isMeant = !result.ok && result.refused === refusal && writes.some((write) => write.kind === kind);
      return isMeant ? done : result;
    },
  }));
}

/** A directory that keeps what keys were used for in a place of its own. */
function counting(mistake: string, caughtBy: string, pause: () => Promise<void>): Broken {
  const perStores = new WeakMap<object, Map<string, ApiKeyUsage>>();
  return broken(mistake, caughtBy, (_, stores) => {
    const rows = perStores.get(stores.directory.engine) ?? new Map<string, ApiKeyUsage>();
    perStores.set(stores.directory.engine, rows);
    return {
      async recordApiKeyUses(uses) {
        for (const { keyId, usage } of uses)
          for (const each of usage) {
            const name = `${keyId} ${each.hour.getTime()} ${each.statusClass} ${each.path}`;
            const before = rows.get(name)?.count ?? 0;
            await pause();
            rows.set(name, { keyId, ...each, count: before + each.count });
          }
      },
      apiKeyUsage: ({ keyId }) => [...rows.values()].filter((row) => row.keyId === keyId),
    };
  });
}

/** A directory that answers keys changed by `change`. */
function misreading(
  mistake: string,
  caughtBy: string,
  change: (
    found: NonNullable<Awaited<ReturnType<DirectoryStore["apiKey"]>>>,
    now: Date,
  ) => typeof found | null,
): Broken {
  return broken(mistake, caughtBy, ({ apiKey }) => ({
    async apiKey(keyId, call) {
      const found = await apiKey(keyId, call);
      return found === null ? null : change(found, call.now);
    },
  }));
}

/** Mistakes with API keys, and with what they were used for. */
export const brokenApiKeys: readonly Broken[] = [
  misreading(
    "a key's times are kept in whole seconds",
    "an API key comes back as inserted, together with its owner",
    ({ key, user }) => ({
      key: { ...key, createdAt: new Date(Math.floor(key.createdAt.getTime() / 1000) * 1000) },
      user,
    }),
  ),
  broken("lookups of keys end at a NUL", "what names no API key is null, however hostile", ({ apiKey }) => ({
    apiKey: (id, call) => apiKey(id.split("\u0000")[0] ?? "", call),
  })),
  misreading(
    "an expired key is not found",
    "a key is found expired or not, whatever its owner's status",
    (found, now) => (found.key.expiresAt !== null && found.key.expiresAt < now ? null : found),
  ),
  broken(
    "keys are listed oldest first",
    "keys are listed newest first, those of their owner alone",
    ({ apiKeys }) => ({ apiKeys: async (id, call) => (await apiKeys(id, call)).toReversed() }),
  ),
  rewriting(
    "changes of a key are forgotten",
    "an update of a key changes the named fields alone and counts the version",
    (write) => (write.kind === "api_key.update" ? [] : [write]),
  ),
  rewriting(
    "a key's limits cannot be changed",
    "every field of a key that may change does, and no other",
    (write) => {
      if (write.kind !== "api_key.update") return [write];
      const { limits, ...changes } = write.changes;
      return [{ ...write, changes }];
    },
  ),
  rewriting(
    "what is undefined in a change of a key is written as null",
    "a field of a key given as undefined is not changed",
    (write) => {
      if (write.kind !== "api_key.update") return [write];
      return [{ ...write, changes: { ...write.changes, expiresAt: write.changes.expiresAt ?? null } }];
    },
  ),
  counting(
    "uses outlive their key",
    "a deleted key is gone, with all that it was used for",
    async () => undefined,
  ),
  counting(
    "uses outlive a key that is erased",
    "erasing a user takes their keys and all that these were used for, and nobody else's",
    async () => undefined,
  ),
  counting(
    "uses of unknown keys are kept",
    "uses of a key that is gone are dropped, those of the others are not",
    async () => undefined,
  ),
  counting(
    "counts are read, and written later",
    "uses that are recorded at once are all counted, in whatever order they name the keys",
    yieldOnce,
  ),
  counting(
    "uses are counted for keys that are gone by then",
    "uses that race the end of their key leave nothing behind",
    yieldOnce,
  ),
  broken(
    "the last use is the one that was told last",
    "uses are added up, and the last one moves forward only",
    ({ apiKey, recordApiKeyUses }) => {
      const told = new Map<string, Date>();
      return {
        async recordApiKeyUses(uses, call) {
          for (const { keyId, lastUsedAt } of uses) told.set(keyId, lastUsedAt);
          await recordApiKeyUses(uses, call);
        },
        async apiKey(keyId, call) {
          const found = await apiKey(keyId, call);
          const lastUsedAt = told.get(keyId) ?? null;
          return found === null ? null : { ...found, key: { ...found.key, lastUsedAt } };
        },
      };
    },
  ),
  broken(
    "of a key named twice the last counts",
    "what is named twice in one record counts twice",
    ({ recordApiKeyUses }) => ({
      recordApiKeyUses: (uses, call) =>
        recordApiKeyUses([...new Map(uses.map((each) => [each.keyId, each])).values()], call),
    }),
  ),
  broken(
    "one key that is gone takes the others' uses with it",
    "uses of a key that is gone are dropped, those of the others are not",
    ({ apiKey, recordApiKeyUses }) => ({
      async recordApiKeyUses(uses, call) {
        for (const { keyId } of uses) if ((await apiKey(keyId, call)) === null) return;
        await recordApiKeyUses(uses, call);
      },
    }),
  ),
  broken(
    "uses without an answer are left out",
    "a use without any answer moves the last use all the same",
    ({ recordApiKeyUses }) => ({
      recordApiKeyUses: (uses, call) =>
        recordApiKeyUses(
          uses.filter(({ usage }) => usage.length > 0),
          call,
        ),
    }),
  ),
  ...(["path", "order", "limit", "start"] as const).map((what) =>
    broken(
      `uses are answered with another ${what}`,
      "uses are told apart by hour, class and path to the letter, oldest hour first, up to the limit",
      ({ apiKeyUsage }) => ({
        async apiKeyUsage(query, call) {
          const from = what === "start" ? new Date(query.from.getTime() + 1) : query.from;
          const limit = what === "limit" ? query.limit + 1 : query.limit;
          const rows = await apiKeyUsage({ ...query, from, limit }, call);
          if (what === "order") return rows.toReversed();
          return what === "path" ? rows.map((row) => ({ ...row, path: row.path.trim() })) : rows;
        },
      }),
    ),
  ),
  rewriting(
    "anybody may change and delete a key",
    "a key is changed and deleted by its owner alone",
    async (write, { directory }, call) => {
      if (write.kind !== "api_key.update" && write.kind !== "api_key.delete") return [write];
      const found = await directory.apiKey(write.keyId, call);
      return [{ ...write, userId: found?.user.id ?? write.userId }];
    },
  ),
  broken(
    "keys are handed out without a copy",
    "what a reader does to its copy of a key changes nothing in the store",
    ({ apiKey }) => {
      const shared = new Map<string, Awaited<ReturnType<typeof apiKey>>>();
      return {
        async apiKey(id, call) {
          if (!shared.has(id)) shared.set(id, await apiKey(id, call));
          return shared.get(id) ?? null;
        },
      };
    },
  ),
  rewriting(
    "a key's version is compared with the one before the transaction",
    "later writes of a transaction see the earlier ones of a key",
    async (write, { directory }, call) => {
      if (write.kind !== "api_key.update") return [write];
      return [{ ...write, version: (await directory.apiKey(write.keyId, call))?.key.version ?? 0 }];
    },
  ),
  broken(
    "uses are recorded one after the other",
    "uses that cannot be recorded as a whole are not recorded at all",
    ({ recordApiKeyUses }) => ({
      async recordApiKeyUses(uses, call) {
        for (const each of uses)
          for (const one of each.usage) await recordApiKeyUses([{ ...each, usage: [one] }], call);
      },
    }),
  ),
  broken(
    "a use counts as a change of the key",
    "neither uses nor changes of a key that race each other are lost",
    ({ apiKey, commit, recordApiKeyUses }) => ({
      async recordApiKeyUses(uses, call) {
        await recordApiKeyUses(uses, call);
        for (const { keyId } of uses) {
          const found = await apiKey(keyId, call);
          if (found === null) continue;
          const { userId, version } = found.key;
          await commit([{ kind: "api_key.update", keyId, userId, version, changes: {} }], call);
        }
      },
    }),
  ),
  shrugging(
    "a key that is there counts as inserted",
    "of many keys with one id exactly one is inserted, and of many who delete it exactly one does",
    "conflict",
    "api_key.insert",
  ),
  shrugging(
    "a key that is gone counts as deleted",
    "of many keys with one id exactly one is inserted, and of many who delete it exactly one does",
    "conflict",
    "api_key.delete",
  ),
  rewriting(
    "any version of a key may be changed",
    undone("conflict", "the API key to change has another version"),
    async (write, { directory }, call) => {
      if (write.kind !== "api_key.update") return [write];
      return [
        { ...write, version: (await directory.apiKey(write.keyId, call))?.key.version ?? write.version },
      ];
    },
  ),
  broken(
    "a key and its owner are read one after the other",
    "a reader never sees a key, or a linked account, of one instant with the user of another",
    ({ apiKey, user }) => ({
      async apiKey(keyId, call) {
        const found = await apiKey(keyId, call);
        await yieldOnce();
        const owner = found === null ? null : await user(found.key.userId, call);
        return found === null || owner === null ? null : { key: found.key, user: owner };
      },
    }),
  ),
  broken(
    "keys are cached per handle",
    "a key that one handle deletes, or changes, is so for another at once",
    ({ apiKey }) => {
      const cached = new Map<string, Awaited<ReturnType<typeof apiKey>>>();
      return {
        async apiKey(id, call) {
          const known = cached.get(id) ?? (await apiKey(id, call));
          cached.set(id, known);
          return known;
        },
      };
    },
  ),
  rewriting(
    "the owner of a new key is not required",
    "no key and no linked account that races an erasure is left with nobody",
    (write) => (write.kind === "user.require" ? [] : [write]),
  ),
  rewriting(
    "ten revoked tokens are remembered",
    "as many revoked tokens as a row remembers are remembered",
    (write) => {
      if (write.kind !== "user.update" || write.changes.revokedTokens === undefined) return [write];
      return [
        { ...write, changes: { ...write.changes, revokedTokens: write.changes.revokedTokens.slice(-10) } },
      ];
    },
  ),
  insisting(
    "the last change of a key wins",
    "of many concurrent changes of one key, or of one linked account, exactly one succeeds",
    async (write, { directory }, call) => {
      if (write.kind !== "api_key.update") return write;
      const found = await directory.apiKey(write.keyId, call);
      return { ...write, version: found?.key.version ?? write.version };
    },
  ),
];
