import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import type { DirectoryStore } from "../../src/ports/directory-store.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { split } from "../../src/stores/split.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import {
  detachedSessionContract,
  fixtures,
  type StoreHarness,
  sessionContract,
  testClock,
} from "../../src/testing/testing.ts";
import { dieEverywhere, type Engines, flows } from "./split-deaths.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-split-"));
afterAll(() => rmSync(root, { recursive: true }));

let opened = 0;
let path = "";
let sessions: DetachedSessions = memorySessions();
const joined = (directory: Stores): Stores => split({ ...directory, sessions });

const inMemory: StoreHarness = {
  open: async () => split({ ...memory(), sessions: memorySessions() }),
};
const besideSqlite: StoreHarness = {
  async open() {
    path = join(root, `${++opened}.db`);
    sessions = memorySessions();
    return joined(sqlite({ path }));
  },
  // Sessions in memory are one process's alone; the directory is opened by another connection.
  another: async () => joined(sqlite({ path })),
  async removeUser(userId) {
    const application = new DatabaseSync(path);
    application.prepare("DELETE FROM users WHERE id = ?").run(userId);
    application.close();
  },
};

for (const [where, harness] of Object.entries({ memory: inMemory, SQLite: besideSqlite })) {
  describe(`sessions in memory beside ${where} keep the session contract`, () => {
    for (const { section, name, run } of sessionContract(harness)) it(`${section}: ${name}`, run);
  });
}

describe("sessions in memory keep the contract of detached sessions", () => {
  const harness = { open: async () => memorySessions() };
  for (const { section, name, run } of detachedSessionContract(harness)) it(`${section}: ${name}`, run);
});

describe("a process that dies at any call to either engine leaves no session that the directory has ended", () => {
  for (const [name, flow] of Object.entries(flows)) {
    it(`in ${name}`, async () => {
      const open = async (): Promise<Engines> => ({ directory: memory(), sessions: memorySessions() });
      expect(await dieEverywhere(flow, open)).toBeGreaterThan(1);
    });
  }
});

describe("a rotation of a session that the cap ends meanwhile", () => {
  it("leaves none too many", async () => {
    const inner = memory();
    const sessions = memorySessions();
    const clock = testClock();
    const make = fixtures(clock);
    const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
    const user = make.user();
    const [old, next, other] = [make.session(user), make.session(user), make.session(user)];
    const stores = split({ ...inner, sessions });
    const insert: Write = { kind: "session.insert", session: old, cap: 1, evicted: () => [] };
    await stores.directory.commit([{ kind: "user.insert", user }, insert], call());
    // Between the directory's word and the deletion, a sign-in adds its session past the cap.
    const directory: DirectoryStore = {
      ...inner.directory,
      async commit(writes, each) {
        const result = await inner.directory.commit(writes, each);
        await sessions.insert(other, 1, each);
        return result;
      },
    };
    const racing = split({ ...inner, directory, sessions });
    const rotate: Write = { kind: "session.rotate", from: old.id, session: next };
    expect(await racing.directory.commit([rotate], call())).toMatchObject({ ok: true });
    const left = await stores.sessions.list(user.id, call());
    expect(left.map(({ id }) => id)).toEqual([other.id]);
  });
});

describe("a session that is added once everything of its user has ended", () => {
  const clock = testClock();
  const make = fixtures(clock);
  const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });

  it.each(["signs in", "rotates"] as const)("by somebody who %s, is not left to lie", async (how) => {
    const inner = memory();
    const engine = memorySessions();
    const user = make.user();
    const [old, next] = [make.session(user), make.session(user)];
    const insert = (session: typeof old): Write => ({
      ...{ kind: "session.insert", session, cap: 0, evicted: () => [] },
    });
    const others = split({ ...inner, sessions: engine });
    await others.directory.commit([{ kind: "user.insert", user }, insert(old)], call());
    const endAll: readonly Write[] = [
      { kind: "user.advance", userId: user.id, from: user.generation },
      { kind: "session.delete_all", userId: user.id, except: null, ended: () => [] },
    ];
    // Between the directory's word and the insertion.
    const sessions: DetachedSessions = {
      ...engine,
      async insert(session, cap, each) {
        expect((await others.directory.commit(endAll, call())).ok).toBe(true);
        return engine.insert(session, cap, each);
      },
    };
    const rotate: Write = { kind: "session.rotate", from: old.id, session: next };
    const write = how === "rotates" ? rotate : insert(next);
    await split({ ...inner, sessions }).directory.commit([write], call());
    expect(await engine.find([old.id, next.id], call())).toEqual([null, null]);
  });
});

describe("beside another engine", () => {
  function scene() {
    const [inner, engine, clock] = [memory(), memorySessions(), testClock()];
    const make = fixtures(clock);
    const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
    const user = make.user();
    const stores = split({ ...inner, sessions: engine });
    const insert = (session: Session, cap: number): Write => ({
      ...{ kind: "session.insert", session, cap, evicted: () => [] },
    });
    const live = async () => (await stores.sessions.list(user.id, call())).map(({ id }) => id);
    return { inner, engine, clock, make, call, user, stores, insert, live };
  }

  it("a rotation and a sign-in in the middle of it keep to the cap", async () => {
    const { inner, engine, make, call, user, stores, insert, live } = scene();
    const [old, next, other] = [make.session(user), make.session(user), make.session(user)];
    await stores.directory.commit([{ kind: "user.insert", user }, insert(old, 1)], call());
    let isFirst = true;
    const sessions: DetachedSessions = {
      ...engine,
      async insert(session, cap, each) {
        if (isFirst) await stores.directory.commit([insert(other, 1)], call());
        isFirst = false;
        return engine.insert(session, cap, each);
      },
    };
    const told: string[] = [];
    const evicted = (ended: readonly Session[]) => {
      told.push(...ended.map(({ id }) => id));
      return [];
    };
    const rotate: Write = {
      ...{ kind: "session.rotate", from: old.id, session: next, limit: { cap: 1, evicted } },
    };
    const result = await split({ ...inner, sessions }).directory.commit([rotate], call());
    expect([result.ok, await live(), told]).toEqual([true, [next.id], [other.id]]);
  });

  it("a session whose insertion is sent again does not come back once it has ended", async () => {
    const { inner, engine, make, call, user, stores, insert, live } = scene();
    const session = make.session(user);
    await stores.directory.commit([{ kind: "user.insert", user }], call());
    const end: Write = { kind: "session.delete", sessionId: session.id, ended: () => [] };
    const sessions: DetachedSessions = {
      ...engine,
      async insert(each, cap, at) {
        await engine.insert(each, cap, at);
        await stores.directory.commit([end], call());
        return engine.insert(each, cap, at);
      },
    };
    await split({ ...inner, sessions }).directory.commit([insert(session, 0)], call());
    expect([await live(), await engine.find([session.id], call())]).toEqual([[], [null]]);
  });

  it("an end of all sessions that is late takes none that a later change of the password hands over", async () => {
    const { inner, engine, make, call, user, stores, insert, live } = scene();
    const generation = (number: number) => ({ ...user, generation: number });
    const first = make.session(user);
    const second = make.session(generation(user.generation + 1), { data: { cart: 1 } });
    const third = make.session(generation(user.generation + 2));
    await stores.directory.commit([{ kind: "user.insert", user }, insert(first, 0)], call());
    const endAll = (from: number, except: string | null): readonly Write[] => [
      { kind: "user.advance", userId: user.id, from },
      { kind: "session.delete_all", userId: user.id, except, ended: () => [] },
    ];
    const gates = { open() {}, opened: Promise.resolve() };
    gates.opened = new Promise((resolve) => {
      gates.open = resolve;
    });
    const waiting = (before: () => Promise<unknown>): DirectoryStore => ({
      ...inner.directory,
      async commit(writes, each) {
        const result = await inner.directory.commit(writes, each);
        await before();
        return result;
      },
    });
    const late = split({ ...inner, directory: waiting(() => gates.opened), sessions: engine });
    const ending = late.directory.commit(endAll(user.generation, null), call());
    // Once the late one has committed.
    await expect.poll(async () => (await inner.directory.user(user.id, call()))?.generation).toBe(2);
    await stores.directory.commit([insert(second, 0)], call());
    const changing = waiting(async () => {
      gates.open();
      await ending;
    });
    const [advance, deleteAll] = endAll(user.generation + 1, third.id) as [Write, Write];
    const rotate: Write = { kind: "session.rotate", from: second.id, session: third };
    const writes = [advance, rotate, deleteAll];
    await split({ ...inner, directory: changing, sessions: engine }).directory.commit(writes, call());
    expect(await live()).toEqual([third.id]);
    expect((await stores.sessions.find([third.id], call()))[0]).toMatchObject({
      session: { data: { cart: 1 } },
    });
  });

  it("an ended session whose deletion failed costs no live one its place", async () => {
    const { inner, engine, clock, make, call, user, stores, insert, live } = scene();
    const [alive, dead] = [make.session(user), make.session(user)];
    await stores.directory.commit([{ kind: "user.insert", user }, insert(alive, 2), insert(dead, 2)], call());
    const take = () => Promise.reject(new Error("it does not answer"));
    const end: Write = { kind: "session.delete", sessionId: dead.id, ended: () => [] };
    const failing = split({ ...inner, sessions: { ...engine, take } });
    await expect(failing.directory.commit([end], call())).rejects.toThrow("does not answer");
    clock.advance(61);
    const fresh = make.session(user);
    await stores.directory.commit([insert(fresh, 2)], call());
    expect((await live()).toSorted()).toEqual([alive.id, fresh.id].toSorted());
  });
});

describe("a refresh beside another engine", () => {
  async function setUp() {
    const [inner, engine] = [memory(), memorySessions()];
    const clock = testClock();
    const make = fixtures(clock);
    const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
    const user = make.user();
    const session = make.session(user);
    const insert: Write = { kind: "session.insert", session, cap: 0, evicted: () => [] };
    await split({ ...inner, sessions: engine }).directory.commit(
      [{ kind: "user.insert", user }, insert],
      call(),
    );
    const refresh: Write = {
      kind: "session.refresh",
      sessionId: session.id,
      from: null,
      family: make.refreshFamily(),
    };
    const required: Write = { kind: "user.require", userId: user.id, generation: 1 };
    const row: Write = { kind: "audit.insert", row: make.auditRow() };
    const rows = () => inner.directory.auditRows(auditQuery({ limit: 9 }), call());
    const number = async () => (await engine.find([session.id], call()))[0]?.session.refresh?.number ?? null;
    return { make, inner, engine, call, refresh, required, row, rows, number };
  }

  it("does not use the token where the directory does not answer", async () => {
    const { inner, engine, call, refresh, required, row, number } = await setUp();
    const down = async (): Promise<never> => {
      throw new Error("connection refused");
    };
    const directory: DirectoryStore = { ...inner.directory, commit: down, ping: down };
    const { directory: broken } = split({ ...inner, directory, sessions: engine });
    for (const writes of [
      [required, refresh, row],
      [refresh, row],
    ])
      await expect(broken.commit(writes, call())).rejects.toThrow("connection refused");
    expect(await number()).toBeNull();
  });

  it("is on record only where it took place", async () => {
    const { inner, engine, call, refresh, required, row, rows, number } = await setUp();
    const failing: DetachedSessions = {
      ...engine,
      async refresh() {
        throw new Error("connection refused");
      },
    };
    const { directory: broken } = split({ ...inner, sessions: failing });
    await expect(broken.commit([required, refresh, row], call())).rejects.toThrow("connection refused");
    expect(await rows()).toEqual([]);
    const { directory } = split({ ...inner, sessions: engine });
    expect(await directory.commit([required, refresh, row], call())).toMatchObject({ ok: true });
    expect(await rows()).toHaveLength(1);
    expect(await directory.commit([required, refresh, row], call())).toMatchObject({ refused: "conflict" });
    expect(await rows()).toHaveLength(1);
    expect(await number()).toBe(0);
  });

  it("that another one overtakes together with a change of the user is a failure, and no silent success", async () => {
    const { make, inner, engine, call, refresh, number } = await setUp();
    const overtaken: DetachedSessions = { ...engine, refresh: async () => false };
    const { directory } = split({ ...inner, sessions: overtaken });
    const other: Write = { kind: "user.insert", user: make.user() };
    await expect(directory.commit([refresh, other], call())).rejects.toThrow("in the meantime");
    expect(await number()).toBeNull();
  });
});
