import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Write } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import {
  addSession,
  addUser,
  committed,
  found,
  isAccepted,
  listed,
  live,
  silent,
  winners,
  write,
} from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

const racers = 40;

/** A user with a password, as sign-ins need one. */
async function addAccount(trial: Trial): Promise<{ user: User; password: PasswordCredential }> {
  const user = await addUser(trial);
  const password = trial.make.password(user);
  await committed(trial, [{ kind: "password.insert", credential: password }]);
  return { user, password };
}

/** A sign-in as flows do it: generation and password read at one instant, the session inserted if that still holds. */
async function signIn(
  trial: Trial,
  { directory }: Stores,
  userId: string,
  started: Session[],
): Promise<boolean> {
  const { make, call } = trial;
  const read = await directory.userWithPassword({ kind: "id", key: userId }, call());
  ok(read !== null);
  const session = make.session(read.user);
  started.push(session);
  return (await directory.commit([write.require(read.user), write.session(session, 0)], call())).ok;
}

/** Runs `change` in the midst of sign-ins, and asserts that no session of an earlier generation is accepted after it. */
async function racesSignIns(
  trial: Trial,
  change: (user: User, password: PasswordCredential) => readonly Write[],
): Promise<void> {
  for (let round = 0; round < 4; round++) {
    const { user, password } = await addAccount(trial);
    const before = [await addSession(trial, user), await addSession(trial, user)];
    const started: Session[] = [];
    const changeAt = [0, racers / 2, racers - 1, 5][round];
    const results = await race(trial, racers, async (stores, index) => {
      if (index === changeAt) return (await stores.directory.commit(change(user, password), trial.call())).ok;
      return signIn(trial, stores, user.id, started);
    });
    strictEqual(results[changeAt ?? 0], true, "the change itself succeeds");
    const handles = [trial.stores, await trial.another()];
    for (const stores of handles) {
      for (const session of [...before, ...started]) {
        if (session.generation !== user.generation) continue;
        // Not only refused but gone: what was inserted before the change ended with it, and nothing is inserted after it.
        strictEqual(
          await found(trial, session.id, stores),
          null,
          "a session of the earlier generation is left",
        );
      }
      const sessions = await stores.sessions.list(user.id, trial.call());
      strictEqual(sessions.filter(({ generation }) => generation === user.generation).length, 0);
    }
  }
}

/** Sessions under concurrent transactions, over two handles where the backend has them. */
export const sessionRaces: Rules = {
  "no sign-in that races a password change leaves a session of the old password behind": async (trial) =>
    racesSignIns(trial, (user, password) => [
      write.advance(user),
      { kind: "password.replace", credential: { ...password, encoded: "$none$new", version: 2 } },
      write.endAll(user.id),
    ]),

  "no sign-in that races revoke-all leaves a session behind": async (trial) =>
    racesSignIns(trial, (user) => [write.advance(user), write.endAll(user.id)]),

  "no sign-in that races disabling the account leaves a session behind": async (trial) =>
    racesSignIns(trial, (user) => [
      write.update(user, { status: "disabled" }),
      write.advance(user),
      write.endAll(user.id),
    ]),

  "no insert with an outdated generation is accepted, even without requiring it": async (trial) => {
    const { user } = await addAccount(trial);
    const sessions = Array.from({ length: racers }, () => trial.make.session(user));
    await race(trial, racers + 1, ({ directory }, index) => {
      const session = sessions[index];
      const writes =
        session === undefined ? [write.advance(user), write.endAll(user.id)] : [write.session(session)];
      return directory.commit(writes, trial.call());
    });
    for (const { id } of sessions) strictEqual(isAccepted(await found(trial, id)), false);
    deepStrictEqual([...(await listed(trial, user.id))], []);
  },

  "of many concurrent ends of one session exactly one ends it": async (trial) => {
    const session = await addSession(trial, await addUser(trial));
    const rows = await race(trial, racers, async ({ directory }) => {
      const row = trial.make.auditRow({ type: "session.revoked", sessionId: session.id });
      const end = write.end(session.id, (ended) => ended.map(() => row));
      const result = await directory.commit([end], trial.call());
      return result.ok ? result.ended.length : -1;
    });
    strictEqual(rows.filter((count) => count === 1).length, 1);
    strictEqual(rows.filter((count) => count === 0).length, racers - 1);
    const written = await trial.stores.directory.auditRows({ userId: null, limit: 99 }, trial.call());
    strictEqual(written.length, 1);
  },

  "an end is seen by every handle at once": async (trial) => {
    const other = await trial.another();
    const user = await addUser(trial);
    const [first, second] = [await addSession(trial, user), await addSession(trial, user)];
    for (const stores of [trial.stores, other]) {
      for (const { id } of [first, second]) strictEqual(isAccepted(await found(trial, id, stores)), true);
    }
    await committed(trial, [write.end(first.id)], other);
    strictEqual(await found(trial, first.id), null);
    await committed(trial, [write.end(second.id)]);
    strictEqual(await found(trial, second.id, other), null);
  },

  "a change of status, generation or rights is seen by every handle at once": async (trial) => {
    const other = await trial.another();
    const user = await addUser(trial);
    const { id } = await addSession(trial, user);
    const seen = async (stores: Stores): Promise<readonly unknown[]> => {
      const answer = await found(trial, id, stores);
      if (answer === null || answer.expired) return [answer];
      return [isAccepted(answer), answer.user?.status, answer.user?.roles.length];
    };
    const both = async (expected: readonly unknown[]): Promise<void> => {
      // Twice, so that an answer from a cache counts too.
      for (const stores of [trial.stores, other, trial.stores, other])
        deepStrictEqual(await seen(stores), expected);
    };
    await both([true, "active", 0]);
    await committed(trial, [write.update(user, { roles: ["admin"] })], other);
    await both([true, "active", 1]);
    await committed(trial, [write.update({ ...user, version: 2 }, { status: "disabled" })], other);
    await both([false, "disabled", 1]);
    await committed(trial, [write.update({ ...user, version: 3 }, { status: "active" })]);
    await both([true, "active", 1]);
    await committed(trial, [write.advance(user)], other);
    await both([false, "active", 1]);
  },

  "never more than the cap are live, however many are inserted at once": async (trial) => {
    for (const cap of [1, 3]) {
      const user = await addUser(trial);
      const now = trial.clock.now().getTime();
      const sessions = Array.from({ length: racers }, (_, index) =>
        trial.make.session(user, { lastUsedAt: new Date(now + ((index * 17) % racers) * 1000) }),
      );
      const evicted: string[] = [];
      await race(trial, 2 * racers, async (stores, index) => {
        // Two in a row, so that there are readers and writers on both handles.
        const session = index % 4 < 2 ? sessions[Math.floor(index / 4) * 2 + (index % 2)] : undefined;
        if (session !== undefined) {
          const result = await stores.directory.commit([write.session(session, cap)], trial.call());
          if (result.ok) evicted.push(...result.ended.map(({ id }) => id));
        }
        for (let read = 0; read < 10; read++) {
          ok((await listed(trial, user.id, stores)).length <= cap, "more than the cap at one moment");
        }
      });
      const left = await listed(trial, user.id);
      strictEqual(left.length, cap);
      strictEqual(evicted.length, racers - cap);
      strictEqual(new Set([...evicted, ...left]).size, racers, "each is left or was reported once");
    }
  },

  "the newest session survives concurrent inserts past the cap": async (trial) => {
    const user = await addUser(trial);
    const later = new Date(trial.clock.now().getTime() + 60_000);
    const newest = trial.make.session(user, { lastUsedAt: later });
    await race(trial, racers, ({ directory }, index) => {
      const session = index === racers / 2 ? newest : trial.make.session(user);
      return directory.commit([write.session(session, 3)], trial.call());
    });
    const left = await listed(trial, user.id);
    strictEqual(left.length, 3);
    strictEqual(left[0], newest.id);
  },

  "of many concurrent rotations of one session exactly one succeeds": async (trial) => {
    const user = await addUser(trial);
    const old = await addSession(trial, user);
    const next = Array.from({ length: racers }, () => trial.make.session(user, { rotatedFrom: old.id }));
    const results = await race(trial, racers, ({ directory }, index) => {
      const writes = next
        .slice(index, index + 1)
        .map((session) => ({ kind: "session.rotate", from: old.id, session }) as const);
      return directory.commit(writes, trial.call());
    });
    strictEqual(winners(results, "conflict"), 1);
    strictEqual(await found(trial, old.id), null);
    deepStrictEqual(await listed(trial, user.id), [next[results.findIndex((result) => result.ok)]?.id]);
  },

  "a rotation that races an end leaves no session behind": async (trial) => {
    for (let round = 0; round < 10; round++) {
      const user = await addUser(trial);
      const old = await addSession(trial, user);
      const next = trial.make.session(user, { rotatedFrom: old.id });
      const rotate: Write = { kind: "session.rotate", from: old.id, session: next };
      const revoke = [write.advance(user), write.endAll(user.id)];
      await race(trial, 2, ({ directory }, index) =>
        directory.commit(index === round % 2 ? [write.require(user), rotate] : revoke, trial.call()),
      );
      strictEqual(isAccepted(await found(trial, old.id)), false);
      strictEqual(isAccepted(await found(trial, next.id)), false);
    }
  },

  "of many concurrent writes to one version of the data exactly one succeeds": async (trial) => {
    const { id } = await addSession(trial, null);
    const results = await race(trial, racers, ({ directory }, index) =>
      directory.commit(
        [{ kind: "session.set_data", sessionId: id, dataVersion: 0, data: { winner: index } }],
        trial.call(),
      ),
    );
    strictEqual(winners(results, "conflict"), 1);
    const { data, dataVersion } = await live(trial, id);
    deepStrictEqual([data.winner, dataVersion], [results.findIndex((result) => result.ok), 1]);
  },

  "writes to the data that read again after a conflict are all counted": async (trial) => {
    const { id } = await addSession(trial, null, { data: { count: 0 } });
    await race(trial, 10, async (stores) => {
      for (let tries = 0; tries < 200; tries++) {
        const { data, dataVersion } = await live(trial, id, stores);
        const next = { count: Number(data.count) + 1 };
        const set: Write = { kind: "session.set_data", sessionId: id, dataVersion, data: next };
        if ((await stores.directory.commit([set], trial.call())).ok) return;
      }
      throw new Error("a write never came through");
    });
    strictEqual((await live(trial, id)).data.count, 10);
  },

  "a use that races an end never brings the session back": async (trial) => {
    const sessions: Session[] = [];
    for (let index = 0; index < 10; index++) sessions.push(await addSession(trial, null));
    await race(trial, racers, async (stores, index) => {
      const session = sessions[index % sessions.length];
      ok(session !== undefined);
      if (index >= 20 && index < 30)
        return void (await stores.directory.commit([write.end(session.id)], trial.call()));
      const usedAt = new Date(session.lastUsedAt.getTime() + index * 1000);
      const touch = { sessionId: session.id, usedAt, idleExpiresAt: session.idleExpiresAt };
      return stores.sessions.touch([touch], trial.call());
    });
    for (const { id } of sessions) strictEqual(await found(trial, id), null);
  },

  "of concurrent uses the latest counts": async (trial) => {
    const session = await addSession(trial, null);
    const at = (index: number): number => (index * 7) % racers;
    await race(trial, racers, ({ sessions }, index) => {
      const usedAt = new Date(session.lastUsedAt.getTime() + at(index) * 1000);
      const idleExpiresAt = new Date(session.idleExpiresAt.getTime() + at(index) * 1000);
      return sessions.touch([{ sessionId: session.id, usedAt, idleExpiresAt }], trial.call());
    });
    const { lastUsedAt, idleExpiresAt } = await live(trial, session.id);
    strictEqual(lastUsedAt.getTime() - session.lastUsedAt.getTime(), (racers - 1) * 1000);
    strictEqual(idleExpiresAt.getTime() - session.idleExpiresAt.getTime(), (racers - 1) * 1000);
  },

  "a use changes nothing of the data that is written at the same time": async (trial) => {
    const session = await addSession(trial, null);
    await race(trial, racers, async ({ directory, sessions }, index) => {
      const usedAt = new Date(session.lastUsedAt.getTime() + index * 1000);
      if (index !== racers / 2) {
        return sessions.touch(
          [{ sessionId: session.id, usedAt, idleExpiresAt: session.idleExpiresAt }],
          trial.call(),
        );
      }
      const set = {
        kind: "session.set_data",
        sessionId: session.id,
        dataVersion: 0,
        data: { kept: true },
      } as const;
      strictEqual((await directory.commit([set], trial.call())).ok, true);
    });
    deepStrictEqual({ ...(await live(trial, session.id)).data }, { kept: true });
  },

  "concurrent sweeps end each expired session once, with one row": async (trial) => {
    const user = await addUser(trial);
    const expired: string[] = [];
    for (let index = 0; index < 30; index++) expired.push((await addSession(trial, user)).id);
    trial.clock.advance(30 * 60);
    const row = (sessionId: string) => trial.make.auditRow({ type: "session.expired", sessionId });
    const swept = await race(trial, 10, async ({ sessions }) =>
      sessions.sweep(7, (ended) => ended.map(({ id }) => row(id)), trial.call()),
    );
    deepStrictEqual(
      swept
        .flat()
        .map(({ id }) => id)
        .sort(),
      [...expired].sort(),
    );
    const rows = await trial.stores.directory.auditRows({ userId: null, limit: 99 }, trial.call());
    deepStrictEqual(rows.map(({ sessionId }) => sessionId).sort(), [...expired].sort());
  },

  "a sweep that races an end reports each session once, by one of them": async (trial) => {
    const user = await addUser(trial);
    const expired: string[] = [];
    for (let index = 0; index < 20; index++) expired.push((await addSession(trial, user)).id);
    trial.clock.advance(30 * 60);
    const ended = await race(trial, 30, async ({ directory, sessions }, index) => {
      const id = expired[index];
      if (id === undefined) return sessions.sweep(5, silent, trial.call());
      const result = await directory.commit([write.end(id)], trial.call());
      return result.ok ? result.ended : [];
    });
    deepStrictEqual(
      ended
        .flat()
        .map(({ id }) => id)
        .sort(),
      [...expired].sort(),
    );
  },
};
