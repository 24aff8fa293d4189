import { deepStrictEqual } from "node:assert/strict";
import type { ApiKey, ApiKeyUsage } from "../../domain/api-key.ts";
import { hostileTexts } from "./hostile.ts";
import { same } from "./same.ts";
import { addApiKey, addUser, committed, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

/** The record of what API keys were used for, one call at a time. */
export const apiKeyUseRules: Rules = {
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
