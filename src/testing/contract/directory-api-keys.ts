import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ApiKey, ApiKeyChanges, ApiKeyUsage } from "../../domain/api-key.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same, scribble } from "./same.ts";
import { addApiKey, addUser, committed, refused, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

/** A key with something in every field. */
function fullKey({ make, clock }: Trial, user: { readonly id: string }): ApiKey {
  const at = (ms: number): Date => new Date(clock.now().getTime() + ms);
  return make.apiKey(user, {
    name: 'deploy "🔑" O\'Neil \u202e\n, n\u0303 \u00f1',
    permissions: ["invoice:read", ...hostileTexts.slice(0, -1)],
    limits: { perMinute: 60, perDay: 5_000_000_000 },
    allowedIps: ["192.0.2.0/24", "2001:db8::/32"],
    expiresAt: at(86_400_123),
    lastUsedAt: at(-1),
    rotatedFrom: "r".repeat(16),
    version: 3,
    createdAt: at(-86_400_123),
    updatedAt: at(-7),
  });
}

/** API keys and the record of their uses, one call at a time. */
export const apiKeyRules: Rules = {
  "an API key comes back as inserted, together with its owner": async (trial) => {
    const { stores, call, make } = trial;
    const user = await addUser(trial, { roles: ["editor"] });
    for (const key of [make.apiKey(user), fullKey(trial, user)]) {
      await committed(trial, [write.apiKey(key)]);
      same(await stores.directory.apiKey(key.id, call()), { key, user });
    }
  },

  "what names no API key is null, however hostile": async (trial) => {
    const { directory } = trial.stores;
    const key = await addApiKey(trial, await addUser(trial), { id: "Abcdefghijklmnop" });
    const near = [withNul(key.id), `${key.id} `, key.id.toLowerCase(), key.id.slice(0, -1), key.userId];
    for (const id of [...hostileTexts, ...hostileTexts.map(withNul), ...near]) {
      strictEqual(await directory.apiKey(id, trial.call()), null);
      const query = { keyId: id, from: new Date(0), limit: 9 };
      deepStrictEqual([...(await directory.apiKeyUsage(query, trial.call()))], []);
      if (id !== key.userId) deepStrictEqual([...(await directory.apiKeys(id, trial.call()))], []);
    }
  },

  "a key is found expired or not, whatever its owner's status": async (trial) => {
    for (const status of ["disabled", "deleted", "anonymized"] as const) {
      const user = await addUser(trial, { status });
      const key = await addApiKey(trial, user, { expiresAt: trial.clock.now() });
      trial.clock.advance(1);
      same(await trial.stores.directory.apiKey(key.id, trial.call()), { key, user });
      same(await trial.stores.directory.apiKeys(user.id, trial.call()), [key]);
    }
  },

  "keys are listed newest first, those of their owner alone": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const now = trial.clock.now().getTime();
    const keys: ApiKey[] = [];
    for (const seconds of [20, 30, 10]) {
      keys.push(await addApiKey(trial, user, { createdAt: new Date(now + seconds * 1000) }));
    }
    await addApiKey(trial, other);
    const [second, first, third] = keys;
    same(await trial.stores.directory.apiKeys(user.id, trial.call()), [first, second, third]);
    same(await trial.stores.directory.apiKeys((await addUser(trial)).id, trial.call()), []);
  },

  "an update of a key changes the named fields alone and counts the version": async (trial) => {
    const user = await addUser(trial);
    const key = fullKey(trial, user);
    await committed(trial, [write.apiKey(key)]);
    trial.clock.advance(60);
    const changes: ApiKeyChanges = { name: "new", expiresAt: null };
    await committed(trial, [write.updateKey(key, changes)]);
    const after = { ...key, ...changes, version: key.version + 1, updatedAt: trial.clock.now() };
    same(await trial.stores.directory.apiKey(key.id, trial.call()), { key: after, user });
  },

  "every field of a key that may change does, and no other": async (trial) => {
    const user = await addUser(trial);
    const key = await addApiKey(trial, user);
    const { name, permissions, limits, allowedIps, expiresAt, ...fixed } = fullKey(trial, user);
    const changes = { name, permissions, limits, allowedIps, expiresAt };
    await committed(trial, [write.updateKey(key, { ...fixed, ...changes, id: "other" } as ApiKeyChanges)]);
    const after = { ...key, ...changes, version: 2 };
    same(await trial.stores.directory.apiKeys(user.id, trial.call()), [after]);
  },

  "a field of a key given as undefined is not changed": async (trial) => {
    const user = await addUser(trial);
    const key = fullKey(trial, user);
    await committed(trial, [write.apiKey(key)]);
    const nothing = {
      permissions: undefined,
      limits: undefined,
      allowedIps: undefined,
      expiresAt: undefined,
    };
    await committed(trial, [write.updateKey(key, { ...nothing, name: "new" })]);
    const after = { ...key, name: "new", version: key.version + 1, updatedAt: trial.clock.now() };
    same(await trial.stores.directory.apiKeys(user.id, trial.call()), [after]);
  },

  "a deleted key is gone, with all that it was used for": async (trial) => {
    const { directory } = trial.stores;
    const user = await addUser(trial);
    const [key, other] = [await addApiKey(trial, user), await addApiKey(trial, user)];
    await record(trial, [key, other]);
    await committed(trial, [write.deleteKey(key)]);
    strictEqual(await directory.apiKey(key.id, trial.call()), null);
    deepStrictEqual(await counts(trial, key), []);
    deepStrictEqual(await counts(trial, other), [1]);
    deepStrictEqual(
      (await directory.apiKeys(user.id, trial.call())).map(({ id }) => id),
      [other.id],
    );
    await committed(trial, [write.apiKey(key)]);
    deepStrictEqual(await counts(trial, key), [], "its uses do not come back with its id");
  },

  "a key whose owner is gone is gone": async (trial) => {
    if (trial.removeUser === null) return;
    const user = await addUser(trial);
    const key = await addApiKey(trial, user);
    await record(trial, [key]);
    await trial.removeUser(user.id);
    await trial.stores.directory.forget(user.id, trial.call());
    strictEqual(await trial.stores.directory.apiKey(key.id, trial.call()), null);
    deepStrictEqual([...(await trial.stores.directory.apiKeys(user.id, trial.call()))], []);
  },

  "uses are added up, and the last one moves forward only": async (trial) => {
    const { stores, clock, call } = trial;
    const user = await addUser(trial);
    const key = await addApiKey(trial, user);
    const [hour, early] = [hourOf(clock.now()), new Date(clock.now().getTime() - 5_000)];
    const use = { hour, statusClass: 2, path: "/invoices" } as const;
    for (const [lastUsedAt, count] of [
      [clock.now(), 3],
      [early, 7_000_000_000],
    ] as const) {
      const uses = [{ keyId: key.id, lastUsedAt, usage: [{ ...use, count }] }];
      await stores.directory.recordApiKeyUses(uses, call());
    }
    same(await usage(trial, key), [{ keyId: key.id, ...use, count: 7_000_000_003 }]);
    // No change of the row by its owner: the version stays.
    same(await stores.directory.apiKey(key.id, call()), { key: { ...key, lastUsedAt: clock.now() }, user });
    clock.advance(9);
    await record(trial, [key]);
    same((await stores.directory.apiKey(key.id, call()))?.key.lastUsedAt, clock.now());
  },

  "what is named twice in one record counts twice": async (trial) => {
    const key = await addApiKey(trial, await addUser(trial));
    const [now, later] = [trial.clock.now(), new Date(trial.clock.now().getTime() + 1)];
    const use = { hour: hourOf(now), statusClass: 2, path: "/a", count: 1 } as const;
    const uses = [
      { keyId: key.id, lastUsedAt: later, usage: [use, { ...use, count: 2 }, { ...use, path: "/b" }] },
      { keyId: key.id, lastUsedAt: now, usage: [{ ...use, count: 4 }] },
    ];
    await trial.stores.directory.recordApiKeyUses(uses, trial.call());
    deepStrictEqual(await counts(trial, key), [7, 1]);
    same((await trial.stores.directory.apiKey(key.id, trial.call()))?.key.lastUsedAt, later);
  },

  "uses of a key that is gone are dropped, those of the others are not": async (trial) => {
    const user = await addUser(trial);
    const [gone, key] = [trial.make.apiKey(user, { id: "0".repeat(16) }), await addApiKey(trial, user)];
    const strange = hostileTexts.map((id) => trial.make.apiKey(user, { id }));
    await record(trial, [gone, ...strange, key]);
    await record(trial, [gone]);
    await record(trial, []);
    deepStrictEqual(await counts(trial, key), [1]);
    await committed(trial, [write.apiKey(gone)]);
    deepStrictEqual(await counts(trial, gone), []);
  },

  "a use without any answer moves the last use all the same": async (trial) => {
    const key = await addApiKey(trial, await addUser(trial));
    const lastUsedAt = trial.clock.now();
    await trial.stores.directory.recordApiKeyUses([{ keyId: key.id, lastUsedAt, usage: [] }], trial.call());
    same((await trial.stores.directory.apiKey(key.id, trial.call()))?.key.lastUsedAt, lastUsedAt);
    deepStrictEqual(await counts(trial, key), []);
  },

  "uses are told apart by hour, class and path to the letter, oldest hour first, up to the limit": async (
    trial,
  ) => {
    const user = await addUser(trial);
    const [key, other] = [await addApiKey(trial, user), await addApiKey(trial, user)];
    const hour = (after: number): Date => new Date(hourOf(trial.clock.now()).getTime() + after * 3_600_000);
    const paths = ["/", "/a", "/A", "/a ", "/é", "/e\u0301", "/%C3%A9", "/a'--", `/${"x".repeat(199)}`];
    const all: Omit<ApiKeyUsage, "keyId">[] = [3, 1, 2].flatMap((after) =>
      paths.flatMap((path, index) =>
        ([1, 2, 3, 4, 5] as const).map((statusClass) => ({
          hour: hour(after),
          statusClass,
          path,
          count: 1_000 * after + 10 * index + statusClass,
        })),
      ),
    );
    const lastUsedAt = trial.clock.now();
    const uses = [
      { keyId: key.id, lastUsedAt, usage: all },
      { keyId: other.id, lastUsedAt, usage: all.slice(0, 1) },
    ];
    await trial.stores.directory.recordApiKeyUses(uses, trial.call());
    const read = await usage(trial, key);
    same(read.toSorted(byCount), all.map((each) => ({ keyId: key.id, ...each })).toSorted(byCount));
    const hours = read.map((each) => each.hour.getTime());
    deepStrictEqual(
      hours,
      hours.toSorted((a, b) => a - b),
    );
    same(await usage(trial, key, { from: hour(2) }), read.slice(read.length / 3));
    same(
      await usage(trial, key, { from: new Date(hour(2).getTime() + 1) }),
      read.slice((read.length * 2) / 3),
    );
    same(
      await usage(trial, key, { from: hour(2), limit: 2 }),
      read.slice(read.length / 3, read.length / 3 + 2),
    );
    deepStrictEqual(await counts(trial, other), [3_001]);
  },

  "a key is changed and deleted by its owner alone": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const key = await addApiKey(trial, user);
    const taken = { ...key, userId: other.id };
    await refused(trial, [write.updateKey(taken, { name: "x" })], "conflict");
    await refused(trial, [write.deleteKey(taken)], "conflict");
    same(await trial.stores.directory.apiKeys(user.id, trial.call()), [key]);
  },

  "what a reader does to its copy of a key changes nothing in the store": async (trial) => {
    const user = await addUser(trial);
    const key = await addApiKey(trial, user, { permissions: ["invoice:read"], allowedIps: ["192.0.2.1"] });
    const read = await trial.stores.directory.apiKey(key.id, trial.call());
    for (const part of [read?.key.permissions, read?.key.limits, read?.key.allowedIps]) scribble(part);
    read?.key.secretDigest.fill(0);
    same(await trial.stores.directory.apiKey(key.id, trial.call()), { key, user });
  },

  "erasing a user takes their keys and all that these were used for, and nobody else's": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const [key, kept] = [await addApiKey(trial, user), await addApiKey(trial, other)];
    await record(trial, [key, kept]);
    await committed(trial, [write.erase(user.id)]);
    strictEqual(await trial.stores.directory.apiKey(key.id, trial.call()), null);
    deepStrictEqual([...(await trial.stores.directory.apiKeys(user.id, trial.call()))], []);
    deepStrictEqual(await counts(trial, key), []);
    deepStrictEqual(await counts(trial, kept), [1]);
    await committed(trial, [write.apiKey({ ...key, userId: other.id })]);
    deepStrictEqual(await counts(trial, key), []);
  },

  "later writes of a transaction see the earlier ones of a key": async (trial) => {
    const user = trial.make.user();
    const key = trial.make.apiKey(user);
    await committed(trial, [
      write.user(user),
      write.apiKey(key),
      write.updateKey(key, { name: "second" }),
      write.updateKey({ ...key, version: 2 }, { name: "third" }),
    ]);
    const read = await trial.stores.directory.apiKeys(user.id, trial.call());
    deepStrictEqual(
      read.map(({ name, version }) => [name, version]),
      [["third", 3]],
    );
    await refused(trial, [write.deleteKey(key), write.deleteKey(key)], "conflict");
    await refused(trial, [write.deleteKey(key), write.updateKey({ ...key, version: 3 }, {})], "conflict");
    await committed(trial, [write.deleteKey(key), write.apiKey(key)]);
  },
};

/** The full hour of an instant. */
export function hourOf(instant: Date): Date {
  return new Date(Math.floor(instant.getTime() / 3_600_000) * 3_600_000);
}

/** Records one use of each key, now. */
export async function record(
  { stores, clock, call }: Trial,
  keys: readonly Pick<ApiKey, "id">[],
): Promise<void> {
  const once = { hour: hourOf(clock.now()), statusClass: 2, path: "/", count: 1 } as const;
  const uses = keys.map(({ id }) => ({ keyId: id, lastUsedAt: clock.now(), usage: [once] }));
  await stores.directory.recordApiKeyUses(uses, call());
}

/** What is on record of a key's uses. */
export async function usage(
  { stores, call }: Trial,
  { id: keyId }: Pick<ApiKey, "id">,
  { from = new Date(0), limit = 1_000 }: { readonly from?: Date; readonly limit?: number } = {},
): Promise<readonly ApiKeyUsage[]> {
  return stores.directory.apiKeyUsage({ keyId, from, limit }, call());
}

/** The counts of {@link usage}, largest first. */
export async function counts(trial: Trial, key: Pick<ApiKey, "id">): Promise<readonly number[]> {
  return (await usage(trial, key)).map(({ count }) => count).toSorted((a, b) => b - a);
}

function byCount(a: ApiKeyUsage, b: ApiKeyUsage): number {
  return a.count - b.count;
}
