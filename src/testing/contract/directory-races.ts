import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { User } from "../../domain/user.ts";
import type { Committed, Write } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { auditQuery } from "../queries.ts";
import { addUser, committed, winners, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

const racers = 30;

/** Commits one list for each racer, all at once. */
async function commitAll(
  trial: Trial,
  count: number,
  writes: (index: number) => readonly Write[],
): Promise<readonly Committed[]> {
  return race(trial, count, ({ directory }, index) => directory.commit(writes(index), trial.call()));
}

/** Users, passwords and the audit log under concurrent transactions. */
export const directoryRaces: Rules = {
  "of many concurrent users with one address exactly one is inserted": async (trial) => {
    const users = Array.from({ length: racers }, () => trial.make.user({ email: "Same@Example.com" }));
    const results = await commitAll(trial, racers, (index) => users.slice(index, index + 1).map(write.user));
    strictEqual(winners(results, "email_taken"), 1);
    const read = await Promise.all(users.map(({ id }) => trial.stores.directory.user(id, trial.call())));
    strictEqual(read.filter((user) => user !== null).length, 1);
  },

  "of many concurrent users with one username exactly one is inserted": async (trial) => {
    const users = Array.from({ length: racers }, () => trial.make.user({ username: "same" }));
    const results = await commitAll(trial, racers, (index) => users.slice(index, index + 1).map(write.user));
    strictEqual(winners(results, "username_taken"), 1);
  },

  "of many concurrent changes to one address or username exactly one succeeds": async (trial) => {
    const users: User[] = [];
    for (let index = 0; index < racers; index++) users.push(await addUser(trial));
    const toEmail = await commitAll(trial, racers, (index) =>
      users
        .slice(index, index + 1)
        .map((user) => write.update(user, { email: "s@x.example", emailKey: "s@x.example" })),
    );
    strictEqual(winners(toEmail, "email_taken"), 1);
    const losers = users.filter((_, index) => toEmail[index]?.ok === false);
    const toName = await commitAll(trial, losers.length, (index) =>
      losers.slice(index, index + 1).map((user) => write.update(user, { username: "same" })),
    );
    strictEqual(winners(toName, "username_taken"), 1);
  },

  "of many concurrent first users exactly one is": async (trial) => {
    const results = await commitAll(trial, racers, () => [
      { kind: "directory.require_empty" },
      write.user(trial.make.user({ isSuperuser: true })),
    ]);
    strictEqual(winners(results, "first_user_exists"), 1);
  },

  "of two superusers who step down at once one stays": async (trial) => {
    for (let round = 0; round < 5; round++) {
      const pair = [await addUser(trial, { isSuperuser: true }), await addUser(trial, { isSuperuser: true })];
      const results = await commitAll(trial, 2, (index) =>
        pair
          .slice(index, index + 1)
          .flatMap((user) => [
            { kind: "directory.require_other_superuser", userId: user.id },
            write.update(user, { isSuperuser: false }),
          ]),
      );
      strictEqual(winners(results, "last_superuser"), 1);
      const stayed = pair.filter((_, index) => results[index]?.ok === false);
      await committed(
        trial,
        stayed.map((user) => write.update(user, { status: "disabled" })),
      );
    }
  },

  "of many concurrent updates of one version exactly one succeeds": async (trial) => {
    const user = await addUser(trial);
    const results = await commitAll(trial, racers, (index) => [
      write.update(user, { name: `name ${index}` }),
    ]);
    strictEqual(winners(results, "conflict"), 1);
    const read = await trial.stores.directory.user(user.id, trial.call());
    deepStrictEqual([read?.version, read?.name], [2, `name ${results.findIndex((result) => result.ok)}`]);
  },

  "of an erasure of a deleted account and its restoration exactly one succeeds": async (trial) => {
    for (let round = 0; round < 6; round++) {
      const deletedAt = trial.clock.now();
      const user = await addUser(trial, { status: "deleted", deletedAt });
      const restore = write.update(user, { status: "active", deletedAt: null });
      const results = await commitAll(trial, 2, (index) => [
        index === round % 2 ? write.erase(user.id, "deleted") : restore,
      ]);
      strictEqual(winners(results, "conflict"), 1);
      const isErased = results[round % 2]?.ok === true;
      const read = await trial.stores.directory.user(user.id, trial.call());
      deepStrictEqual([read?.status, read?.version], [isErased ? "anonymized" : "active", 2]);
    }
  },

  "of many concurrent advances of one generation exactly one succeeds": async (trial) => {
    const user = await addUser(trial);
    const results = await commitAll(trial, racers, () => [write.advance(user)]);
    strictEqual(winners(results, "stale"), 1);
    strictEqual((await trial.stores.directory.user(user.id, trial.call()))?.generation, 2);
  },

  "of many concurrent replacements of one password exactly one succeeds": async (trial) => {
    const user = await addUser(trial);
    const first = trial.make.password(user);
    await committed(trial, [{ kind: "password.insert", credential: first }]);
    const results = await commitAll(trial, racers, (index) => [
      { kind: "password.replace", credential: { ...first, version: 2, encoded: `$none$${index}` } },
    ]);
    strictEqual(winners(results, "conflict"), 1);
    const read = await trial.stores.directory.userWithPassword({ kind: "id", key: user.id }, trial.call());
    strictEqual(read?.password?.encoded, `$none$${results.findIndex((result) => result.ok)}`);
  },

  "of many concurrent first passwords exactly one is inserted": async (trial) => {
    const user = await addUser(trial);
    const results = await commitAll(trial, racers, () => [
      { kind: "password.insert", credential: trial.make.password(user) },
    ]);
    strictEqual(winners(results, "conflict"), 1);
  },

  "updates that read again after a conflict are all counted": async (trial) => {
    const user = await addUser(trial, { data: { count: 0 } as typeof user.data });
    const increment = async ({ directory }: Stores): Promise<void> => {
      for (let tries = 0; tries < 200; tries++) {
        const read = await directory.user(user.id, trial.call());
        ok(read !== null);
        const count = Number(Reflect.get(read.data, "count")) + 1;
        const changes = { data: { count } as typeof read.data };
        if ((await directory.commit([write.update(read, changes)], trial.call())).ok) return;
      }
      throw new Error("an update never came through");
    };
    await race(trial, 10, increment);
    const read = await trial.stores.directory.user(user.id, trial.call());
    deepStrictEqual([Reflect.get(read?.data ?? {}, "count"), read?.version], [10, 11]);
  },

  "a reader never sees the generation of one password with the hash of another": async (trial) => {
    const user = await addUser(trial);
    const first = trial.make.password(user, { encoded: "$none$1" });
    await committed(trial, [{ kind: "password.insert", credential: first }]);
    const change = (to: number): readonly Write[] => [
      write.advance({ ...user, generation: to - 1 }),
      { kind: "password.replace", credential: { ...first, version: to, encoded: `$none$${to}` } },
    ];
    const results = await race(trial, 60, async ({ directory }, index): Promise<string> => {
      if (index % 3 === 0) {
        await directory.commit(change(index / 3 + 2), trial.call());
        return "fits";
      }
      const read = await directory.userWithPassword({ kind: "id", key: user.id }, trial.call());
      return read?.password?.encoded === `$none$${read?.user.generation}` ? "fits" : JSON.stringify(read);
    });
    deepStrictEqual([...new Set(results)], ["fits"]);
  },

  "a refused transaction takes nothing of the concurrent ones with it": async (trial) => {
    const { make, call, stores } = trial;
    await addUser(trial);
    const users = Array.from({ length: racers }, () => make.user());
    const results = await commitAll(trial, racers, (index) => [
      ...users
        .slice(index, index + 1)
        .flatMap((user) => [write.user(user), write.audit(make.auditRow({ userId: user.id }))]),
      ...(index % 2 === 0 ? [] : [{ kind: "directory.require_empty" } as const]),
    ]);
    strictEqual(winners(results, "first_user_exists"), racers / 2);
    for (const [index, user] of users.entries()) {
      const read = await stores.directory.user(user.id, call());
      const rows = await stores.directory.auditRows(auditQuery({ userId: user.id, limit: 9 }), call());
      deepStrictEqual([read !== null, rows.length], index % 2 === 0 ? [true, 1] : [false, 0]);
    }
  },

  "a change made through one handle is read through another at once": async (trial) => {
    const other = await trial.another();
    const user = await addUser(trial);
    strictEqual((await other.directory.user(user.id, trial.call()))?.name, null);
    await committed(trial, [write.update(user, { name: "Ana" })]);
    strictEqual((await other.directory.user(user.id, trial.call()))?.name, "Ana");
    await committed(trial, [write.update({ ...user, version: 2 }, { name: "Bea" })], other);
    strictEqual((await trial.stores.directory.user(user.id, trial.call()))?.name, "Bea");
  },
};
