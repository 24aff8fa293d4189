import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { Session } from "../../domain/session.ts";
import { faulty } from "../faulty.ts";
import { auditQuery } from "../queries.ts";
import { same } from "./same.ts";
import { addSession, addUser, found, live, noting, silent, write } from "./steps.ts";
import { type Rules, race } from "./trial.ts";

/** Sweeps where the engine keeps expired sessions until they are swept. */
export const sweepRules: Rules = {
  "a sweep ends expired sessions alone, at most its limit, and reports each once": async (trial) => {
    const { stores, call, clock } = trial;
    const user = await addUser(trial);
    const short = { idleExpiresAt: new Date(clock.now().getTime() + 10_000) };
    const expired: Session[] = [];
    for (let index = 0; index < 7; index++)
      expired.push(await addSession(trial, index < 5 ? user : null, short));
    const kept = [await addSession(trial, user), await addSession(trial, null)];
    const seen: string[] = [];
    deepStrictEqual([...(await stores.sessions.sweep(9, noting(trial, seen), call()))], []);
    clock.advance(10);
    const swept: Session[] = [];
    for (const most of [3, 3, 3, 3]) {
      const some = await stores.sessions.sweep(most, noting(trial, seen), call());
      strictEqual(some.length <= most, true);
      swept.push(...some);
    }
    const byId = (sessions: readonly Session[]) => [...sessions].sort((a, b) => (a.id < b.id ? -1 : 1));
    same(byId(swept), byId(expired));
    deepStrictEqual([...seen].sort(), expired.map(({ id }) => id).sort());
    const rows = await stores.directory.auditRows(auditQuery({ limit: 99 }), call());
    deepStrictEqual(rows.map(({ sessionId }) => sessionId).sort(), [...seen].sort());
    for (const { id } of expired) strictEqual(await found(trial, id), null);
    for (const { id } of kept) await live(trial, id);
  },
};

/** Sweeps where the engine deletes expired sessions by itself. */
export const noSweeps: Rules = {
  "a sweep finds nothing, and ends no session that lives": async (trial) => {
    const user = await addUser(trial);
    const soon = { idleExpiresAt: new Date(trial.clock.now().getTime() + 10_000) };
    const [expired, kept] = [await addSession(trial, user, soon), await addSession(trial, user)];
    trial.clock.advance(10);
    deepStrictEqual([...(await trial.stores.sessions.sweep(9, silent, trial.call()))], []);
    strictEqual((await found(trial, expired.id))?.expired, true);
    await live(trial, kept.id);
  },
};

/** Concurrent sweeps. */
export const sweepRaces: Rules = {
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
    const rows = await trial.stores.directory.auditRows(auditQuery({ limit: 99 }), trial.call());
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

/** Sweeps that fail. */
export const sweepFaults: Rules = {
  "a sweep that fails ends nothing, and the next one reports every session once": async (trial) => {
    const { stores, call, clock, make } = trial;
    const ids = [(await addSession(trial, null)).id, (await addSession(trial, await addUser(trial))).id];
    clock.advance(30 * 60);
    const { sessions } = faulty(stores, () => ({ beforeWrite: 0 }));
    await rejects(sessions.sweep(9, () => [make.auditRow()], call()));
    for (const id of ids) strictEqual((await found(trial, id))?.expired, true);
    deepStrictEqual([...(await stores.directory.auditRows(auditQuery({ limit: 9 }), call()))], []);
    const swept = await stores.sessions.sweep(9, () => [], call());
    deepStrictEqual(swept.map(({ id }) => id).sort(), ids.sort());
  },
};
