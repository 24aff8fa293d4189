import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ApiKey } from "../../domain/api-key.ts";
import type { Committed, Write } from "../../ports/store.ts";
import { counts, hourOf, record } from "./api-key-uses.ts";
import { addApiKey, addLinkedAccount, addUser, committed, winners, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

const racers = 20;

async function commitAll(
  trial: Trial,
  count: number,
  writes: (index: number) => readonly Write[],
): Promise<readonly Committed[]> {
  return race(trial, count, ({ directory }, index) => directory.commit(writes(index), trial.call()));
}

/** API keys and linked accounts under concurrent calls, over two handles where the backend has them. */
export const credentialRaces: Rules = {
  "of two who remove the last two linked accounts at once one is refused": async (trial) => {
    for (let round = 0; round < 5; round++) {
      const user = await addUser(trial);
      const pair = [await addLinkedAccount(trial, user), await addLinkedAccount(trial, user)];
      const results = await commitAll(trial, 2, (index) =>
        pair.slice(index, index + 1).map((account) => write.unlink(account)),
      );
      strictEqual(winners(results, "last_credential"), 1);
      const left = await trial.stores.directory.linkedAccounts(user.id, trial.call());
      deepStrictEqual(
        left.map(({ id }) => id),
        pair.filter((_, index) => results[index]?.ok === false).map(({ id }) => id),
      );
    }
  },

  "of many who remove one linked account exactly one does": async (trial) => {
    const user = await addUser(trial);
    const [account] = [await addLinkedAccount(trial, user), await addLinkedAccount(trial, user)];
    strictEqual(winners(await commitAll(trial, racers, () => [write.unlink(account)]), "conflict"), 1);
  },

  "of many who link one account at a provider exactly one does": async (trial) => {
    const users = [await addUser(trial), await addUser(trial), await addUser(trial)] as const;
    const accounts = Array.from({ length: racers }, (_, index) =>
      trial.make.linkedAccount(users[index % 3] ?? users[0], { subject: "same" }),
    );
    const results = await commitAll(trial, racers, (index) =>
      accounts.slice(index, index + 1).map(write.link),
    );
    strictEqual(winners(results, "conflict"), 1);
    const winner = accounts[results.findIndex((result) => result.ok)];
    ok(winner !== undefined);
    const found = await trial.stores.directory.linkedAccount(winner, trial.call());
    deepStrictEqual([found?.account.id, found?.user.id], [winner.id, winner.userId]);
    const lists = await Promise.all(
      users.map(({ id }) => trial.stores.directory.linkedAccounts(id, trial.call())),
    );
    strictEqual(lists.flat().length, 1);
  },

  "of many concurrent changes of one key, or of one linked account, exactly one succeeds": async (trial) => {
    const user = await addUser(trial);
    const [key, account] = [await addApiKey(trial, user), await addLinkedAccount(trial, user)];
    const toKey = await commitAll(trial, racers, (index) => [write.updateKey(key, { name: `${index}` })]);
    const toAccount = await commitAll(trial, racers, (index) => [
      write.updateLink(account, { email: `${index}` }),
    ]);
    deepStrictEqual([winners(toKey, "conflict"), winners(toAccount, "conflict")], [1, 1]);
    const [keyAfter] = await trial.stores.directory.apiKeys(user.id, trial.call());
    const [accountAfter] = await trial.stores.directory.linkedAccounts(user.id, trial.call());
    deepStrictEqual(
      [keyAfter?.name, keyAfter?.version, accountAfter?.email, accountAfter?.version],
      [`${toKey.findIndex(isDone)}`, 2, `${toAccount.findIndex(isDone)}`, 2],
    );
  },

  "of many keys with one id exactly one is inserted, and of many who delete it exactly one does": async (
    trial,
  ) => {
    const user = await addUser(trial);
    const key = trial.make.apiKey(user);
    const inserted = await commitAll(trial, racers, () => [write.apiKey(key)]);
    const deleted = await commitAll(trial, racers, () => [write.deleteKey(key)]);
    deepStrictEqual([winners(inserted, "conflict"), winners(deleted, "conflict")], [1, 1]);
  },

  "uses that are recorded at once are all counted, in whatever order they name the keys": async (trial) => {
    const user = await addUser(trial);
    const keys: ApiKey[] = [];
    for (let index = 0; index < 4; index++) keys.push(await addApiKey(trial, user));
    const now = trial.clock.now();
    const latest = new Date(now.getTime() + racers - 1);
    const paths = ["/b", "/a", "/c"];
    await race(trial, racers, ({ directory }, index) => {
      const turned = <T>(list: readonly T[]): readonly T[] => (index % 3 === 0 ? list.toReversed() : list);
      const usage = turned(paths).map(
        (path) => ({ hour: hourOf(now), statusClass: 2, path, count: index + 1 }) as const,
      );
      // The latest is not the last to come.
      const lastUsedAt = new Date(now.getTime() + ((index * 7) % racers));
      const uses = turned(keys).map(({ id }) => ({ keyId: id, lastUsedAt, usage }));
      return directory.recordApiKeyUses(uses, trial.call());
    });
    const sum = (racers * (racers + 1)) / 2;
    for (const key of keys) {
      deepStrictEqual(await counts(trial, key), [sum, sum, sum]);
      const read = await trial.stores.directory.apiKey(key.id, trial.call());
      deepStrictEqual([read?.key.lastUsedAt, read?.key.version], [latest, 1]);
    }
  },

  "neither uses nor changes of a key that race each other are lost": async (trial) => {
    const key = await addApiKey(trial, await addUser(trial));
    for (let version = 1; version <= 20; version++) {
      trial.clock.advance(1);
      const name = `name ${version}`;
      const [changed] = await Promise.all([
        trial.stores.directory.commit([write.updateKey({ ...key, version }, { name })], trial.call()),
        record({ ...trial, stores: await trial.another() }, [key]),
      ]);
      strictEqual(changed.ok, true);
      const read = (await trial.stores.directory.apiKey(key.id, trial.call()))?.key;
      deepStrictEqual([read?.version, read?.name, read?.lastUsedAt], [version + 1, name, trial.clock.now()]);
    }
    deepStrictEqual(await counts(trial, key), [20]);
  },

  "uses that race the end of their key leave nothing behind": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    for (let round = 0; round < 4; round++) {
      const [key, kept] = [await addApiKey(trial, user), await addApiKey(trial, other)];
      const end = round % 2 === 0 ? write.deleteKey(key) : write.erase(user.id);
      await race(trial, racers, async ({ directory }, index) => {
        if (index === 7) return directory.commit([end], trial.call());
        return record({ ...trial, stores: { ...trial.stores, directory } }, [key, kept]);
      });
      strictEqual(await trial.stores.directory.apiKey(key.id, trial.call()), null);
      deepStrictEqual([await counts(trial, key), await counts(trial, kept)], [[], [racers - 1]]);
      await committed(trial, [write.apiKey({ ...key, userId: other.id })]);
      deepStrictEqual(await counts(trial, key), []);
    }
  },

  "no key and no linked account that races an erasure is left with nobody": async (trial) => {
    for (let round = 0; round < 4; round++) {
      const user = await addUser(trial);
      const results = await commitAll(trial, racers, (index) => {
        if (index === 5 + round) return [write.erase(user.id)];
        const added =
          index % 2 === 0
            ? write.apiKey(trial.make.apiKey(user))
            : write.link(trial.make.linkedAccount(user));
        return [write.require(user), added];
      });
      strictEqual(winners(results, "stale") > 0, true);
      const { directory } = trial.stores;
      deepStrictEqual([...(await directory.apiKeys(user.id, trial.call()))], []);
      deepStrictEqual([...(await directory.linkedAccounts(user.id, trial.call()))], []);
    }
  },

  "a reader never sees a key, or a linked account, of one instant with the user of another": async (
    trial,
  ) => {
    const user = await addUser(trial, { name: "1" });
    const key = await addApiKey(trial, user, { name: "1" });
    const account = await addLinkedAccount(trial, user, { email: "1" });
    const change = (version: number): readonly Write[] => {
      const text = `${version + 1}`;
      return [
        write.update({ ...user, version }, { name: text }),
        write.updateKey({ ...key, version }, { name: text }),
        write.updateLink({ ...account, version }, { email: text }),
      ];
    };
    const results = await race(trial, 60, async ({ directory }, index): Promise<string> => {
      if (index % 3 === 0) {
        await directory.commit(change(index / 3 + 1), trial.call());
        return "fits";
      }
      if (index % 3 === 1) {
        const read = await directory.apiKey(key.id, trial.call());
        return read?.key.name === read?.user.name ? "fits" : `a key of ${read?.key.name}`;
      }
      const read = await directory.linkedAccount(account, trial.call());
      return read?.account.email === read?.user.name ? "fits" : `an account of ${read?.account.email}`;
    });
    deepStrictEqual([...new Set(results)], ["fits"]);
  },

  "a key that one handle deletes, or changes, is so for another at once": async (trial) => {
    const other = await trial.another();
    const user = await addUser(trial);
    const key = await addApiKey(trial, user);
    const read = async (): Promise<string | undefined> =>
      (await other.directory.apiKey(key.id, trial.call()))?.key.name;
    strictEqual(await read(), key.name);
    await committed(trial, [write.updateKey(key, { name: "new" })]);
    strictEqual(await read(), "new");
    await committed(trial, [write.deleteKey(key)]);
    strictEqual(await read(), undefined);
  },
};

function isDone({ ok }: Committed): boolean {
  return ok;
}
