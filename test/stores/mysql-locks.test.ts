import type { PoolConnection } from "mysql2/promise";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Write } from "../../src/ports/store.ts";
import type { MysqlOptions, MysqlStores } from "../../src/stores/mysql/mysql.ts";
import { until } from "../support/until.ts";
import { type MysqlDatabase, mysqlDatabase, mysqlUrl } from "./mysql-database.ts";
import { type LockGround, type Other, serverLocks } from "./server-locks.ts";
import { type PeopleEngine, serverPeople } from "./server-people.ts";

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

const engine: PeopleEngine = {
  name: "MySQL",
  isSkipped: mysqlUrl === null,
  tooLong: /Lock wait timeout/,
  silenceMs: 1_600,
  share: "LOCK IN SHARE MODE",
  takeAuditLock: "SELECT 1 FROM latchkey_locks WHERE name = 'audit' FOR UPDATE",
};

const ground = async (): Promise<LockGround> => {
  const database = await mysqlDatabase();
  const other = async (): Promise<Other> => {
    const connection = await othersTransaction(database);
    return { run: (sql) => connection.query(sql) };
  };
  return {
    ...database,
    open: ({ places = 10, lockTimeoutMs = 2_000, transactionTimeoutMs = 5_000, onStatement } = {}) => {
      const lockTimeoutSeconds = Math.ceil(lockTimeoutMs / 1_000);
      const transactionTimeoutSeconds = Math.ceil(transactionTimeoutMs / 1_000);
      const options = { lockTimeoutSeconds, transactionTimeoutSeconds, onStatement };
      return opened(database, options, { connectionLimit: places });
    },
    async crowded() {
      const pool = database.pool({ connectionLimit: 1 });
      const stores = await opened(database, { pool });
      const held = await pool.getConnection();
      return { stores, release: () => held.release() };
    },
    other,
    async strongOther() {
      const strong = await other();
      // Who has changed more stays: the server gives up the one whose undoing is cheaper.
      await strong.run("CREATE TABLE heavy (a INT); START TRANSACTION");
      await strong.run(`INSERT INTO heavy VALUES ${Array(500).fill("(1)").join()}`);
      return strong;
    },
    waiting: () => waiting(database),
  };
};

serverLocks(engine, ground);
serverPeople(engine, ground);

describe.skipIf(mysqlUrl === null)("a transaction on MySQL", () => {
  it("sees what others committed before each of its statements", async () => {
    const database = await mysqlDatabase();
    const stores = await opened(database);
    const user = database.make.user();
    await stores.directory.commit([{ kind: "user.insert", user }], database.call());
    const other = await othersTransaction(database);
    await other.query("SELECT 1 FROM users FOR UPDATE");
    const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
    const commit = stores.directory.commit([advance], database.call());
    await waiting(database);
    expect(await isolation(database)).toBe("READ COMMITTED");
    await other.query("COMMIT");
    expect(await commit).toMatchObject({ ok: true });
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

describe.skipIf(mysqlUrl === null)(
  "the sessions of one user on MySQL, where they are nearly all there are",
  () => {
    it.each(["a sign-in past the cap", "ending all"])("are locked without others' by %s", async (what) => {
      const database = await mysqlDatabase();
      const { make, call, raw } = database;
      const stores = await opened(database, { lockTimeoutSeconds: 1 });
      const [user, someone] = [make.user(), make.user()];
      const sessionOf = (owner: typeof user) =>
        ({ kind: "session.insert", session: make.session(owner), cap: 0, evicted: () => [] }) as const;
      const theirs = sessionOf(someone);
      const inserts = [user, someone].map((each) => ({ kind: "user.insert", user: each }) as const);
      await stores.directory.commit([...inserts, theirs], call());
      await stores.directory.commit(
        Array.from({ length: 30 }, () => sessionOf(user)),
        call(),
      );
      await raw.query("ANALYZE TABLE sessions");
      const other = await othersTransaction(database);
      await other.query(`SELECT 1 FROM sessions WHERE id = '${theirs.session.id}' FOR UPDATE`);
      const userId = user.id;
      const write =
        what === "ending all"
          ? ({ kind: "session.delete_all", userId, except: null, ended: () => [] } as const)
          : { ...sessionOf(user), cap: 3 };
      expect(await stores.directory.commit([write], call())).toMatchObject({ ok: true });
    });
  },
);

describe.skipIf(mysqlUrl === null)(
  "the credentials of one user on MySQL, where they are nearly all there are",
  () => {
    it.each(["api_keys", "linked_accounts"])("are erased without a wait for others': %s", async (table) => {
      const database = await mysqlDatabase();
      const { make, call, raw } = database;
      const stores = await opened(database, { lockTimeoutSeconds: 1 });
      const [user, someone] = [make.user(), make.user()];
      const credentialsOf = (owner: typeof user) =>
        [
          { kind: "api_key.insert", key: make.apiKey(owner) },
          { kind: "linked_account.insert", account: make.linkedAccount(owner) },
        ] as const;
      const inserts = [user, someone].map((each) => ({ kind: "user.insert", user: each }) as const);
      const theirs = Array.from({ length: 30 }, () => credentialsOf(user)).flat();
      const written = await stores.directory.commit(
        [...inserts, ...theirs, ...credentialsOf(someone)],
        call(),
      );
      expect(written).toMatchObject({ ok: true });
      await raw.query(`ANALYZE TABLE ${table}`);
      const other = await othersTransaction(database);
      await other.query(
        `SELECT 1 FROM ${table} FORCE INDEX (${table}_user_id) WHERE user_id = '${someone.id}' FOR UPDATE`,
      );
      const erase = { kind: "user.erase", userId: user.id, requires: "any" } as const;
      expect(await stores.directory.commit([erase], call())).toMatchObject({ ok: true });
    });
  },
);

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
