import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Session } from "../../domain/session.ts";
import type { Write } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { same } from "./same.ts";
import { addSession, addUser, committed, found, listed, live, refused, winners, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

const cart = { cart: [1] };
const bag = { given: true };
const racers = 40;

/** One session after another in the same browser, one call at a time. */
export const handoverRules: Rules = {
  "a rotated session is there under its new id alone, and none is reported as ended": async (trial) => {
    const user = await addUser(trial);
    const old = await addSession(trial, user, { data: cart });
    const next = trial.make.session(user, { rotatedFrom: old.id, data: cart, dataVersion: 7 });
    const result = await committed(trial, [write.rotate(old.id, next)]);
    deepStrictEqual([...result.ended], []);
    strictEqual(await found(trial, old.id), null);
    same(await live(trial, next.id), next);
    deepStrictEqual(await listed(trial, user.id), [next.id]);
  },

  "a rotated session has the data of the one before it, not what is given": async (trial) => {
    const user = await addUser(trial);
    const old = await addSession(trial, user);
    const data = JSON.parse('{"__proto__":{"admin":true},"cart":[1]}');
    await committed(trial, [write.setData(old, data)]);
    const next = trial.make.session(user, { rotatedFrom: old.id, data: bag, dataVersion: 3 });
    await committed(trial, [write.rotate(old.id, next)]);
    same(await live(trial, next.id), { ...next, data });
    await committed(trial, [write.setData(next, cart)]);
  },

  "a visitor's session may be rotated into a user's": async (trial) => {
    const user = await addUser(trial);
    const visitor = await addSession(trial, null, { data: cart });
    const next = trial.make.session(user, { rotatedFrom: visitor.id });
    await committed(trial, [write.rotate(visitor.id, next)]);
    deepStrictEqual(await listed(trial, user.id), [next.id]);
    same((await live(trial, next.id)).data, cart);
  },

  "another user's session is not rotated, neither into somebody's nor into a visitor's": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const theirs = await addSession(trial, other, { data: cart });
    for (const owner of [user, null])
      await refused(trial, [write.rotate(theirs.id, trial.make.session(owner))], "conflict");
    same(await live(trial, theirs.id), theirs);
  },

  "a replaced session ends and is reported, and its data goes over as it is by then": async (trial) => {
    const user = await addUser(trial);
    for (const owner of [null, user]) {
      const old = await addSession(trial, owner);
      await committed(trial, [write.setData(old, cart)]);
      const next = trial.make.session(user, { rotatedFrom: old.id, data: bag, dataVersion: 3 });
      const row = trial.make.auditRow({ type: "session.revoked", sessionId: old.id });
      const ended = (sessions: readonly Session[]) => sessions.map(() => row);
      const result = await committed(trial, [write.replace(old.id, next, { ended })]);
      same(result, { ok: true, ended: [{ ...old, data: cart, dataVersion: 1 }], reported: [row] });
      strictEqual(await found(trial, old.id), null);
      same(await live(trial, next.id), { ...next, data: cart });
    }
  },

  "another user's data is never taken over": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    for (const owner of [user, null]) {
      const theirs = await addSession(trial, other, { data: cart });
      const next = trial.make.session(owner, { data: bag });
      const { ended } = await committed(trial, [write.replace(theirs.id, next)]);
      same(ended, [theirs]);
      same(await live(trial, next.id), next);
    }
  },

  "a session that expired or is gone leaves no data to the one that replaces it": async (trial) => {
    const user = await addUser(trial);
    const expired = await addSession(trial, user, { data: cart });
    trial.clock.advance(30 * 60);
    const [next, last] = [trial.make.session(user, { data: bag }), trial.make.session(user, { data: bag })];
    same((await committed(trial, [write.replace(expired.id, next)])).ended, [expired]);
    same((await committed(trial, [write.replace(expired.id, last)])).ended, []);
    for (const session of [next, last]) same(await live(trial, session.id), session);
  },

  "a replaced session does not count towards the cap, and the others do": async (trial) => {
    const user = await addUser(trial);
    const old = await addSession(trial, user);
    const evicted: string[] = [];
    const noting = (sessions: readonly Session[]): [] => {
      evicted.push(...sessions.map(({ id }) => id));
      return [];
    };
    const single = trial.make.session(user);
    const result = await committed(trial, [write.replace(old.id, single, { cap: 1, evicted: noting })]);
    same(result.ended, [old]);
    deepStrictEqual(evicted, []);
    trial.clock.advance(1);
    const visitor = await addSession(trial, null);
    const next = trial.make.session(user);
    await committed(trial, [write.replace(visitor.id, next, { cap: 1, evicted: noting })]);
    deepStrictEqual(evicted, [single.id]);
    deepStrictEqual(await listed(trial, user.id), [next.id]);
  },
};

/** Counts one up in the data of a session, until it is acknowledged (1) or the session is gone (0). */
async function count(trial: Trial, stores: Stores, id: string): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await found(trial, id, stores);
    if (answer === null || answer.expired) return 0;
    const data = { count: Number(answer.session.data.count) + 1 };
    if ((await stores.directory.commit([write.setData(answer.session, data)], trial.call())).ok) return 1;
  }
  throw new Error("a write never came through");
}

/** Writes to the data of a session while another takes its place: each is refused, or found in the other. */
async function keepsData(trial: Trial, handOver: (from: string, to: Session) => Write): Promise<void> {
  const user = await addUser(trial);
  for (let reads = 0; reads < 10; reads++) {
    const old = await addSession(trial, user, { data: { count: 0 } });
    const next = trial.make.session(user, { rotatedFrom: old.id, data: { count: 0 } });
    const counted = await race(trial, 20, async (stores, index) => {
      if (index !== 10) return count(trial, stores, old.id);
      // Later in each round, so that more and more writes come before it.
      for (let read = 0; read < reads; read++) await found(trial, old.id, stores);
      ok((await stores.directory.commit([handOver(old.id, next)], trial.call())).ok);
      return 0;
    });
    const acknowledged = counted.reduce((sum, one) => sum + one, 0);
    strictEqual((await live(trial, next.id)).data.count, acknowledged, "every acknowledged write is kept");
  }
}

/** One session after another under concurrent calls. */
export const handoverRaces: Rules = {
  "of many concurrent rotations of one session exactly one succeeds": async (trial) => {
    const user = await addUser(trial);
    const old = await addSession(trial, user);
    const next = Array.from({ length: racers }, () => trial.make.session(user, { rotatedFrom: old.id }));
    const results = await race(trial, racers, ({ directory }, index) => {
      const writes = next.slice(index, index + 1).map((session) => write.rotate(old.id, session));
      return directory.commit(writes, trial.call());
    });
    strictEqual(winners(results, "conflict"), 1);
    strictEqual(await found(trial, old.id), null);
    deepStrictEqual(await listed(trial, user.id), [next[results.findIndex((result) => result.ok)]?.id]);
  },

  "no write to the data that is acknowledged is lost by a rotation": async (trial) =>
    keepsData(trial, write.rotate),

  "no write to the data that is acknowledged is lost by a sign-in": async (trial) =>
    keepsData(trial, (from, to) => write.replace(from, to)),

  "of many sign-ins that replace one session exactly one ends it and has its data": async (trial) => {
    const user = await addUser(trial);
    const old = await addSession(trial, null, { data: cart });
    const next = Array.from({ length: racers }, () => trial.make.session(user, { rotatedFrom: old.id }));
    const results = await race(trial, racers, ({ directory }, index) => {
      const writes = next.slice(index, index + 1).map((session) => write.replace(old.id, session));
      return directory.commit(writes, trial.call());
    });
    strictEqual(winners(results, "conflict"), racers);
    const ended = results.map((result) => (result.ok ? result.ended.length : -1));
    strictEqual(ended.filter((length) => length === 1).length, 1);
    for (const [index, { id }] of next.entries())
      same((await live(trial, id)).data, ended[index] === 1 ? cart : {});
  },
};
