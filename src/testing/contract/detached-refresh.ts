import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { RefreshFamily } from "../../domain/refresh-family.ts";
import type { Session } from "../../domain/session.ts";
import type { RefreshWrite } from "../../ports/detached-sessions.ts";
import { type DetachedRules, keyOf, raceHandles, stored } from "./detached-trial.ts";
import { same } from "./same.ts";
import { nextOf, refreshedWith } from "./session-refresh.ts";

const racers = 40;

function refreshOf({ id, refresh }: Session, family: RefreshFamily): RefreshWrite {
  return { sessionId: id, from: refresh?.number ?? null, family };
}

/** The refresh tokens of sessions, one call at a time. */
export const detachedRefresh: DetachedRules = {
  "a session is found, listed and taken with its refresh tokens, or with none": async (trial) => {
    const { sessions, other, make, call } = trial;
    const user = make.user();
    // Texts that end like tokens do.
    const texts = { userAgent: '",["a",1,2]]', rotatedFrom: `,["${"a".repeat(16)}",1,2]]` };
    for (const refresh of [null, make.refreshFamily({ number: 2 ** 40, refreshedAt: new Date(1) })]) {
      for (const overrides of [{}, texts, { amr: [], rotatedFrom: null }]) {
        const session = make.session(user, { ...overrides, refresh });
        await sessions.insert(session, 0, call());
        for (const handle of [sessions, other]) same(await stored(trial, session.id, handle), session);
        same(await sessions.list(keyOf(user), call()), [session]);
        const family = nextOf(trial, session);
        strictEqual(await other.refresh(refreshOf(session, family), call()), true);
        same(await sessions.take([session.id], call()), [refreshedWith(session, family)]);
      }
    }
  },

  "a token is used once, by whoever has its number, and a use is one of the session": async (trial) => {
    const { sessions, make, call } = trial;
    for (const user of [make.user(), null]) {
      let session = make.session(user, { data: { kept: [] } });
      await sessions.insert(session, 0, call());
      for (const afterSeconds of [60, 0, 1]) {
        const family = nextOf(trial, session, afterSeconds);
        const write = refreshOf(session, family);
        for (const from of [-1, 5, write.from === null ? 0 : null])
          strictEqual(await sessions.refresh({ ...write, from }, call()), false);
        strictEqual(await sessions.refresh(write, call()), true);
        strictEqual(await sessions.refresh(write, call()), false);
        session = refreshedWith(session, family);
        same(await stored(trial, session.id), session);
      }
      const late = make.refreshFamily({ number: 3, refreshedAt: new Date(0) });
      strictEqual(await sessions.refresh(refreshOf(session, late), call()), true);
      same(await stored(trial, session.id), { ...session, refresh: late });
    }
  },

  "a refresh brings nothing back, and makes nothing of what is unknown": async (trial) => {
    const { sessions, make, call, clock } = trial;
    const soon = { idleExpiresAt: new Date(clock.now().getTime() + 1_000), refresh: make.refreshFamily() };
    const user = make.user();
    const [gone, expired] = [make.session(user, soon), make.session(user, soon)];
    for (const session of [gone, expired]) await sessions.insert(session, 0, call());
    await sessions.take([gone.id], call());
    clock.advance(1);
    const hostile = ["", "unknown", "a b\r\nget x", "\u0000", "x".repeat(5_000), make.session(user).id];
    const writes = [
      ...[gone, expired].map((session) => refreshOf(session, nextOf(trial, session, 3_600))),
      ...hostile.map((sessionId) => ({ sessionId, from: null, family: make.refreshFamily() })),
    ];
    for (const write of writes) strictEqual(await sessions.refresh(write, call()), false);
    strictEqual(await stored(trial, gone.id), null);
    same(await stored(trial, expired.id), expired);
    same(await sessions.list(keyOf(user), call()), [expired]);
  },

  "data, uses and the cap leave the tokens as they are, and a refresh counts for the cap": async (trial) => {
    const { sessions, make, call } = trial;
    const user = make.user();
    const [used, idle] = [make.session(user, { refresh: make.refreshFamily() }), make.session(user)];
    for (const session of [used, idle]) await sessions.insert(session, 0, call());
    const family = nextOf(trial, used);
    await sessions.refresh(refreshOf(used, family), call());
    await sessions.setData({ sessionId: used.id, dataVersion: 0, data: { a: 1 } }, call());
    const { idleExpiresAt } = used;
    const usedAt = new Date(family.refreshedAt.getTime() + 1_000);
    await sessions.touch([{ sessionId: used.id, usedAt, idleExpiresAt }], call());
    const added = make.session(user, { lastUsedAt: usedAt });
    same(await sessions.insert(added, 2, call()), [idle]);
    const after = { ...used, refresh: family, lastUsedAt: usedAt, data: { a: 1 }, dataVersion: 1 };
    same(await stored(trial, used.id), after);
  },

  "tokens that cannot be told apart from none, or from others, are not taken": async (trial) => {
    const { sessions, make, call } = trial;
    const session = make.session(make.user());
    await sessions.insert(session, 0, call());
    const bad: readonly Partial<RefreshFamily>[] = [
      { digest: new Uint8Array(31) },
      { digest: new Uint8Array(0) },
      { number: -1 },
      { number: 0.5 },
      { number: Number.NaN },
    ];
    for (const overrides of bad) {
      const family = make.refreshFamily(overrides);
      await rejects(async () => sessions.refresh(refreshOf(session, family), call()));
      await rejects(async () => sessions.insert(make.session(null, { refresh: family }), 0, call()));
    }
    same(await stored(trial, session.id), session);
  },
};

/** Refresh tokens under concurrent calls, over two handles where the backend has them. */
export const detachedRefreshRaces: DetachedRules = {
  "of concurrent refreshes from one number one succeeds": async (trial) => {
    const { sessions, make, call } = trial;
    for (const refresh of [null, make.refreshFamily({ number: 7 })]) {
      const session = make.session(make.user(), { refresh });
      await sessions.insert(session, 0, call());
      const families = Array.from({ length: racers }, () => nextOf(trial, session));
      const results = await raceHandles(trial, racers, (handle, index) =>
        handle.refresh(refreshOf(session, families[index] as RefreshFamily), call()),
      );
      strictEqual(results.filter((isDone) => isDone).length, 1);
      same((await stored(trial, session.id))?.refresh, families[results.indexOf(true)]);
    }
  },

  "refreshes that race an end bring nothing back, and what was acknowledged is in what is taken": async (
    trial,
  ) => {
    const { sessions, make, call } = trial;
    for (let round = 0; round < 5; round++) {
      const user = round % 2 === 0 ? make.user() : null;
      const session = make.session(user);
      await sessions.insert(session, 0, call());
      let acknowledged = 0;
      const results = await raceHandles(trial, racers, async (handle, index) => {
        if (index === 8 * round) return handle.take([session.id], call());
        const read = await stored(trial, session.id, handle);
        if (read !== null && (await handle.refresh(refreshOf(read, nextOf(trial, read)), call())))
          acknowledged++;
        return [];
      });
      const [taken] = results.flat();
      strictEqual(taken?.refresh?.number ?? -1, acknowledged - 1);
      strictEqual(await stored(trial, session.id), null);
      if (user !== null) deepStrictEqual([...(await sessions.list(keyOf(user), call()))], []);
    }
  },

  "data, uses and a refresh at the same time are all kept": async (trial) => {
    const { sessions, make, call } = trial;
    for (let round = 0; round < 4; round++) {
      const session = make.session(make.user());
      await sessions.insert(session, 0, call());
      const family = nextOf(trial, session);
      await raceHandles(trial, racers, async (handle, index) => {
        const data = { sessionId: session.id, dataVersion: 0, data: { kept: true } };
        if (index === 10 * round) return ok(await handle.setData(data, call()));
        if (index === 10 * round + 5) return ok(await handle.refresh(refreshOf(session, family), call()));
        const usedAt = new Date(session.lastUsedAt.getTime() + index * 2_000);
        const { idleExpiresAt } = session;
        return handle.touch([{ sessionId: session.id, usedAt, idleExpiresAt }], call());
      });
      same(await stored(trial, session.id), {
        ...session,
        refresh: family,
        lastUsedAt: new Date(session.lastUsedAt.getTime() + (racers - 1) * 2_000),
        data: { kept: true },
        dataVersion: 1,
      });
    }
  },
};
