import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type Session, slotTagLength } from "../../domain/session.ts";
import { ownerRules } from "./detached-owners.ts";
import { detachedRaces } from "./detached-races.ts";
import { detachedRefresh, detachedRefreshRaces } from "./detached-refresh.ts";
import { type DetachedHarness, type DetachedRules, detachedCases, keyOf, stored } from "./detached-trial.ts";
import { same } from "./same.ts";
import type { ContractCase } from "./trial.ts";

/**
 * The rules that every `DetachedSessions` keeps by itself. What `split` makes of it is proven by `sessionContract`, over a
 * directory that has passed its own.
 */
export function detachedSessionContract(harness: DetachedHarness): readonly ContractCase[] {
  return [
    ...detachedCases(harness, "basics", basics, ownerRules, detachedRefresh),
    ...detachedCases(harness, "concurrency", detachedRaces, detachedRefreshRaces),
  ];
}

const basics: DetachedRules = {
  "a session is found as it was added, a user's and a visitor's": async (trial) => {
    const { sessions, other, make, call } = trial;
    const data = JSON.parse('{"__proto__":{"a":1},"$where":"1","a.b":[null,"\\u0000","\\ud800"],"é":"🗝"}');
    const full = make.session(make.user(), { data, ip: "2001:db8::1", rotatedFrom: "r".repeat(24) });
    const bare = make.session(null, { ip: null, userAgent: null, authTime: null, amr: [] });
    for (const session of [full, bare]) {
      deepStrictEqual([...(await sessions.insert(session, 0, call()))], []);
      for (const handle of [sessions, other]) same(await stored(trial, session.id, handle), session);
    }
    const found = await sessions.find([bare.id, "unknown", full.id], call());
    deepStrictEqual(
      found.map((one) => one?.session.id ?? null),
      [bare.id, null, full.id],
    );
  },

  "an id that nobody was given is unknown, whatever it holds": async ({ sessions, call }) => {
    const hostile = [
      "",
      "../../etc/passwd",
      "a b\r\nget x",
      "{x}",
      "*",
      "\u0000",
      "é".repeat(24),
      "x".repeat(5_000),
    ];
    for (const id of [...hostile, '{"$ne":null}', "'; DROP TABLE users --"]) {
      deepStrictEqual([...(await sessions.find([id], call()))], [null]);
      deepStrictEqual([...(await sessions.take([id], call()))], []);
      strictEqual(await sessions.setData({ sessionId: id, dataVersion: 0, data: {} }, call()), false);
      await sessions.touch([{ sessionId: id, usedAt: call().now, idleExpiresAt: call().now }], call());
    }
  },

  "ids that differ in the case of a letter are two": async (trial) => {
    const { sessions, make, call } = trial;
    const user = make.user();
    const [lower, upper] = ["a", "A"].map((letter) =>
      make.session(user, { id: user.slotTag + letter.repeat(24 - slotTagLength) }),
    ) as [Session, Session];
    await sessions.insert(lower, 0, call());
    strictEqual(await stored(trial, upper.id), null);
    await sessions.insert(upper, 0, call());
    await sessions.take([lower.id], call());
    same(await stored(trial, upper.id), upper);
  },

  "a session is not added twice": async (trial) => {
    const { sessions, make, call } = trial;
    const session = make.session(make.user());
    await sessions.insert(session, 0, call());
    await rejects(async () => sessions.insert({ ...session, data: { again: true } }, 0, call()));
    same(await stored(trial, session.id), session);
  },

  "a taken session is answered once, and gone": async (trial) => {
    const { sessions, other, make, call } = trial;
    const user = make.user();
    const [first, visitor] = [make.session(user), make.session(null)];
    for (const session of [first, visitor]) await sessions.insert(session, 0, call());
    const taken = await sessions.take([first.id, "unknown", visitor.id, first.id], call());
    same(sorted(taken), sorted([first, visitor]));
    deepStrictEqual([...(await sessions.take([first.id, visitor.id], call()))], []);
    for (const handle of [sessions, other]) strictEqual(await stored(trial, first.id, handle), null);
    deepStrictEqual([...(await sessions.list(keyOf(user), call()))], []);
    deepStrictEqual([...(await sessions.take([], call()))], []);
  },

  "a user's sessions are listed whatever their age and generation, and nobody else's": async (trial) => {
    const { sessions, make, call, clock } = trial;
    const [ana, ben] = [make.user(), make.user()];
    // By chance two users may have one slot tag.
    const twin = make.user({ slotTag: ana.slotTag });
    const soon = new Date(clock.now().getTime() + 1_000);
    const theirs = [
      make.session(ana),
      make.session(ana, { generation: ana.generation + 1 }),
      make.session(ana, { idleExpiresAt: soon }),
    ];
    const others = [make.session(ben), make.session(null), make.session(twin)];
    for (const session of [...theirs, ...others]) await sessions.insert(session, 0, call());
    clock.advance(1);
    same(sorted(await sessions.list(keyOf(ana), call())), sorted(theirs));
    same(await sessions.list(keyOf(twin), call()), [others[2]]);
    deepStrictEqual([...(await sessions.list(keyOf(make.user()), call()))], []);
  },

  "past the cap the least recently used live sessions of the generation go": async (trial) => {
    const { sessions, make, call, clock } = trial;
    const user = make.user();
    const at = (seconds: number): Date => new Date(clock.now().getTime() + seconds * 1000);
    const old = make.session(user, { generation: user.generation - 1, lastUsedAt: at(-9) });
    const expired = make.session(user, { idleExpiresAt: at(1), lastUsedAt: at(-8) });
    const live = [3, 1, 2].map((seconds) => make.session(user, { lastUsedAt: at(seconds) }));
    for (const session of [old, expired, ...live]) await sessions.insert(session, 0, call());
    clock.advance(1);
    const added = make.session(user, { lastUsedAt: at(0) });
    same(await sessions.insert(added, 2, call()), [live[1], live[2]]);
    const left = (await sessions.list(keyOf(user), call())).map(({ id }) => id);
    ok(left.includes(added.id) && left.includes(live[0]?.id ?? ""));
    ok(!left.includes(live[1]?.id ?? "") && !left.includes(live[2]?.id ?? ""));
    // The one that is added stays, however long ago it was used.
    const single = make.session(user, { lastUsedAt: at(-99) });
    strictEqual((await sessions.insert(single, 1, call())).length, 2);
    same(await stored(trial, single.id), single);
    strictEqual((await sessions.insert(make.session(null), 1, call())).length, 0);
  },

  "data is replaced by whoever read the last version, and brings nothing back": async (trial) => {
    const { sessions, make, call, clock } = trial;
    for (const user of [make.user(), null]) {
      const session = make.session(user);
      await sessions.insert(session, 0, call());
      const write = { sessionId: session.id, dataVersion: 0, data: { cart: [1] } };
      strictEqual(await sessions.setData(write, call()), true);
      same(await stored(trial, session.id), { ...session, data: { cart: [1] }, dataVersion: 1 });
      strictEqual(await sessions.setData(write, call()), false);
      strictEqual(await sessions.setData({ ...write, dataVersion: 2 }, call()), false);
      await sessions.take([session.id], call());
      strictEqual(await sessions.setData({ ...write, dataVersion: 1 }, call()), false);
      strictEqual(await stored(trial, session.id), null);
    }
    const expired = make.session(null, { idleExpiresAt: new Date(clock.now().getTime() + 1_000) });
    await sessions.insert(expired, 0, call());
    clock.advance(1);
    strictEqual(await sessions.setData({ sessionId: expired.id, dataVersion: 0, data: {} }, call()), false);
  },

  "a use moves forward, never back, and brings nothing back": async (trial) => {
    const { sessions, make, call, clock } = trial;
    const session = make.session(make.user(), { data: { kept: true } });
    await sessions.insert(session, 0, call());
    const touch = (seconds: number, sessionId: string = session.id) => ({
      sessionId,
      usedAt: new Date(session.lastUsedAt.getTime() + seconds * 1000),
      idleExpiresAt: new Date(session.idleExpiresAt.getTime() + seconds * 1000),
    });
    const gone = make.session(make.user());
    await sessions.insert(gone, 0, call());
    await sessions.take([gone.id], call());
    await sessions.touch(
      [touch(60), touch(-60), touch(30), touch(60, gone.id), touch(60, "unknown")],
      call(),
    );
    const { usedAt, idleExpiresAt } = touch(60);
    same(await stored(trial, session.id), { ...session, lastUsedAt: usedAt, idleExpiresAt });
    strictEqual(await stored(trial, gone.id), null);
    clock.advance(31 * 60);
    await sessions.touch([touch(3_600)], call());
    strictEqual((await stored(trial, session.id))?.idleExpiresAt.getTime(), idleExpiresAt.getTime());
  },

  "expired sessions are there until they are taken, and named where the engine keeps them": async (trial) => {
    const { sessions, make, call, clock, expiresByItself } = trial;
    const soon = new Date(clock.now().getTime() + 1_000);
    const user = make.user();
    const expired = [user, user, null].map((owner) => make.session(owner, { idleExpiresAt: soon }));
    for (const session of [...expired, make.session(user)]) await sessions.insert(session, 0, call());
    deepStrictEqual([...(await sessions.expired(9, call()))], []);
    clock.advance(1);
    for (const session of expired) same(await stored(trial, session.id), session);
    const named = await sessions.expired(9, call());
    same(sorted(named), expiresByItself ? [] : sorted(expired));
    if (expiresByItself) return;
    strictEqual((await sessions.expired(2, call())).length, 2);
    await sessions.take([expired[0]?.id ?? ""], call());
    strictEqual((await sessions.expired(9, call())).length, 2);
  },

  "closing is idempotent, and a ping is answered": async ({ sessions, call }) => {
    await sessions.ping(call());
    await sessions.close();
    await sessions.close();
  },
};

function sorted(sessions: readonly Session[]): readonly Session[] {
  return sessions.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
