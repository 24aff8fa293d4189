import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import type { FoundSession } from "../../src/ports/session-store.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { recentSessions } from "../../src/stores/cached/recent.ts";
import { cachedStores } from "../../src/stores/cached/stores.ts";
import { cached } from "../../src/stores/cached.ts";
import { memory } from "../../src/stores/memory.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { fixtures, sessionContract, testClock } from "../../src/testing/testing.ts";
import { bus } from "./cached-bus.ts";

const collectGarbage = ((): (() => void) => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
})();

const insert = (session: Session, cap = 0): Write => ({
  kind: "session.insert",
  session,
  cap,
  evicted: () => [],
});
const end = (sessionId: string): Write => ({ kind: "session.delete", sessionId, ended: () => [] });
const advance = ({ id }: User, from: number): Write => ({ kind: "user.advance", userId: id, from });

describe("cached stores keep the session contract", () => {
  const own = { channel: () => bus().channel() };
  const harnesses = {
    "over memory": { open: async () => cached(memory(), { channel: own.channel() }) },
    "over SQLite": {
      open: async () => cached(sqlite({ path: ":memory:" }), { channel: own.channel() }),
    },
  };
  for (const [where, harness] of Object.entries(harnesses)) {
    describe(where, () => {
      for (const { section, name, run } of sessionContract(harness)) it(`${section}: ${name}`, run);
    });
  }
});

/** Stores whose readings are counted and can be held back. */
function observed(stores: Stores) {
  const asked: (readonly string[])[] = [];
  let isSlow = false;
  let held: (() => void)[] = [];
  const observer: Stores = {
    ...stores,
    sessions: {
      ...stores.sessions,
      find(ids, call) {
        asked.push(ids);
        const found = stores.sessions.find(ids, call);
        if (!isSlow) return found;
        return new Promise((resolve) => held.push(() => resolve(found)));
      },
    },
  };
  return {
    stores: observer,
    asked,
    hold(slow: boolean) {
      isSlow = slow;
    },
    release() {
      for (const go of held) go();
      held = [];
    },
  };
}

/** Two processes, A and B, on one database, and time in hand. */
async function setUp({ maxStalenessMs = 5_000, maxSessions = 1_000 } = {}) {
  const clock = testClock();
  const make = fixtures(clock);
  const base = memory();
  const line = bus();
  let elapsed = 0;
  const process = () => {
    const channel = line.channel();
    const watched = observed(base);
    const recent = recentSessions({ maxAgeMs: maxStalenessMs, maxSessions, elapsedMs: () => elapsed });
    return { ...watched, channel, cached: cachedStores({ stores: watched.stores, channel, recent }) };
  };
  const [a, b] = [process(), process()];
  const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
  const user = make.user();
  const sessions = [make.session(user), make.session(user), make.session(null)] as const;
  await base.directory.commit([{ kind: "user.insert", user }, ...sessions.map((one) => insert(one))], call());
  const find = async ({ cached: { sessions: port } }: { cached: Stores }, id: string, readsThrough = false) =>
    (await port.find([id], { ...call(), readsThrough }))[0] ?? null;
  return {
    a,
    b,
    base,
    line,
    clock,
    make,
    call,
    user,
    sessions,
    find,
    /** Lets time pass: by both clocks, or by one. */
    pass(ms: number, by: "both" | "elapsed" | "now" = "both") {
      if (by !== "now") elapsed += ms;
      if (by !== "elapsed") clock.advance(ms / 1_000);
    },
    commit: ({ cached: { directory } }: { cached: Stores }, ...writes: readonly Write[]) =>
      directory.commit(writes, call()),
  };
}

describe("a session that was found lately", () => {
  it("is answered from memory, at once, for as long as the bound and no longer", async () => {
    const { a, sessions, find, pass } = await setUp();
    const first = await find(a, sessions[0].id);
    expect(first).toMatchObject({ expired: false, session: { id: sessions[0].id } });
    pass(4_999);
    expect(await find(a, sessions[0].id)).toEqual(first);
    expect(a.asked).toHaveLength(1);
    pass(1);
    await find(a, sessions[0].id);
    expect(a.asked).toHaveLength(2);
  });

  it("is too old when either clock says so", async () => {
    for (const by of ["elapsed", "now"] as const) {
      const { a, sessions, find, pass } = await setUp();
      await find(a, sessions[0].id);
      pass(5_000, by);
      await find(a, sessions[0].id);
      expect(a.asked, by).toHaveLength(2);
    }
  });

  it("is answered in an array, not with a promise, and what a caller does to it stays with them", async () => {
    const { a, sessions, call, find } = await setUp();
    const kept = await find(a, sessions[0].id);
    const answer = a.cached.sessions.find([sessions[0].id], call());
    expect(answer).toBeInstanceOf(Array);
    const [found] = answer as readonly FoundSession[];
    if (found === undefined || found.expired) throw new Error("not found");
    found.session.secretDigest.fill(0);
    found.session.expiresAt.setTime(0);
    expect(await find(a, sessions[0].id)).toEqual(kept);
  });

  it("is asked for again where a write hangs on it, and kept as it was found then", async () => {
    const { a, base, user, sessions, find, call } = await setUp();
    await find(a, sessions[0].id);
    await base.directory.commit([advance(user, 1)], call());
    expect(await find(a, sessions[0].id)).toMatchObject({ user: { generation: 1 } });
    expect(await find(a, sessions[0].id, true)).toMatchObject({ user: { generation: 2 } });
    expect(await find(a, sessions[0].id)).toMatchObject({ user: { generation: 2 } });
    expect(a.asked).toHaveLength(2);
  });

  it("is asked for again when it seems to have expired: another process may have used it", async () => {
    const { a, base, sessions, find, clock, call } = await setUp();
    const { id, idleExpiresAt } = sessions[0];
    clock.advance(30 * 60 - 1);
    await find(a, id);
    const later = new Date(idleExpiresAt.getTime() + 60_000);
    await base.sessions.touch([{ sessionId: id, usedAt: clock.now(), idleExpiresAt: later }], call());
    clock.advance(2);
    expect(await find(a, id)).toMatchObject({ expired: false, session: { idleExpiresAt: later } });
  });

  it("is not made up where there was none: somebody who signs in elsewhere is signed in here", async () => {
    const { a, b, make, user, find, commit } = await setUp();
    const session = make.session(user);
    expect(await find(a, session.id)).toBeNull();
    await commit(b, insert(session));
    expect(await find(a, session.id)).toMatchObject({ expired: false });
  });
});

describe("what changes", () => {
  it("in this process counts at once", async () => {
    const { a, user, sessions, find, commit, call } = await setUp();
    const [first, second, visitors] = sessions;
    for (const { id } of sessions) await find(a, id);
    await commit(a, end(first.id));
    expect(await find(a, first.id)).toBeNull();
    await commit(a, advance(user, 1));
    expect(await find(a, second.id)).toMatchObject({ user: { generation: 2 } });
    const data = { cart: [1] };
    await commit(a, { kind: "session.set_data", sessionId: visitors.id, dataVersion: 0, data });
    expect(await find(a, visitors.id)).toMatchObject({ session: { data } });
    const usedAt = new Date(visitors.lastUsedAt.getTime() + 60_000);
    const { id: sessionId, idleExpiresAt } = visitors;
    await a.cached.sessions.touch([{ sessionId, usedAt, idleExpiresAt }], call());
    expect(await find(a, visitors.id)).toMatchObject({ session: { lastUsedAt: usedAt } });
  });

  it("in another process counts when the channel brings it", async () => {
    const { a, b, make, user, sessions, find, commit, line } = await setUp();
    const changes: readonly (readonly [Write, readonly string[]])[] = [
      [
        { kind: "session.refresh", sessionId: sessions[2].id, from: null, family: make.refreshFamily() },
        [sessions[2].id],
      ],
      [end(sessions[2].id), [sessions[2].id]],
      [
        { kind: "session.rotate", from: sessions[1].id, session: { ...sessions[1], id: "r".repeat(24) } },
        [sessions[1].id],
      ],
      [
        { kind: "user.update", userId: user.id, version: 1, changes: { status: "disabled" } },
        [sessions[0].id],
      ],
      [{ kind: "session.delete_all", userId: user.id, except: null, ended: () => [] }, [sessions[0].id]],
    ];
    for (const [write, ids] of changes) {
      for (const id of ids) await find(b, id);
      await commit(a, write);
      line.deliver();
      const asked = b.asked.length;
      for (const id of ids) await find(b, id);
      expect(b.asked.length, write.kind).toBe(asked + ids.length);
    }
  });

  it("a cap ends in another process is told as well", async () => {
    const { a, b, make, user, sessions, find, commit, line, clock } = await setUp();
    for (const { id } of sessions) await find(b, id);
    clock.advance(1);
    await commit(a, insert(make.session(user), 1));
    line.deliver();
    expect(await find(b, sessions[0].id)).toBeNull();
    expect(await find(b, sessions[1].id)).toBeNull();
  });

  it("by an application's own hand is forgotten everywhere", async () => {
    const { a, b, base, user, sessions, find, call, line } = await setUp();
    for (const process of [a, b]) await find(process, sessions[0].id);
    await base.directory.commit([advance(user, 1)], call());
    await a.cached.directory.forget(user.id, call());
    line.deliver();
    for (const process of [a, b])
      expect(await find(process, sessions[0].id)).toMatchObject({ user: { generation: 2 } });
  });

  it("nobody is told of what nobody can have cached", async () => {
    const { a, make, user, commit } = await setUp();
    await commit(a, { kind: "user.insert", user: make.user() }, insert(make.session(user)));
    await commit(a, { kind: "user.require", userId: user.id, generation: 7 }, end("gone"));
    expect(a.channel.told).toEqual([]);
  });

  it("counts also where a transaction failed and may have been committed", async () => {
    const { a, b, base, user, sessions, find, call, line } = await setUp();
    const broken: Stores = {
      ...base,
      directory: {
        ...base.directory,
        async commit(writes, called) {
          await base.directory.commit(writes, called);
          throw new Error("the answer was lost");
        },
      },
    };
    const channel = line.channel();
    const recent = recentSessions({ maxAgeMs: 5_000, maxSessions: 100, elapsedMs: () => 0 });
    const c = { cached: cachedStores({ stores: broken, channel, recent }) };
    for (const process of [a, b, c]) await find(process, sessions[0].id);
    const [mine, , visitors] = sessions;
    for (const process of [a, b, c]) await find(process, visitors.id);
    const session = { ...visitors, id: "n".repeat(24) };
    const silent = { evicted: () => [], ended: () => [] };
    const replace: Write = { kind: "session.replace", replaces: visitors.id, session, cap: 0, ...silent };
    await expect(c.cached.directory.commit([advance(user, 1), replace], call())).rejects.toThrow("lost");
    line.deliver();
    for (const process of [a, b, c]) {
      expect(await find(process, mine.id)).toMatchObject({ user: { generation: 2 } });
      expect(await find(process, visitors.id)).toBeNull();
    }
  });
});

describe("a reading that was under way when something changed", () => {
  it("is answered and not kept, whoever changed it", async () => {
    for (const by of ["own", "other", "user", "everything"] as const) {
      const { a, b, user, sessions, find, commit, line } = await setUp();
      a.hold(true);
      const slow = find(a, sessions[0].id);
      a.hold(false);
      if (by === "own") await commit(a, end(sessions[0].id));
      if (by === "other") await commit(b, end(sessions[0].id));
      if (by === "user") await commit(b, advance(user, 1));
      if (by === "everything") a.channel.mend();
      line.deliver();
      a.release();
      expect(await slow).toMatchObject({ expired: false, user: { generation: 1 } });
      await find(a, sessions[0].id);
      expect(a.asked, by).toHaveLength(2);
    }
  });

  it("is kept where something else changed", async () => {
    const { a, b, sessions, find, commit, line } = await setUp();
    a.hold(true);
    const slow = find(a, sessions[0].id);
    a.hold(false);
    await commit(b, end(sessions[2].id));
    line.deliver();
    a.release();
    await slow;
    await find(a, sessions[0].id);
    expect(a.asked).toHaveLength(1);
  });

  it("is as old as its beginning", async () => {
    const { a, sessions, find, pass } = await setUp();
    a.hold(true);
    const slow = find(a, sessions[0].id);
    a.hold(false);
    pass(4_000);
    a.release();
    await slow;
    pass(1_000);
    await find(a, sessions[0].id);
    expect(a.asked).toHaveLength(2);
  });

  it("is not kept among what was read long after it began", async () => {
    const { a, sessions, find, pass } = await setUp();
    a.hold(true);
    const slow = find(a, sessions[0].id);
    a.hold(false);
    for (const { id } of [sessions[1], sessions[2]]) {
      pass(2_500);
      await find(a, id);
    }
    a.release();
    await slow;
    await find(a, sessions[0].id);
    expect(a.asked).toHaveLength(4);
  });

  it("brings no older user to a session that was read later", async () => {
    const { a, base, user, sessions, find, call, pass } = await setUp();
    a.hold(true);
    const slow = find(a, sessions[0].id);
    a.hold(false);
    await base.directory.commit([advance(user, 1)], call());
    pass(4_000);
    expect(await find(a, sessions[1].id)).toMatchObject({ user: { generation: 2 } });
    a.release();
    await slow;
    pass(1_000);
    expect(await find(a, sessions[1].id)).toMatchObject({ user: { generation: 2 } });
  });

  it("that fails keeps nothing, and the next one is kept", async () => {
    const { base, sessions, find, line } = await setUp();
    let fails = true;
    const stores: Stores = {
      ...base,
      sessions: {
        ...base.sessions,
        find(ids, call) {
          if (fails) throw new Error("down");
          return base.sessions.find(ids, call);
        },
      },
    };
    const recent = recentSessions({ maxAgeMs: 5_000, maxSessions: 100, elapsedMs: () => 0 });
    const c = { cached: cachedStores({ stores, channel: line.channel(), recent }) };
    await expect(find(c, sessions[0].id)).rejects.toThrow("down");
    fails = false;
    expect(await find(c, sessions[0].id)).toMatchObject({ expired: false });
    fails = true;
    expect(await find(c, sessions[0].id)).toMatchObject({ expired: false });
  });
});

/** What may happen, in any order. */
const ofProcess = { by: fc.nat(1) };
const ofSession = { which: fc.constantFrom(0, 2) };
const step = <K extends string, R extends object>(kind: K, rest: { [P in keyof R]: fc.Arbitrary<R[P]> }) =>
  fc.record({ kind: fc.constant(kind), ...rest }) as fc.Arbitrary<{ readonly kind: K } & Readonly<R>>;
const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: step("read", { ...ofProcess, ...ofSession }) },
    { weight: 3, arbitrary: step("write", { ...ofProcess, ...ofSession }) },
    { weight: 1, arbitrary: step("advance", ofProcess) },
    { weight: 1, arbitrary: step("secretly", ofSession) },
    { weight: 3, arbitrary: step("pass", { ms: fc.constantFrom(1, 1_000, 2_499, 2_500, 4_999, 5_000) }) },
    { weight: 1, arbitrary: step("odd clock", { ms: fc.constantFrom(1_000, 2_500, 5_000) }) },
    { weight: 2, arbitrary: step("deliver", {}) },
    { weight: 1, arbitrary: step("cut", ofProcess) },
    { weight: 1, arbitrary: step("mend", ofProcess) },
    { weight: 2, arbitrary: step("hold", ofProcess) },
    { weight: 3, arbitrary: step("release", ofProcess) },
  ),
  { minLength: 30, maxLength: 80, size: "max" },
);

describe("whatever happens in whatever order", () => {
  it.each(["a clock that is set back", "a machine that sleeps"])(
    "no answer is older than the bound, and own changes count at once, with %s",
    async (oddity) => {
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          const world = await setUp();
          const { a, b, base, user, sessions, call, line } = world;
          const processes = [a, b];
          // What was true of each session, since when; the last of it that each process must know, and that was told.
          const history = sessions.map(() => [{ since: 0, dataVersion: 0, generation: 1 }]);
          const knows = processes.map(() => sessions.map(() => 0));
          const told = sessions.map(() => 0);
          const isCut = processes.map(() => false);
          let time = 1;
          const pending: Promise<void>[] = [];
          const raise = (own: number[], to: readonly number[]): void => {
            for (const [which, at] of to.entries()) own[which] = Math.max(own[which] ?? 0, at);
          };
          const latest = (which: number) =>
            history[which]?.at(-1) ?? { since: 0, dataVersion: 0, generation: 1 };
          const became = (which: number, by: number | null, to: object): void => {
            history[which]?.push({ ...latest(which), ...to, since: time });
            const own = by === null ? undefined : knows[by];
            if (own === undefined || by === null) return;
            own[which] = time;
            if (!isCut[by]) told[which] = time;
          };
          const check = (which: number, found: FoundSession | null, from: number): void => {
            if (found === null || found.expired) throw new Error("nothing ended here");
            const { dataVersion } = found.session;
            const truths = history[which] ?? [];
            const isTrue = truths.some(
              (truth, index) =>
                truth.dataVersion === dataVersion &&
                (found.user === null || found.user.generation === truth.generation) &&
                // True at some instant after `from`: no later truth had replaced it by then.
                (truths[index + 1]?.since ?? Number.POSITIVE_INFINITY) > from,
            );
            expect(isTrue, JSON.stringify({ which, from, truths, dataVersion })).toBe(true);
          };
          for (const step of script) {
            time += 0.001;
            const process = "by" in step ? (processes[step.by] ?? a) : a;
            if (step.kind === "read") {
              const { by, which } = step;
              const { id } = sessions[which] ?? sessions[0];
              const from = Math.max(time - 5_000, knows[by]?.[which] ?? 0);
              pending.push(world.find(process, id).then((found) => check(which, found, from)));
              await Promise.resolve();
            }
            if (step.kind === "write" || step.kind === "secretly") {
              const { which } = step;
              const { dataVersion } = latest(which);
              const { id: sessionId } = sessions[which] ?? sessions[0];
              const by = step.kind === "write" ? step.by : null;
              const write = { kind: "session.set_data", sessionId, dataVersion, data: {} } as const;
              time += 0.001;
              became(which, by, { dataVersion: dataVersion + 1 });
              const directory = by === null ? base.directory : process.cached.directory;
              expect((await directory.commit([write], call())).ok).toBe(true);
            }
            if (step.kind === "advance") {
              const { generation } = latest(0);
              time += 0.001;
              for (const which of [0, 1]) became(which, step.by, { generation: generation + 1 });
              expect((await world.commit(process, advance(user, generation))).ok).toBe(true);
            }
            if (step.kind === "pass") {
              time += step.ms;
              world.pass(step.ms);
            }
            if (step.kind === "odd clock") {
              if (oddity === "a machine that sleeps") {
                time += step.ms;
                world.pass(step.ms, "now");
              } else world.pass(-step.ms, "now");
            }
            if (step.kind === "deliver") {
              line.deliver();
              if (!isCut.includes(true)) for (const own of knows) raise(own, told);
            }
            if (step.kind === "cut") {
              process.channel.cut();
              isCut[step.by] = true;
            }
            if (step.kind === "mend") {
              process.channel.mend();
              isCut[step.by] = false;
              raise(knows[step.by] ?? [], [time, time, time]);
            }
            if (step.kind === "hold") process.hold(true);
            if (step.kind === "release") {
              process.hold(false);
              process.release();
            }
          }
          for (const process of processes) process.release();
          await Promise.all(pending);
        }),
        { numRuns: 400 },
      );
    },
  );
});

describe("cached stores are frugal", () => {
  it("a session takes at most 400 bytes beside its user, however many were found", () => {
    const clock = testClock();
    const make = fixtures(clock);
    const users = Array.from({ length: 100 }, () => make.user());
    const count = 20_000;
    // As a driver gives it: a text of its own.
    const text = (like: string): string => Buffer.from(like).toString("latin1");
    // Twice as many as it may keep.
    const fill = () => {
      const recent = recentSessions({ maxAgeMs: 5_000, maxSessions: count, elapsedMs: () => 0 });
      let last = "";
      for (let index = 0; index < 2 * count; index++) {
        const user = users[index % users.length] ?? make.user();
        const made = make.session(user, {
          ip: text(`192.0.2.${index % 256}`),
          rotatedFrom: text("r".repeat(24)),
        });
        const session = { ...made, id: text(made.id) };
        recent.end(recent.begin(clock.now()), [{ expired: false, session, user }]);
        last = session.id;
      }
      return { recent, last };
    };
    const used = (): number => {
      collectGarbage();
      collectGarbage();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const warm = fill();
    const before = used();
    const { recent, last } = fill();
    const bytes = (used() - before) / count;
    for (const one of [warm.recent.get([warm.last], clock.now()), recent.get([last], clock.now())])
      expect(one).not.toBeNull();
    console.log(`cached: ${Math.round(bytes)} bytes a session`);
    expect(bytes).toBeGreaterThan(100);
    expect(bytes).toBeLessThan(400);
  });

  it("keeps no more than it may", async () => {
    const clock = testClock();
    const make = fixtures(clock);
    const recent = recentSessions({ maxAgeMs: 5_000, maxSessions: 100, elapsedMs: () => 0 });
    const sessions = Array.from({ length: 1_000 }, () => make.session(null));
    for (const session of sessions)
      recent.end(recent.begin(clock.now()), [{ expired: false, session, user: null }]);
    const kept = sessions.filter(({ id }) => recent.get([id], clock.now()) !== null);
    expect(kept.length).toBeGreaterThanOrEqual(50);
    expect(kept.length).toBeLessThanOrEqual(100);
    expect(kept).toEqual(sessions.slice(-kept.length));
  });
});

describe("cached refuses what cannot work", () => {
  it("numbers outside their range, and a channel that is in use", () => {
    const channel = bus().channel();
    for (const maxStalenessSeconds of [0, -1, 1.5, Number.NaN, 301])
      expect(() => cached(memory(), { channel, maxStalenessSeconds })).toThrow(TypeError);
    for (const maxSessions of [0, 99, 1e9])
      expect(() => cached(memory(), { channel, maxSessions })).toThrow(TypeError);
  });
});
