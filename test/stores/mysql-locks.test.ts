import type { PoolConnection } from "mysql2/promise";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Write } from "../../src/ports/store.ts";
import type { MysqlOptions, MysqlStores } from "../../src/stores/mysql/mysql.ts";
import { until } from "../support/until.ts";
import { type MysqlDatabase, mysqlDatabase, mysqlUrl } from "./mysql-database.ts";

/** Somebody else's transaction, under way. */
async function othersTransaction({ raw }: MysqlDatabase): Promise<PoolConnection> {
  const connection = await raw.getConnection();
  onTestFinished(() => connection.destroy());
  await connection.query("START TRANSACTION");
  return connection;
}

/** Resolves when a statement that locks rows is under way in this database: one that has to wait, since others take no time. */
function waiting({ raw, name }: MysqlDatabase): Promise<void> {
  return until(async () => {
    const [rows] = await raw.query({
      sql: "SELECT 1 FROM information_schema.processlist WHERE db = ? AND command = 'Execute' AND info REGEXP 'FOR UPDATE|SHARE MODE|DELETE FROM'",
      values: [name],
      rowsAsArray: true,
    });
    return (rows as unknown[]).length > 0;
  });
}

/** Of the transaction that is under way in this database. */
async function isolation({ raw, name }: MysqlDatabase): Promise<unknown> {
  const [rows] = await raw.query({
    sql: `SELECT t.trx_isolation_level FROM information_schema.innodb_trx t
      JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
      WHERE p.db = ? AND t.trx_state = 'LOCK WAIT'`,
    values: [name],
    rowsAsArray: true,
  });
  return (rows as unknown[][])[0]?.[0];
}

async function opened(
  database: MysqlDatabase,
  options: Partial<MysqlOptions> = {},
  config = {},
): Promise<MysqlStores> {
  const stores = database.open(options, config);
  await stores.directory.ping(database.call());
  return stores;
}

describe.skipIf(mysqlUrl === null)("a transaction on MySQL that finds a row locked", () => {
  it("waits, fails once its time is up, and leaves nothing and nobody locked", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database, { lockTimeoutSeconds: 1 });
    const user = database.make.user();
    await stores.directory.commit([{ kind: "user.insert", user }], database.call());
    const other = await othersTransaction(database);
    await other.query("SELECT 1 FROM users FOR UPDATE");
    const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
    await expect(stores.directory.commit([advance], database.call())).rejects.toThrow(/Lock wait timeout/);
    await other.query("ROLLBACK");
    expect(await stores.directory.commit([advance], database.call())).toMatchObject({ ok: true });
  });

  it("leaves reading as it is", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database);
    const user = database.make.user();
    const session = database.make.session(user);
    const insert = { kind: "session.insert", session, cap: 1, evicted: () => [] } as const;
    await stores.directory.commit([{ kind: "user.insert", user }, insert], database.call());
    const other = await othersTransaction(database);
    await other.query("SELECT 1 FROM users, sessions FOR UPDATE");
    expect(await stores.sessions.find([session.id], database.call())).toMatchObject([{ expired: false }]);
  });

  it("is given up with its caller, and its connection with it: it is not done later", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database, { lockTimeoutSeconds: 60 }, { connectionLimit: 1 });
    const user = database.make.user();
    await stores.directory.commit([{ kind: "user.insert", user }], database.call());
    const other = await othersTransaction(database);
    await other.query("SELECT 1 FROM users FOR UPDATE");
    const caller = new AbortController();
    const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
    const commit = stores.directory.commit([advance], database.call(caller.signal));
    await waiting(database);
    expect(await isolation(database)).toBe("READ COMMITTED");
    caller.abort(new Error("gone"));
    await expect(commit).rejects.toThrow("gone");
    // The pool has one place: it is free again.
    expect(await stores.directory.isEmpty(database.call())).toBe(false);
    await other.query("COMMIT");
    expect(await stores.directory.commit([advance], database.call())).toMatchObject({ ok: true });
    expect((await stores.directory.user(user.id, database.call()))?.generation).toBe(2);
  });

  it("gives a caller up who waits for a connection, and keeps no place for them", async () => {
    const database = await mysqlDatabase();
    const pool = database.pool({ connectionLimit: 1 });
    const stores = database.open({ pool });
    await stores.directory.ping(database.call());
    const held = await pool.getConnection();
    const caller = new AbortController();
    const read = Promise.resolve(stores.directory.isEmpty(database.call(caller.signal)));
    caller.abort(new Error("gone"));
    await expect(read).rejects.toThrow("gone");
    held.release();
    expect(await stores.directory.isEmpty(database.call())).toBe(true);
  });

  it("does nothing for a caller who gave up before", async () => {
    const database = await mysqlDatabase();
    const sent: string[] = [];
    const stores = await opened(database, { onStatement: (sql) => sent.push(sql) });
    sent.length = 0;
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(stores.ephemeral.put("key", "value", 60, database.call(signal))).rejects.toThrow("gone");
    expect(sent).toEqual([]);
  });
});

describe.skipIf(mysqlUrl === null)("a connection to MySQL that was used for a transaction", () => {
  it.each(["kept", "refused", "failed"] as const)(
    "has the settings of before again: one that was %s",
    async (outcome) => {
      const database = await mysqlDatabase();
      const pool = database.pool({ connectionLimit: 1 });
      const settings = async (): Promise<unknown> => {
        const [rows] = await pool.query(
          "SELECT @@autocommit, @@wait_timeout, @@lock_wait_timeout, @@innodb_lock_wait_timeout, @@tx_isolation, @@in_transaction",
        );
        return (rows as unknown[])[0];
      };
      const stores = database.open({ pool });
      await stores.directory.ping(database.call());
      const before = await settings();
      const user = database.make.user();
      const ended = (): never => {
        throw new Error("no report");
      };
      const writes: readonly Write[] = {
        kept: [{ kind: "user.insert", user } as const],
        refused: [{ kind: "user.require", userId: "nobody", generation: 1 } as const],
        failed: [
          { kind: "user.insert", user } as const,
          { kind: "session.delete_all", userId: user.id, except: null, ended } as const,
        ],
      }[outcome];
      await stores.directory.commit(writes, database.call()).catch(() => undefined);
      expect(await settings()).toEqual(before);
      expect(await stores.directory.isEmpty(database.call())).toBe(outcome !== "kept");
    },
  );
});

describe.skipIf(mysqlUrl === null)("a transaction on MySQL that hangs", () => {
  it("is undone by the server, and its locks are free", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database, { transactionTimeoutSeconds: 1 });
    const other = await opened(database);
    const user = database.make.user();
    await stores.directory.commit([{ kind: "user.insert", user }], database.call());
    // A process that was stopped between two statements: it holds the lock, and sends nothing.
    const hang = (): never[] => {
      const stopped = performance.now() + 1_600;
      while (performance.now() < stopped);
      return [];
    };
    const end = { kind: "session.delete_all", userId: user.id, except: null, ended: hang } as const;
    const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
    await expect(stores.directory.commit([end, advance], database.call())).rejects.toThrow();
    expect(await other.directory.commit([advance], database.call())).toMatchObject({ ok: true });
    expect((await other.directory.user(user.id, database.call()))?.generation).toBe(2);
    await stores.directory.ping(database.call());
  });
});

describe.skipIf(mysqlUrl === null)("transactions on MySQL that would wait for each other in a circle", () => {
  it("are run again, reports and all, and each is done once", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database);
    const { make, call } = database;
    const user = make.user();
    const session = make.session(user);
    const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
    await stores.directory.commit([{ kind: "user.insert", user }, insert], call());
    const other = await othersTransaction(database);
    await other.query("SELECT 1 FROM sessions FOR UPDATE");
    // Who has changed more stays: the server gives up the one whose undoing is cheaper.
    await other.query("CREATE TABLE heavy (a INT); START TRANSACTION; SELECT 1 FROM sessions FOR UPDATE");
    await other.query(`INSERT INTO heavy VALUES ${Array(500).fill("(1)").join()}`);
    let reports = 0;
    const ended = (sessions: readonly { id: string }[]) => {
      reports++;
      return sessions.map(({ id }) => make.auditRow({ type: "session.revoked", sessionId: id }));
    };
    const writes: readonly Write[] = [
      { kind: "session.delete_all", userId: "nobody", except: null, ended },
      { kind: "user.advance", userId: user.id, from: 1 },
      { kind: "session.delete_all", userId: user.id, except: null, ended },
    ];
    const commit = stores.directory.commit(writes, call());
    await waiting(database);
    await other.query("SELECT 1 FROM users FOR UPDATE");
    await other.query("ROLLBACK");
    const result = await commit;
    expect(result).toMatchObject({ ok: true, ended: [{ id: session.id }] });
    expect(reports).toBeGreaterThan(2);
    const rows = await stores.directory.auditRows({ userId: null, limit: 9 }, call());
    expect(rows).toEqual(result.ok ? result.reported : []);
    expect((await stores.directory.user(user.id, call()))?.generation).toBe(2);
  });
});

describe.skipIf(mysqlUrl === null)("what another transaction on MySQL is changing", () => {
  it("is waited for: a session that somebody is ending is not ended twice", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database);
    const session = database.make.session(null);
    const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
    await stores.directory.commit([insert], database.call());
    const other = await othersTransaction(database);
    await other.query("DELETE FROM sessions");
    const end = { kind: "session.delete", sessionId: session.id, ended: () => [] } as const;
    const commit = stores.directory.commit([end], database.call());
    await waiting(database);
    await other.query("COMMIT");
    expect(await commit).toEqual({ ok: true, ended: [], reported: [] });
  });

  it("is waited for: of a value that is being replaced the new one is taken", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database);
    await stores.ephemeral.put("key", "old", 60, database.call());
    const other = await othersTransaction(database);
    await other.query("UPDATE ephemeral SET value = 'new'");
    const taken = stores.ephemeral.take("key", database.call());
    await waiting(database);
    await other.query("COMMIT");
    expect(await taken).toBe("new");
    expect(await stores.ephemeral.take("key", database.call())).toBeNull();
  });
});

describe.skipIf(mysqlUrl === null)("a lock on MySQL that is a row", () => {
  it("is missed where the row is gone: nothing goes on without it", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database);
    await database.raw.query("DELETE FROM latchkey_locks");
    const commit = stores.directory.commit([{ kind: "directory.require_empty" }], database.call());
    await expect(commit).rejects.toThrow("latchkey_locks has no row 'empty'");
  });
});

describe.skipIf(mysqlUrl === null)("round trips to MySQL", () => {
  it("are one for a check and for taking attempts, seven for a sign-in", async () => {
    const database = await mysqlDatabase();
    const sent: string[] = [];
    const stores = await opened(database, { onStatement: (sql) => sent.push(sql) });
    const { make, call } = database;
    const user = make.user();
    await stores.directory.commit([{ kind: "user.insert", user }], call());
    const session = make.session(user);
    const trips = async (work: () => unknown): Promise<number> => {
      sent.length = 0;
      await work();
      return sent.length;
    };
    const signIn: readonly Write[] = [
      { kind: "user.require", userId: user.id, generation: 1 },
      { kind: "session.insert", session, cap: 5, evicted: () => [] },
      { kind: "audit.insert", row: make.auditRow({ ip: null, userAgent: null }) },
    ];
    const limits = [1, 2, 3].map((n) => ({ key: `counter ${n}`, limit: 5, windowSeconds: 60 }));
    const touch = { sessionId: session.id, usedAt: new Date(0), idleExpiresAt: new Date(0) };
    expect(await trips(() => stores.directory.commit(signIn, call()))).toBe(7);
    expect(await trips(() => stores.sessions.find([session.id, "a", "b"], call()))).toBe(1);
    expect(await trips(() => stores.sessions.touch(Array(300).fill(touch), call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.reserve(limits, call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.add("mark", 60, call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.take("mark", call()))).toBe(2);
    expect(await trips(() => stores.sessions.find([], call()))).toBe(0);
  });
});

describe.skipIf(mysqlUrl === null)("another superuser on MySQL", () => {
  it("is there until the transaction ends, and not while somebody takes their rights away", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database);
    const [a, b] = [database.make.user({ isSuperuser: true }), database.make.user({ isSuperuser: true })];
    await stores.directory.commit(
      [a, b].map((user) => ({ kind: "user.insert", user })),
      database.call(),
    );
    const other = await othersTransaction(database);
    await other.query("UPDATE users SET is_superuser = 0 WHERE id = ?", [b.id]);
    const stepDown: readonly Write[] = [
      { kind: "directory.require_other_superuser", userId: a.id },
      { kind: "user.update", userId: a.id, version: 1, changes: { isSuperuser: false } },
    ];
    const commit = stores.directory.commit(stepDown, database.call());
    await waiting(database);
    await other.query("COMMIT");
    expect(await commit).toEqual({ ok: false, refused: "last_superuser" });
  });
});
