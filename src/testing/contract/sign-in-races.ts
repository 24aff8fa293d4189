import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Write } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { auditQuery } from "../queries.ts";
import { addSession, addUser, committed, found, isAccepted, listed, write } from "./steps.ts";
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

/** Sign-ins, ends and the cap under concurrent transactions, over two handles where the backend has them. */
export const signInRaces: Rules = {
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
    const written = await trial.stores.directory.auditRows(auditQuery({ limit: 99 }), trial.call());
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
};
