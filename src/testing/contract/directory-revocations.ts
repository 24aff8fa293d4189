import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { Session } from "../../domain/session.ts";
import type { Revocation } from "../../ports/directory-store.ts";
import type { Report, Write } from "../../ports/store.ts";
import { auditQuery } from "../queries.ts";
import { same } from "./same.ts";
import { addUser, committed, refused, silent, winners, write } from "./steps.ts";
import { type Rules, race } from "./trial.ts";

const revoke = (
  sessions: readonly Session[],
  requires: "all" | "any" = "any",
  ended: Report = silent,
): Write => ({ kind: "session.revoke", sessions, requires, ended });

const byId = (ends: readonly Revocation[]): readonly Revocation[] =>
  ends.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1));

/** The record of sessions that ended in another engine: what is on it, and who put it there. */
export const revocationRules: Rules = {
  "an end on record is answered with its owner, and with nobody else": async (trial) => {
    const [ana, ben] = [await addUser(trial), await addUser(trial)];
    // More than a store may ask about at a time, and some that live.
    const sessions = Array.from({ length: 11 }, () => trial.make.session(ana));
    const others = [trial.make.session(ben), trial.make.session(null)];
    const live = Array.from({ length: 7 }, () => trial.make.session(ana));
    await committed(trial, [revoke([...sessions, ...others])]);
    const ids = [...live, ...sessions, ...others].map(({ id }) => id);
    const asked = [...ids, "absent", "", ...sessions.slice(0, 1).map(({ id }) => id)];
    const { directory } = trial.stores;
    const owner = await directory.sessionOwner(ana.id, asked, trial.call());
    same(owner?.user, ana);
    const revokedAt = trial.clock.now();
    const expected = sessions.map(({ id }) => ({ sessionId: id, revokedAt }));
    const answered = new Map((owner?.revoked ?? []).map((end) => [end.sessionId, end]));
    same(byId([...answered.values()]), byId(expected));
    same(await directory.sessionOwner(ana.id, [], trial.call()), { user: ana, revoked: [] });
    same(
      await directory.sessionOwner(
        ana.id,
        live.map(({ id }) => id),
        trial.call(),
      ),
      { user: ana, revoked: [] },
    );
    strictEqual(await directory.sessionOwner("nobody", asked, trial.call()), null);
  },

  "a session is reported by the transaction that ended it first": async (trial) => {
    const user = await addUser(trial);
    const [first, second] = [trial.make.session(user), trial.make.session(user)];
    const reported: string[][] = [];
    const ended: Report = (sessions) => {
      reported.push(sessions.map(({ id }) => id));
      return sessions.map(({ id }) => trial.make.auditRow({ type: "session.revoked", sessionId: id }));
    };
    await committed(trial, [revoke([first], "any", ended)]);
    const result = await committed(trial, [revoke([first, second], "any", ended)]);
    deepStrictEqual(
      result.ended.map(({ id }) => id),
      [second.id],
    );
    await committed(trial, [revoke([], "any", ended)]);
    deepStrictEqual(reported, [[first.id], [second.id], []]);
    const rows = await trial.stores.directory.auditRows(auditQuery({ limit: 9 }), trial.call());
    deepStrictEqual(rows.map(({ sessionId }) => sessionId).sort(), [first.id, second.id].sort());
  },

  "where all have to be new, one that is on record undoes the transaction": async (trial) => {
    const user = await addUser(trial);
    const [known, fresh] = [trial.make.session(user), trial.make.session(user)];
    await committed(trial, [revoke([known], "all")]);
    await refused(trial, [write.update(user, { name: "x" }), revoke([fresh, known], "all")], "conflict");
    const ids = [known.id, fresh.id];
    const owner = await trial.stores.directory.sessionOwner(user.id, ids, trial.call());
    same(owner, { user, revoked: [{ sessionId: known.id, revokedAt: trial.clock.now() }] });
  },

  "a report that fails leaves nothing on record": async (trial) => {
    const user = await addUser(trial);
    const fails: Report = () => {
      throw new Error("no report");
    };
    const session = trial.make.session(user);
    await rejects(trial.stores.directory.commit([revoke([session], "any", fails)], trial.call()));
    const owner = await trial.stores.directory.sessionOwner(user.id, [session.id], trial.call());
    same(owner, { user, revoked: [] });
  },

  "records are found oldest first, and dropped by id": async (trial) => {
    const { stores, clock, call, make } = trial;
    const user = await addUser(trial);
    const sessions = [make.session(user), make.session(null), make.session(user)];
    for (const session of sessions) {
      await committed(trial, [revoke([session])]);
      clock.advance(1);
    }
    const [first, second, third] = sessions.map(({ id }) => id) as [string, string, string];
    const before = (instant: Date, limit: number) => stores.directory.revokedBefore(instant, limit, call());
    deepStrictEqual([...(await before(clock.now(), 9))], [first, second, third]);
    deepStrictEqual([...(await before(clock.now(), 2))], [first, second]);
    // Put at 0, 1 and 2 seconds; the instant itself is not before it.
    deepStrictEqual([...(await before(new Date(clock.now().getTime() - 1_000), 9))], [first, second]);
    await committed(trial, [{ kind: "revocation.forget", sessionIds: [first, third, "absent"] }]);
    deepStrictEqual([...(await before(clock.now(), 9))], [second]);
    same(await stores.directory.sessionOwner(user.id, [first, third], call()), { user, revoked: [] });
  },
};

/** The same under concurrent calls, over two handles where the backend has them. */
export const revocationRaces: Rules = {
  "of concurrent ends of one session one reports it": async (trial) => {
    const user = await addUser(trial);
    const session = trial.make.session(user);
    const row = (sessionId: string) => trial.make.auditRow({ type: "session.revoked", sessionId });
    const results = await race(trial, 20, ({ directory }) =>
      directory.commit([revoke([session], "any", (ended) => ended.map(({ id }) => row(id)))], trial.call()),
    );
    strictEqual(results.filter((result) => result.ok && result.ended.length === 1).length, 1);
    strictEqual(winners(results, "conflict"), 20);
    const rows = await trial.stores.directory.auditRows(auditQuery({ limit: 99 }), trial.call());
    strictEqual(rows.length, 1);
  },

  "of concurrent transactions that need a session's end to be new one goes through": async (trial) => {
    const user = await addUser(trial);
    const session = trial.make.session(user);
    const results = await race(trial, 20, ({ directory }) =>
      directory.commit([revoke([session], "all")], trial.call()),
    );
    strictEqual(winners(results, "conflict"), 1);
  },

  "ends of overlapping sessions in any order all come through": async (trial) => {
    const user = await addUser(trial);
    const sessions = Array.from({ length: 8 }, () => trial.make.session(user));
    const results = await race(trial, 20, ({ directory }, index) =>
      directory.commit([revoke(index % 3 === 0 ? sessions.toReversed() : sessions)], trial.call()),
    );
    strictEqual(results.flatMap((result) => (result.ok ? result.ended : [])).length, sessions.length);
  },
};
