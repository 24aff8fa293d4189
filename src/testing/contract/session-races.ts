import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { Session } from "../../domain/session.ts";
import type { Write } from "../../ports/store.ts";
import { addSession, addUser, found, isAccepted, live, winners, write } from "./steps.ts";
import { type Rules, race } from "./trial.ts";

const racers = 40;

/** Ends, data and uses under concurrent calls, over two handles where the backend has them. */
export const sessionRaces: Rules = {
  "of a rotation and an end of one session only one finds it": async (trial) => {
    for (let round = 0; round < 10; round++) {
      const user = await addUser(trial);
      const old = await addSession(trial, user);
      const next = trial.make.session(user, { rotatedFrom: old.id });
      const rotate: Write = { kind: "session.rotate", from: old.id, session: next };
      const results = await race(trial, 2, ({ directory }, index) =>
        directory.commit([index === round % 2 ? rotate : write.end(old.id)], trial.call()),
      );
      const isRotated = results[round % 2]?.ok === true;
      const end = results[1 - (round % 2)];
      strictEqual(end?.ok === true ? end.ended.length : -1, isRotated ? 0 : 1);
      strictEqual(await found(trial, old.id), null);
      strictEqual(isAccepted(await found(trial, next.id)), isRotated);
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
};
