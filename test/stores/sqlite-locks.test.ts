import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { Report } from "../../src/ports/store.ts";
import type { SqliteOptions } from "../../src/stores/sqlite/sqlite.ts";
import { transactionsOn } from "../../src/stores/sqlite/transaction.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import { until } from "../support/until.ts";
import { sqliteFile } from "./sqlite-file.ts";

/** Somebody else's transaction that keeps everybody from writing. */
function locked(file: ReturnType<typeof sqliteFile>): { release(): void } {
  const db = file.raw();
  db.exec("BEGIN IMMEDIATE");
  return { release: () => db.exec("COMMIT") };
}

/** Counts turns of the event loop, at most one in 10 ms of a wait that is measured in time itself, until `work` has settled. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  const timer = setInterval(() => turns++, 10);
  await work.catch(() => {});
  clearInterval(timer);
  return turns;
}

/** Stores, and how often they have tried to write since. */
function counting(file: ReturnType<typeof sqliteFile>, options: Pick<SqliteOptions, "lockTimeoutMs"> = {}) {
  let tries = 0;
  const onStatement = (sql: string): void => {
    if (sql === "BEGIN IMMEDIATE") tries++;
  };
  const stores = file.open({ ...options, onStatement });
  // What the opening wrote.
  tries = 0;
  return { stores, tried: () => tries };
}

/** As SQLite says that somebody else holds the lock. */
const busy = (): Error => Object.assign(new Error("database is locked"), { errcode: 5 });

describe("a write that finds the database locked", () => {
  it("waits without holding up the event loop, and fails once its time is up", async () => {
    const file = sqliteFile();
    const stores = file.open({ lockTimeoutMs: 400 });
    const lock = locked(file);
    const write = stores.ephemeral.put("key", "value", 60, file.call());
    expect(await turnsDuring(write)).toBeGreaterThan(5);
    await expect(write).rejects.toThrow("the database stayed locked for 400 ms");
    lock.release();
    expect(await stores.ephemeral.read("key", file.call())).toBeNull();
  });

  it("is done as soon as the lock is free", async () => {
    const file = sqliteFile();
    const { stores, tried } = counting(file);
    const lock = locked(file);
    const write = stores.ephemeral.put("key", "value", 60, file.call());
    await until(() => tried() > 2);
    lock.release();
    await write;
    expect(await stores.ephemeral.read("key", file.call())).toBe("value");
  });

  it("leaves reading as it is", async () => {
    const file = sqliteFile();
    const stores = file.open();
    const session = file.make.session(null);
    await stores.directory.commit(
      [{ kind: "session.insert", session, cap: 0, evicted: () => [] }],
      file.call(),
    );
    const lock = locked(file);
    const write = stores.ephemeral.put("key", "value", 60, file.call());
    expect(stores.sessions.find([session.id], file.call())).toMatchObject([{ expired: false }]);
    lock.release();
    await write;
  });

  it("is given up with its caller, and not done later", async () => {
    const file = sqliteFile();
    const stores = file.open();
    const lock = locked(file);
    const caller = new AbortController();
    const write = stores.ephemeral.put("key", "value", 60, file.call(caller.signal));
    const later = stores.ephemeral.put("other", "value", 60, file.call());
    caller.abort(new Error("gone"));
    await expect(write).rejects.toThrow("gone");
    lock.release();
    await later;
    expect(await stores.ephemeral.read("key", file.call())).toBeNull();
  });

  it("is given up with its caller while it waits for the next try", async () => {
    const file = sqliteFile();
    const { stores, tried } = counting(file);
    locked(file);
    const caller = new AbortController();
    const write = stores.ephemeral.put("key", "value", 60, file.call(caller.signal));
    const givenUp = expect(write).rejects.toThrow("gone");
    await until(() => tried() > 2);
    caller.abort(new Error("gone"));
    await givenUp;
  });

  it("hears of a caller who gives up before its turn has come", async () => {
    const file = sqliteFile();
    const stores = file.open();
    const lock = locked(file);
    const first = stores.ephemeral.put("first", "value", 60, file.call());
    // A signal that is made when it is asked for, like the one that bounds calls: who asks late hears nothing.
    let caller: AbortController | null = null;
    const call = {
      now: file.clock.now(),
      get signal(): AbortSignal {
        caller ??= new AbortController();
        return caller.signal;
      },
    };
    const givenUp = expect(stores.ephemeral.put("key", "value", 60, call)).rejects.toThrow("gone");
    (caller as AbortController | null)?.abort(new Error("gone"));
    lock.release();
    await first;
    await givenUp;
    expect(await stores.ephemeral.read("key", file.call())).toBeNull();
  });

  it("waits in line: only the first one tries, and the order of the calls is kept", async () => {
    const file = sqliteFile();
    const { stores, tried } = counting(file);
    const lock = locked(file);
    const writes = Array.from({ length: 50 }, (_, n) =>
      stores.ephemeral.put("key", String(n), 60, file.call()),
    );
    expect(tried()).toBe(1);
    lock.release();
    await Promise.all(writes);
    expect(await stores.ephemeral.read("key", file.call())).toBe("49");
  });

  it("lets other work in while a long line is served", async () => {
    const file = sqliteFile();
    const stores = file.open();
    const lock = locked(file);
    const writes = Array.from({ length: 50 }, (_, n) =>
      stores.ephemeral.put("key", String(n), 60, file.call()),
    );
    lock.release();
    await writes[0];
    let turns = 0;
    let isServed = false;
    const count = (): void => {
      turns++;
      if (!isServed) setImmediate(count);
    };
    count();
    await Promise.all(writes);
    isServed = true;
    expect(turns).toBeGreaterThan(25);
  });

  it("costs no try once its time is up, however long the line", async () => {
    const file = sqliteFile();
    const { stores, tried } = counting(file, { lockTimeoutMs: 100 });
    locked(file);
    const writes = Array.from({ length: 200 }, (_, n) => stores.ephemeral.put(`${n}`, "", 60, file.call()));
    const outcomes = await Promise.allSettled(writes);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(["rejected"]));
    expect(tried()).toBeLessThan(100);
  });

  it("is finished before the store closes", async () => {
    const file = sqliteFile();
    const stores = file.open();
    const lock = locked(file);
    const write = stores.ephemeral.put("key", "value", 60, file.call());
    const closed = stores.ephemeral.close();
    lock.release();
    await closed;
    await write;
    expect(await file.open().ephemeral.read("key", file.call())).toBe("value");
  });
});

describe("a read that finds the database locked", () => {
  it("answers a promise, and then what is there", async () => {
    const file = sqliteFile();
    let blocked = 2;
    const stores = file.open({
      onStatement: (sql) => {
        if (sql.includes("FROM ephemeral") && blocked-- > 0) throw busy();
      },
    });
    await stores.ephemeral.put("key", "value", 60, file.call());
    const answer = stores.ephemeral.read("key", file.call());
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toBe("value");
  });

  it("fails at once where the failure is another", async () => {
    const file = sqliteFile();
    const stores = file.open();
    stores.ephemeral.read("key", file.call());
    file.raw().exec("DROP TABLE ephemeral");
    expect(() => stores.ephemeral.read("key", file.call())).toThrow(/no such table/);
  });
});

describe("a transaction whose end fails", () => {
  function failing(commits: () => Error | null) {
    const file = sqliteFile();
    const stores = file.open({
      onStatement: (sql) => {
        const error = sql === "COMMIT" ? commits() : null;
        if (error !== null) throw error;
      },
    });
    const session = file.make.session(null);
    let reports = 0;
    const evicted: Report = () => {
      reports++;
      return [file.make.auditRow()];
    };
    const write = () =>
      stores.directory.commit([{ kind: "session.insert", session, cap: 0, evicted }], file.call());
    const left = async () => ({
      session: (await stores.sessions.find([session.id], file.call()))[0],
      rows: (await stores.directory.auditRows(auditQuery({ limit: 9 }), file.call())).length,
      reports,
    });
    return { stores, write, left, call: file.call };
  }

  it("is tried again where only the end was blocked: its reports are asked once", async () => {
    let blocked = 2;
    const { write, left } = failing(() => (blocked-- > 0 ? busy() : null));
    expect(await write()).toMatchObject({ ok: true });
    expect(await left()).toMatchObject({ session: { expired: false }, rows: 1, reports: 1 });
  });

  it.each([
    ["stays blocked", busy],
    ["breaks", () => new Error("disk I/O error")],
  ])("is undone where it %s, and never run again", async (_, error) => {
    let isBroken = true;
    const { stores, write, left, call } = failing(() => (isBroken ? error() : null));
    await expect(write()).rejects.toThrow();
    isBroken = false;
    expect(await left()).toEqual({ session: null, rows: 0, reports: 1 });
    // The connection is as good as before.
    expect(await stores.ephemeral.add("key", 60, call())).toBe(true);
  });

  it("says why, where SQLite has undone it by itself", () => {
    const db = new DatabaseSync(":memory:");
    const transaction = transactionsOn(db);
    const work = (): never => {
      db.exec("ROLLBACK");
      throw new Error("database or disk is full");
    };
    expect(() => transaction(work)).toThrow("database or disk is full");
    expect(transaction(() => "next")).toBe("next");
  });
});
