import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { Session } from "../../domain/session.ts";
import type { Touch } from "../../ports/session-store.ts";
import { auditQuery } from "../queries.ts";
import { same } from "./same.ts";
import {
  addSession,
  addUser,
  committed,
  found,
  listed,
  live,
  noting,
  refused,
  silent,
  write,
} from "./steps.ts";
import type { Rules } from "./trial.ts";

const seconds = (from: Date, count: number): Date => new Date(from.getTime() + count * 1000);

function use(session: Session, usedAfterSeconds: number, idleAfterSeconds: number): Touch {
  const { id, lastUsedAt } = session;
  const [usedAt, idleExpiresAt] = [
    seconds(lastUsedAt, usedAfterSeconds),
    seconds(lastUsedAt, idleAfterSeconds),
  ];
  return { sessionId: id, usedAt, idleExpiresAt };
}

/** Inserting, changing and ending sessions, one call at a time. */
export const sessionWrites: Rules = {
  "a use moves both times forward, and nothing else": async (trial) => {
    const { stores, call } = trial;
    const user = await addUser(trial);
    const [first, second] = [await addSession(trial, user), await addSession(trial, null)];
    const untouched = await addSession(trial, user);
    await stores.sessions.touch([use(first, 60, 1860), use(second, 90, 1890)], call());
    const moved = (session: Session, by: number) => ({
      ...session,
      lastUsedAt: seconds(session.lastUsedAt, by),
      idleExpiresAt: seconds(session.lastUsedAt, 1800 + by),
    });
    same(await live(trial, first.id), moved(first, 60));
    same(await live(trial, second.id), moved(second, 90));
    same(await live(trial, untouched.id), untouched);
  },

  "a late use never moves a time back, and each time is judged alone": async (trial) => {
    const { stores, call } = trial;
    const session = await addSession(trial, null);
    await stores.sessions.touch([use(session, 60, 1860)], call());
    await stores.sessions.touch([use(session, 30, 1830)], call());
    await stores.sessions.touch([use(session, 20, 1900)], call());
    await stores.sessions.touch([use(session, 70, 1000)], call());
    const { lastUsedAt, idleExpiresAt } = await live(trial, session.id);
    deepStrictEqual(
      [lastUsedAt, idleExpiresAt],
      [seconds(session.createdAt, 70), seconds(session.createdAt, 1900)],
    );
  },

  "a use of an ended, an expired or an unknown session changes nothing": async (trial) => {
    const { stores, call, clock } = trial;
    const [ended, expired, kept] = [
      await addSession(trial, null),
      await addSession(trial, null),
      trial.make.session(null),
    ];
    await committed(trial, [write.end(ended.id)]);
    clock.advance(30 * 60);
    const far = (session: Session): Touch => use(session, 3600, 7200);
    await stores.sessions.touch([far(ended), far(expired), far(kept)], call());
    await stores.sessions.touch([], call());
    strictEqual(await found(trial, ended.id), null);
    strictEqual((await found(trial, expired.id))?.expired, true);
    strictEqual(await found(trial, kept.id), null);
  },

  "past the cap the least recently used others end, and are reported": async (trial) => {
    const user = await addUser(trial);
    const now = trial.clock.now();
    const made: Session[] = [];
    for (const used of [30, 10, 20])
      made.push(await addSession(trial, user, { lastUsedAt: seconds(now, used) }));
    const [newest, oldest, middle] = made as [Session, Session, Session];
    const seen: string[] = [];
    const added = trial.make.session(user, { lastUsedAt: seconds(now, 40) });
    const result = await committed(trial, [write.session(added, 2, noting(trial, seen))]);
    deepStrictEqual(seen, [oldest.id, middle.id]);
    deepStrictEqual(
      result.ended.map(({ id }) => id),
      seen,
    );
    same(result.ended[0], oldest);
    deepStrictEqual(await listed(trial, user.id), [added.id, newest.id]);
    strictEqual(await found(trial, oldest.id), null);
    const rows = await trial.stores.directory.auditRows(auditQuery({ limit: 9 }), trial.call());
    deepStrictEqual(rows.map(({ sessionId }) => sessionId).sort(), [...seen].sort());
  },

  "the session that is inserted stays, even if it was used longest ago": async (trial) => {
    const user = await addUser(trial);
    const other = await addSession(trial, user);
    const added = trial.make.session(user, { lastUsedAt: seconds(other.lastUsedAt, -60) });
    await committed(trial, [write.session(added, 1)]);
    deepStrictEqual(await listed(trial, user.id), [added.id]);
  },

  "a use decides who is least recently used": async (trial) => {
    const user = await addUser(trial);
    const [first, second] = [await addSession(trial, user), await addSession(trial, user)];
    await trial.stores.sessions.touch([use(first, 60, 1860)], trial.call());
    const added = trial.make.session(user, { lastUsedAt: seconds(first.lastUsedAt, 90) });
    await committed(trial, [write.session(added, 2)]);
    deepStrictEqual(await listed(trial, user.id), [added.id, first.id]);
    strictEqual(await found(trial, second.id), null);
  },

  "a cap of 0 is none, and visitors have none": async (trial) => {
    const user = await addUser(trial);
    for (let index = 0; index < 10; index++)
      await committed(trial, [write.session(trial.make.session(user), 0)]);
    strictEqual((await listed(trial, user.id)).length, 10);
    const visitors = Array.from({ length: 3 }, () => trial.make.session(null));
    for (const visitor of visitors) await committed(trial, [write.session(visitor, 1)]);
    for (const visitor of visitors) await live(trial, visitor.id);
  },

  "what is not live does not count towards the cap": async (trial) => {
    const user = await addUser(trial);
    const now = trial.clock.now();
    await addSession(trial, user);
    await committed(trial, [write.advance(user)]);
    const current = { ...user, generation: 2 };
    await addSession(trial, current, { idleExpiresAt: seconds(now, 1) });
    const kept = await addSession(trial, current);
    await addSession(trial, await addUser(trial));
    trial.clock.advance(1);
    const added = trial.make.session(current, { lastUsedAt: trial.clock.now() });
    await committed(trial, [write.session(added, 2)]);
    deepStrictEqual(await listed(trial, user.id), [added.id, kept.id]);
  },

  "an expired session is neither rotated nor written to": async (trial) => {
    const { id } = await addSession(trial, null);
    trial.clock.advance(30 * 60);
    await refused(
      trial,
      [{ kind: "session.rotate", from: id, session: trial.make.session(null) }],
      "conflict",
    );
    const data = { back: "again" };
    await refused(trial, [{ kind: "session.set_data", sessionId: id, dataVersion: 0, data }], "conflict");
    strictEqual((await found(trial, id))?.expired, true);
  },

  "a slow write to the data never brings an ended session back": async (trial) => {
    const { id } = await addSession(trial, null);
    await committed(trial, [write.end(id)]);
    await refused(
      trial,
      [{ kind: "session.set_data", sessionId: id, dataVersion: 0, data: { x: 1 } }],
      "conflict",
    );
    await refused(
      trial,
      [{ kind: "session.rotate", from: id, session: trial.make.session(null) }],
      "conflict",
    );
    strictEqual(await found(trial, id), null);
  },

  "the data is replaced whole, and its version counted": async (trial) => {
    const session = await addSession(trial, null, { data: { old: true } });
    for (const [dataVersion, data] of [{ a: [] }, {}, JSON.parse('{"__proto__":1,"n":null}')].entries()) {
      await committed(trial, [{ kind: "session.set_data", sessionId: session.id, dataVersion, data }]);
      same(await live(trial, session.id), { ...session, data, dataVersion: dataVersion + 1 });
    }
    await refused(
      trial,
      [{ kind: "session.set_data", sessionId: session.id, dataVersion: 2, data: { late: true } }],
      "conflict",
    );
  },

  "a session ends once: the second end finds nothing": async (trial) => {
    const session = await addSession(trial, await addUser(trial));
    same((await committed(trial, [write.end(session.id)])).ended, [session]);
    deepStrictEqual([...(await committed(trial, [write.end(session.id)])).ended], []);
    strictEqual(await found(trial, session.id), null);
  },

  "with a user's id only a session of theirs ends": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const [theirs, visitors, own] = [
      await addSession(trial, other),
      await addSession(trial, null),
      await addSession(trial, user),
    ];
    const ids = [theirs, visitors, own].map(({ id }) => id);
    const result = await committed(
      trial,
      ids.map((sessionId) => ({ kind: "session.delete", sessionId, userId: user.id, ended: silent })),
    );
    deepStrictEqual(
      result.ended.map(({ id }) => id),
      [own.id],
    );
    await live(trial, theirs.id);
    await live(trial, visitors.id);
  },

  "all of a user's sessions end but the excepted one, and nobody else's": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const [kept, first, second] = [
      await addSession(trial, user),
      await addSession(trial, user),
      await addSession(trial, user),
    ];
    const [theirs, visitors] = [await addSession(trial, other), await addSession(trial, null)];
    const result = await committed(trial, [write.endAll(user.id, kept.id)]);
    deepStrictEqual(result.ended.map(({ id }) => id).sort(), [first.id, second.id].sort());
    deepStrictEqual(await listed(trial, user.id), [kept.id]);
    await live(trial, theirs.id);
    await live(trial, visitors.id);
    await committed(trial, [write.endAll(user.id)]);
    deepStrictEqual([...(await listed(trial, user.id))], []);
  },

  "ending takes expired and outdated rows along": async (trial) => {
    const user = await addUser(trial);
    const outdated = await addSession(trial, user);
    await committed(trial, [write.advance(user)]);
    const advanced = { ...user, generation: user.generation + 1 };
    const expired = await addSession(trial, advanced, { idleExpiresAt: seconds(trial.clock.now(), 1) });
    const single = await addSession(trial, advanced, { idleExpiresAt: seconds(trial.clock.now(), 1) });
    trial.clock.advance(1);
    deepStrictEqual(
      (await committed(trial, [write.end(single.id)])).ended.map(({ id }) => id),
      [single.id],
    );
    const { ended } = await committed(trial, [write.endAll(user.id)]);
    deepStrictEqual(ended.map(({ id }) => id).sort(), [outdated.id, expired.id].sort());
    for (const { id } of [outdated, expired, single]) strictEqual(await found(trial, id), null);
  },
};
