import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type DetachedRules, keyOf, raceHandles, stored } from "./detached-trial.ts";

const racers = 40;

/** Rules under concurrent calls, over two handles where the backend has them. */
export const detachedRaces: DetachedRules = {
  "never more than the cap are there, and each that went is answered once": async (trial) => {
    const { make, call, sessions } = trial;
    for (const cap of [1, 3]) {
      const user = make.user();
      const added = Array.from({ length: racers }, () => make.session(user));
      const gone = await raceHandles(trial, racers, async (handle, index) => {
        const session = added[index];
        ok(session !== undefined);
        const evicted = await handle.insert(session, cap, call());
        ok((await handle.list(keyOf(user), call())).length <= cap, "more than the cap at one moment");
        return evicted;
      });
      const evicted = gone.flat().map(({ id }) => id);
      const left = (await sessions.list(keyOf(user), call())).map(({ id }) => id);
      strictEqual(left.length, cap);
      deepStrictEqual([...evicted, ...left].sort(), added.map(({ id }) => id).sort());
    }
  },

  "of concurrent takes of one session one gets it": async (trial) => {
    for (const user of [trial.make.user(), null]) {
      const session = trial.make.session(user);
      await trial.sessions.insert(session, 0, trial.call());
      const taken = await raceHandles(trial, racers, (handle) => handle.take([session.id], trial.call()));
      strictEqual(taken.flat().length, 1);
    }
  },

  "of concurrent writes to one version of the data one succeeds": async (trial) => {
    for (const user of [trial.make.user(), null]) {
      const session = trial.make.session(user);
      await trial.sessions.insert(session, 0, trial.call());
      const results = await raceHandles(trial, racers, (handle, index) =>
        handle.setData({ sessionId: session.id, dataVersion: 0, data: { winner: index } }, trial.call()),
      );
      strictEqual(results.filter((isDone) => isDone).length, 1);
      deepStrictEqual({ ...(await stored(trial, session.id))?.data }, { winner: results.indexOf(true) });
    }
  },

  "uses and writes that race an end bring nothing back, and what was acknowledged is in what is taken":
    async (trial) => {
      const { make, call, sessions } = trial;
      for (let round = 0; round < 5; round++) {
        const user = round % 2 === 0 ? make.user() : null;
        const session = make.session(user);
        await sessions.insert(session, 0, call());
        let acknowledged = 0;
        const results = await raceHandles(trial, racers, async (handle, index) => {
          if (index === 8 * round) return handle.take([session.id], call());
          if (index % 3 === 0) {
            const usedAt = new Date(session.lastUsedAt.getTime() + index * 1000);
            await handle.touch(
              [{ sessionId: session.id, usedAt, idleExpiresAt: session.idleExpiresAt }],
              call(),
            );
            return [];
          }
          const dataVersion = (await stored(trial, session.id, handle))?.dataVersion ?? -1;
          if (await handle.setData({ sessionId: session.id, dataVersion, data: { index } }, call()))
            acknowledged++;
          return [];
        });
        strictEqual(results.flat()[0]?.dataVersion, acknowledged);
        strictEqual(await stored(trial, session.id), null);
        if (user !== null) strictEqual((await sessions.list(keyOf(user), call())).length, 0);
      }
    },

  "a use changes nothing of the data that is written at the same time": async (trial) => {
    const { make, call, sessions } = trial;
    const session = make.session(make.user());
    await sessions.insert(session, 0, call());
    await raceHandles(trial, racers, async (handle, index) => {
      const usedAt = new Date(session.lastUsedAt.getTime() + index * 1000);
      const touch = { sessionId: session.id, usedAt, idleExpiresAt: session.idleExpiresAt };
      if (index !== 20) return handle.touch([touch], call());
      const write = { sessionId: session.id, dataVersion: 0, data: { kept: true } };
      strictEqual(await handle.setData(write, call()), true);
    });
    const left = await stored(trial, session.id);
    deepStrictEqual({ ...left?.data }, { kept: true });
    strictEqual(left?.lastUsedAt.getTime(), session.lastUsedAt.getTime() + (racers - 1) * 1000);
  },
};
