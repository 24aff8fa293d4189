import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { ApiKey, ApiKeyChanges } from "../../domain/api-key.ts";
import { counts, record } from "./api-key-uses.ts";
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

/** API keys, one call at a time. */
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
