import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Session } from "../../domain/session.ts";
import type { Write } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { auditQuery } from "../queries.ts";
import { same } from "./same.ts";
import { nextOf, refreshedWith } from "./session-refresh.ts";
import { addSession, addUser, committed, found, isAccepted, listed, live, winners, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

const racers = 40;

/** Refreshes a session as often as it takes to be acknowledged (true), or until it is gone or its user has advanced (false). */
async function refresh(trial: Trial, stores: Stores, id: string): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    const answer = await found(trial, id, stores);
    if (answer === null || answer.expired || answer.user === null || !isAccepted(answer)) return false;
    const { session, user } = answer;
    const writes = [write.require(user), write.refresh(session, nextOf(trial, session, 1))];
    const result = await stores.directory.commit(writes, trial.call());
    if (result.ok) return true;
    if (result.refused === "stale") return false;
  }
  throw new Error("a refresh never came through");
}

/** Lets more and more come before, from round to round. */
async function reads(trial: Trial, stores: Stores, id: string, count: number): Promise<void> {
  for (let read = 0; read < count; read++) await found(trial, id, stores);
}

/** Refresh tokens under concurrent calls, over two handles where the backend has them. */
export const refreshRaces: Rules = {
  "of many concurrent refreshes from one number exactly one succeeds, and alone is on record": async (
    trial,
  ) => {
    const { make, stores, call } = trial;
    const user = await addUser(trial);
    for (const before of [null, make.refreshFamily({ number: 7 })]) {
      const session = await addSession(trial, user, { refresh: before });
      const families = Array.from({ length: racers }, () => nextOf(trial, session));
      const rows = families.map(() => make.auditRow({ sessionId: session.id }));
      const results = await race(trial, racers, ({ directory }, index) => {
        const row = rows.slice(index, index + 1).map(write.audit);
        const family = families.slice(index, index + 1).map((each) => write.refresh(session, each));
        return directory.commit([write.require(user), ...family, ...row], call());
      });
      strictEqual(winners(results, "conflict"), 1);
      const winner = results.findIndex((result) => result.ok);
      same((await live(trial, session.id)).refresh, families[winner]);
      const written = await stores.directory.auditRows(auditQuery({ limit: 99 }), call());
      const own = written.filter(({ sessionId }) => sessionId === session.id);
      deepStrictEqual(
        own.map(({ id }) => id),
        [rows[winner]?.id],
      );
    }
  },

  "refreshes that read again after a conflict all come through, each from another number": async (trial) => {
    const session = await addSession(trial, await addUser(trial));
    const results = await race(trial, 10, (stores) => refresh(trial, stores, session.id));
    strictEqual(
      results.every((isDone) => isDone),
      true,
    );
    const { refresh: last, lastUsedAt } = await live(trial, session.id);
    deepStrictEqual([last?.number, +lastUsedAt], [9, +session.lastUsedAt + 10_000]);
  },

  "a refresh that races an end never brings the session back": async (trial) => {
    const user = await addUser(trial);
    for (let round = 0; round < 10; round++) {
      const session = await addSession(trial, user, { refresh: trial.make.refreshFamily() });
      const ends = await race(trial, 8, async (stores, index) => {
        if (index !== round % 8) return (await refresh(trial, stores, session.id)) ? 0 : -1;
        await reads(trial, stores, session.id, round);
        const result = await stores.directory.commit([write.end(session.id)], trial.call());
        return result.ok ? result.ended.length : -1;
      });
      strictEqual(ends[round % 8], 1);
      for (const stores of [trial.stores, await trial.another()])
        strictEqual(await found(trial, session.id, stores), null);
    }
    deepStrictEqual([...(await listed(trial, user.id))], []);
  },

  "no refresh that races revoke-all leaves a session alive": async (trial) => {
    for (const [round, at] of [0, 5, racers / 2, racers - 1, 1, 9].entries()) {
      const user = await addUser(trial);
      const sessions: Session[] = [];
      for (const family of [null, trial.make.refreshFamily()])
        sessions.push(await addSession(trial, user, { refresh: family }));
      const revoke = [write.advance(user), write.endAll(user.id)];
      const results = await race(trial, racers, async (stores, index) => {
        const id = sessions[index % 2]?.id ?? "";
        if (index !== at) return refresh(trial, stores, id);
        await reads(trial, stores, id, 2 * round);
        return (await stores.directory.commit(revoke, trial.call())).ok;
      });
      strictEqual(results[at], true, "the end itself succeeds");
      for (const stores of [trial.stores, await trial.another()]) {
        for (const { id } of sessions) strictEqual(await found(trial, id, stores), null);
        strictEqual((await stores.sessions.list(user.id, trial.call())).length, 0);
      }
    }
  },

  "a rotation that races refreshes has the tokens that it is given, and no other session is left": async (
    trial,
  ) => {
    const user = await addUser(trial);
    for (let round = 0; round < 10; round++) {
      const old = await addSession(trial, user);
      const refresh = round < 5 ? null : trial.make.refreshFamily({ number: 3 });
      const next = trial.make.session(user, { rotatedFrom: old.id, refresh });
      const results = await race(trial, 10, ({ directory }, index) =>
        directory.commit(
          [index === round ? write.rotate(old.id, next) : write.refresh(old, nextOf(trial, old))],
          trial.call(),
        ),
      );
      strictEqual(results[round]?.ok, true, "a refresh is in no rotation's way");
      same(await live(trial, next.id), next);
      strictEqual(await found(trial, old.id), null);
      await committed(trial, [write.end(next.id)]);
    }
  },

  "data, uses and a refresh at the same time are all kept": async (trial) => {
    const user = await addUser(trial);
    for (let round = 0; round < 4; round++) {
      const session = await addSession(trial, user);
      const family = nextOf(trial, session);
      const writes: Readonly<Record<number, Write>> = {
        [10 * round]: write.setData(session, { kept: true }),
        [10 * round + 5]: write.refresh(session, family),
      };
      await race(trial, racers, async ({ directory, sessions }, index) => {
        const own = writes[index];
        if (own !== undefined) return ok((await directory.commit([own], trial.call())).ok);
        const usedAt = new Date(session.lastUsedAt.getTime() + index * 2_000);
        const idleExpiresAt = new Date(session.idleExpiresAt.getTime() + index * 2_000);
        return sessions.touch([{ sessionId: session.id, usedAt, idleExpiresAt }], trial.call());
      });
      const latest = (racers - 1) * 2_000;
      same(await live(trial, session.id), {
        ...refreshedWith(session, family),
        lastUsedAt: new Date(session.lastUsedAt.getTime() + latest),
        idleExpiresAt: new Date(session.idleExpiresAt.getTime() + latest),
        data: { kept: true },
        dataVersion: 1,
      });
    }
  },
};
