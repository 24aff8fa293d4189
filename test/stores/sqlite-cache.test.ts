import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import type { Report, Write } from "../../src/ports/store.ts";
import { sessionRow, userRow } from "../../src/stores/rows.ts";
import { type SessionCache, sessionCache } from "../../src/stores/session-cache.ts";
import type { SqliteStores } from "../../src/stores/sqlite/sqlite.ts";
import { type Fixtures, fixtures, testClock } from "../../src/testing/testing.ts";
import { foundBy, sqliteFile } from "./sqlite-file.ts";

const silent: Report = () => [];

function many(make: Fixtures, count: number): readonly Session[] {
  return Array.from({ length: count }, () => make.session(null));
}

/** Stores whose statements are counted, a user with three sessions, somebody else's session and a visitor's. */
async function setUp(options: { cacheSessions?: number } = {}) {
  const file = sqliteFile();
  const statements: string[] = [];
  const stores = file.open({
    ...options,
    onStatement: (sql) => statements.push(sql.trim().replaceAll(/\s+/g, " ")),
  });
  const { make, call } = file;
  const [ana, ben] = [make.user({ roles: ["admin"], data: { plan: "pro" } as User["data"] }), make.user()];
  const sessions = [
    make.session(ana),
    make.session(ana, { data: { cart: [1] } }),
    make.session(ana),
  ] as const;
  const [bens, visitors] = [make.session(ben), make.session(null)];
  const insert = (session: Session): Write => ({ kind: "session.insert", session, cap: 0, evicted: silent });
  const users = [ana, ben].map((user): Write => ({ kind: "user.insert", user }));
  await stores.directory.commit([...users, ...[...sessions, bens, visitors].map(insert)], call());
  const asked = (ids: readonly string[]): readonly string[] => {
    statements.length = 0;
    stores.sessions.find(ids, call());
    return [...statements];
  };
  return { ...file, stores, ana, ben, sessions, bens, visitors, insert, asked };
}

const version = "PRAGMA data_version";

describe("a session check", () => {
  it("reads once when the session is known, and writes nothing", async () => {
    const { asked, sessions, visitors } = await setUp();
    const ids = [sessions[0].id, sessions[1].id, visitors.id];
    const [first, joined, ...more] = asked(ids);
    expect([first, more]).toEqual([version, []]);
    expect(joined).toMatch(/^SELECT .* FROM sessions s LEFT JOIN users u .* IN \(\?, \?, \?\)$/);
    expect(asked(ids)).toEqual([version]);
    expect(asked([visitors.id])).toEqual([version]);
  });

  it("is one joined read when it is not known", async () => {
    const { asked, sessions } = await setUp();
    expect(asked([sessions[0].id])).toEqual([version, expect.stringMatching(/^SELECT .* WHERE s\.id = \?$/)]);
  });

  it("is one joined read where nothing may be remembered", async () => {
    const { asked, sessions } = await setUp({ cacheSessions: 0 });
    for (let turn = 0; turn < 2; turn++) expect(asked([sessions[0].id])).toHaveLength(1);
  });

  it("answers at once, not with a promise", async () => {
    const { stores, sessions, call } = await setUp();
    for (let turn = 0; turn < 2; turn++) {
      expect(stores.sessions.find([sessions[0].id], call())).toBeInstanceOf(Array);
    }
  });

  it("says the same from memory as from the database", async () => {
    const { stores, open, ana, sessions, visitors, call } = await setUp();
    const uncached = open({ cacheSessions: 0 });
    for (const { id } of [...sessions, visitors]) {
      const first = await foundBy(stores, id, call());
      expect(await foundBy(stores, id, call())).toEqual(first);
      expect(await foundBy(uncached, id, call())).toEqual(first);
    }
    expect(await foundBy(stores, sessions[1].id, call())).toEqual({
      expired: false,
      session: sessions[1],
      user: ana,
    });
  });

  it.each(["idleExpiresAt", "expiresAt"] as const)(
    "sees the end of a remembered session by its %s",
    async (limit) => {
      const { stores, sessions, ana, make, clock, call, insert } = await setUp();
      const soon = new Date(clock.now().getTime() + 10_000);
      const short = make.session(ana, { [limit]: soon });
      await stores.directory.commit([insert(short)], call());
      expect(await foundBy(stores, short.id, call())).toMatchObject({ expired: false });
      clock.advance(9.999);
      expect(await foundBy(stores, short.id, call())).toMatchObject({ expired: false });
      clock.advance(0.001);
      expect(await foundBy(stores, short.id, call())).toEqual({
        expired: true,
        id: short.id,
        userId: ana.id,
      });
      expect(await foundBy(stores, sessions[0].id, call())).toMatchObject({ expired: false });
    },
  );

  it("is not changed by what somebody did with an earlier answer", async () => {
    const { stores, ana, sessions, call } = await setUp();
    const [, session] = sessions;
    for (let turn = 0; turn < 3; turn++) {
      const found = (await foundBy(stores, session.id, call())) as never as { session: Session; user: User };
      expect(found).toEqual({ expired: false, session, user: ana });
      (found.user.roles as string[]).push("owner");
      (found.user.data as { plan: string }).plan = "free";
      found.user.createdAt.setTime(0);
      (found.session.amr as string[]).push("mfa");
      (found.session.data as { cart: number[] }).cart.push(2);
      found.session.secretDigest.fill(0);
      found.session.expiresAt.setTime(0);
    }
  });

  it("is for at most three ids", async () => {
    const { stores, call } = await setUp();
    expect(() => stores.sessions.find(["a", "b", "c", "d"], call())).toThrow(TypeError);
  });
});

type Scene = Awaited<ReturnType<typeof setUp>>;

/** Every way in which this process changes what a check says, by what it does. */
const changes: Readonly<Record<string, (scene: Scene) => readonly Write[] | Promise<unknown>>> = {
  "user.update": ({ ana }) => [
    { kind: "user.update", userId: ana.id, version: 1, changes: { status: "disabled" } },
  ],
  "user.advance": ({ ana }) => [{ kind: "user.advance", userId: ana.id, from: 1 }],
  "user.erase": ({ ana }) => [{ kind: "user.erase", userId: ana.id, requires: "any" }],
  "session.insert, over the cap": ({ ana, make }) => [
    { kind: "session.insert", session: make.session(ana), cap: 1, evicted: silent },
  ],
  "session.rotate": ({ ana, make, sessions }) => [
    { kind: "session.rotate", from: sessions[0].id, session: make.session(ana) },
  ],
  "session.replace": ({ ana, make, sessions }) => [
    {
      kind: "session.replace",
      replaces: sessions[0].id,
      ended: silent,
      session: make.session(ana),
      cap: 0,
      evicted: silent,
    },
  ],
  "session.delete": ({ sessions }) => [{ kind: "session.delete", sessionId: sessions[0].id, ended: silent }],
  "session.delete_all": ({ ana }) => [
    { kind: "session.delete_all", userId: ana.id, except: null, ended: silent },
  ],
  "session.set_data": ({ sessions }) => [
    { kind: "session.set_data", sessionId: sessions[0].id, dataVersion: 0, data: { cart: [2] } },
  ],
  "session.refresh": ({ sessions, make }) => [
    { kind: "session.refresh", sessionId: sessions[0].id, from: null, family: make.refreshFamily() },
  ],
  touch: ({ stores, sessions, clock, call }) => {
    const usedAt = new Date(clock.now().getTime() + 1);
    const idleExpiresAt = new Date(sessions[0].idleExpiresAt.getTime() + 1);
    return stores.sessions.touch([{ sessionId: sessions[0].id, usedAt, idleExpiresAt }], call());
  },
  sweep: async ({ stores, clock, call }) => {
    // The visitor's has ended, and nobody has looked since.
    clock.advance(30 * 60);
    await stores.sessions.sweep(99, silent, call());
  },
};

describe("an own write", () => {
  it.each(Object.entries(changes))("is seen by the next check: %s", async (_, change) => {
    const scene = await setUp();
    const { stores, open, sessions, visitors, call } = scene;
    const ids = [...sessions, visitors].map(({ id }) => id);
    const read = (from: SqliteStores) => Promise.all(ids.map((id) => foundBy(from, id, call())));
    const before = await read(stores);
    const writes = await change(scene);
    if (Array.isArray(writes))
      expect(await stores.directory.commit(writes, call())).toMatchObject({ ok: true });
    const after = await read(stores);
    expect(after).not.toEqual(before);
    expect(after).toEqual(await read(open({ cacheSessions: 0 })));
  });

  it("leaves everything else remembered", async () => {
    const { stores, ana, sessions, bens, visitors, asked, call } = await setUp();
    const ids = [sessions[0], sessions[1], bens, visitors].map(({ id }) => id);
    for (const id of ids) asked([id]);
    await stores.ephemeral.put("key", "value", 60, call());
    await stores.directory.commit(
      [{ kind: "session.delete", sessionId: sessions[0].id, ended: silent }],
      call(),
    );
    for (const id of ids.slice(1)) expect(asked([id])).toEqual([version]);
    await stores.directory.commit([{ kind: "user.advance", userId: ana.id, from: 1 }], call());
    for (const id of ids.slice(2)) expect(asked([id])).toEqual([version]);
    expect(asked([sessions[1].id])).toHaveLength(2);
  });

  it("is not remembered where it was undone", async () => {
    const { stores, ana, sessions, call } = await setUp();
    const before = await foundBy(stores, sessions[0].id, call());
    const writes: Write[] = [
      { kind: "user.advance", userId: ana.id, from: 1 },
      { kind: "session.delete", sessionId: sessions[0].id, ended: silent },
      { kind: "directory.require_empty" },
    ];
    expect(await stores.directory.commit(writes, call())).toEqual({
      ok: false,
      refused: "first_user_exists",
    });
    expect(await foundBy(stores, sessions[0].id, call())).toEqual(before);
  });
});

it("many uses are noted, some at a time", async () => {
  const { open, make, clock, call } = sqliteFile();
  let transactions = 0;
  const stores = open({
    onStatement: (sql) => {
      if (sql === "COMMIT") transactions++;
    },
  });
  const sessions = many(make, 450);
  const writes = sessions.map(
    (session): Write => ({ kind: "session.insert", session, cap: 0, evicted: silent }),
  );
  await stores.directory.commit(writes, call());
  transactions = 0;
  const usedAt = new Date(clock.now().getTime() + 1);
  const touches = sessions.map(({ id, idleExpiresAt }) => ({ sessionId: id, usedAt, idleExpiresAt }));
  await stores.sessions.touch(touches, call());
  expect(transactions).toBe(3);
  for (const { id } of sessions) {
    expect(await foundBy(stores, id, call())).toMatchObject({ session: { lastUsedAt: usedAt } });
  }
});

describe("another connection's write", () => {
  it("is seen by the next check, whatever table and row it was", async () => {
    const { stores, raw, sessions, asked, call } = await setUp();
    const other = raw();
    asked([sessions[0].id]);
    other.exec("INSERT INTO counters VALUES ('theirs', 1, 1)");
    expect(asked([sessions[0].id])).toHaveLength(2);
    expect(asked([sessions[0].id])).toEqual([version]);
    other.exec("UPDATE users SET generation = 7");
    expect(await foundBy(stores, sessions[0].id, call())).toMatchObject({ user: { generation: 7 } });
    other.exec("DELETE FROM sessions");
    expect(await foundBy(stores, sessions[0].id, call())).toBeNull();
  });

  it("is seen also where own writes came before and after it", async () => {
    const { stores, raw, sessions, call } = await setUp();
    await foundBy(stores, sessions[0].id, call());
    await stores.ephemeral.put("key", "1", 60, call());
    raw().exec("UPDATE users SET generation = 7");
    await stores.ephemeral.put("key", "2", 60, call());
    expect(await foundBy(stores, sessions[0].id, call())).toMatchObject({ user: { generation: 7 } });
  });

  it("of the application is announced by forget, and the user is read again", async () => {
    const { stores, ana, sessions, bens, asked, call } = await setUp();
    for (const { id } of [...sessions, bens]) asked([id]);
    await stores.directory.forget(ana.id, call());
    expect(asked([bens.id])).toEqual([version]);
    for (const { id } of sessions) expect(asked([id])).toHaveLength(2);
    for (const { id } of sessions) expect(asked([id])).toEqual([version]);
  });
});

describe("the cache", () => {
  const clock = testClock();
  const nowMs = clock.now().getTime();
  const put = (cache: SessionCache, session: Session, user: User | null): void =>
    cache.put(sessionRow(session), user === null ? null : userRow(user));

  it("holds no more than it may, and keeps what is in use", () => {
    const make = fixtures(clock);
    const cache = sessionCache(300);
    const [inUse, ...others] = many(make, 1_000) as [Session, ...Session[]];
    put(cache, inUse, null);
    for (const session of others) {
      expect(cache.get(inUse.id, nowMs)).not.toBeNull();
      put(cache, session, null);
    }
    const kept = [inUse, ...others].filter(({ id }) => cache.get(id, nowMs) !== null);
    expect(kept).toHaveLength(300);
    for (const session of kept)
      expect(cache.get(session.id, nowMs)).toEqual({ expired: false, session, user: null });
  });

  it("uses the room of what was dropped", () => {
    const make = fixtures(clock);
    const cache = sessionCache(2);
    const [first, second, third] = many(make, 3) as [Session, Session, Session];
    for (const session of [first, second]) put(cache, session, null);
    cache.dropSession(first.id);
    put(cache, third, null);
    expect([first, second, third].map(({ id }) => cache.get(id, nowMs) !== null)).toEqual([
      false,
      true,
      true,
    ]);
    cache.clear();
    expect([first, second, third].map(({ id }) => cache.get(id, nowMs))).toEqual([null, null, null]);
    for (const session of [first, second]) put(cache, session, null);
    expect([first, second].map(({ id }) => cache.get(id, nowMs) !== null)).toEqual([true, true]);
  });

  it("gives a session that is read again no second place", () => {
    const make = fixtures(clock);
    const cache = sessionCache(2);
    const [first, second] = many(make, 2) as [Session, Session];
    put(cache, first, null);
    for (let turn = 0; turn < 5; turn++) put(cache, second, null);
    expect([first, second].map(({ id }) => cache.get(id, nowMs) !== null)).toEqual([true, true]);
  });

  it("has all its room again after it was cleared", () => {
    const make = fixtures(clock);
    const cache = sessionCache(3);
    const sessions = many(make, 3);
    for (const session of sessions) put(cache, session, null);
    cache.dropSession(sessions[2]?.id ?? "");
    cache.clear();
    for (const session of sessions) put(cache, session, null);
    expect(sessions.map(({ id }) => cache.get(id, nowMs) !== null)).toEqual([true, true, true]);
  });

  it("knows one version of a user for all their sessions", () => {
    const make = fixtures(clock);
    const cache = sessionCache(10);
    const user = make.user();
    const [first, second] = [make.session(user), make.session(user)];
    put(cache, first, user);
    const newer = { ...user, generation: 2 };
    put(cache, second, newer);
    for (const { id } of [first, second]) expect(cache.get(id, nowMs)).toMatchObject({ user: newer });
    cache.dropSession(second.id);
    cache.dropUser(user.id);
    expect(cache.get(first.id, nowMs)).toBeNull();
    put(cache, second, user);
    expect([first, second].map(({ id }) => cache.get(id, nowMs) !== null)).toEqual([false, true]);
    // The one that was read before the change leaves, and takes nothing with it that belongs to the other.
    put(cache, first, user);
    cache.dropSession(first.id);
    cache.dropUser(user.id);
    expect(cache.get(second.id, nowMs)).toBeNull();
  });

  it("forgets users with the last of their sessions", async () => {
    const make = fixtures(clock);
    const cache = sessionCache(1);
    const collected: WeakRef<object>[] = [];
    for (let index = 0; index < 50; index++) {
      const user = make.user();
      const row = userRow(user);
      collected.push(new WeakRef(row));
      cache.put(sessionRow(make.session(user)), row);
    }
    // References of the turn that made them are kept until it ends.
    await new Promise(setImmediate);
    collectGarbage();
    // The last one is in use, and one may still be on the stack.
    expect(collected.filter((row) => row.deref() !== undefined).length).toBeLessThanOrEqual(2);
  });

  it("takes at most 400 bytes for a session", () => {
    const make = fixtures(clock);
    const user = make.user();
    const userAgent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
    const count = 20_000;
    const cache = sessionCache(count);
    const before = bytesInUse();
    for (let index = 0; index < count; index++) {
      // From text, as a database gives it: a fixture's ids share memory with what they were cut out of.
      const session = make.session(user, { ip: `203.0.113.${index % 256}`, userAgent });
      const row = JSON.parse(JSON.stringify(sessionRow(session)));
      row[1] = new Uint8Array(32);
      cache.put(row, userRow(user));
    }
    const each = (bytesInUse() - before) / count;
    expect(cache.get("unknown", nowMs)).toBeNull();
    expect(each).toBeLessThanOrEqual(400);
    expect(each).toBeGreaterThan(100);
  });
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}

function bytesInUse(): number {
  // What typed arrays held is freed by the collection after the one that found them.
  for (let turn = 0; turn < 3; turn++) collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
