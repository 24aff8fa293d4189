import type { PoolClient } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Write } from "../../src/ports/store.ts";
import { onLink } from "../../src/stores/postgres/link.ts";
import { advisoryLocks } from "../../src/stores/postgres/locks.ts";
import type { PostgresStores } from "../../src/stores/postgres/postgres.ts";
import { statement } from "../../src/stores/postgres/statement.ts";
import { until } from "../support/until.ts";
import { type PostgresDatabase, postgresDatabase, postgresUrl } from "./postgres-database.ts";
import { type LockGround, type Other, serverLocks } from "./server-locks.ts";
import { type PeopleEngine, serverPeople } from "./server-people.ts";

/** Somebody else's transaction, under way. */
async function othersTransaction({ raw }: PostgresDatabase): Promise<PoolClient> {
  const client = await raw.connect();
  onTestFinished(() => client.release(true));
  await client.query("BEGIN");
  return client;
}

/** Resolves when `count` backends of this schema's stores wait for a lock. */
function waiting({ raw, name }: PostgresDatabase, count = 1): Promise<void> {
  return until(async () => {
    const { rows } = await raw.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = $1",
      [name],
    );
    return rows[0].n >= count;
  });
}

async function opened(database: PostgresDatabase, options = {}, config = {}): Promise<PostgresStores> {
  const stores = database.open(options, { application_name: database.name, ...config });
  await stores.directory.ping(database.call());
  return stores;
}

const engine: PeopleEngine = {
  name: "PostgreSQL",
  isSkipped: postgresUrl === null,
  tooLong: /lock timeout/,
  silenceMs: 400,
  share: "FOR KEY SHARE",
  takeAuditLock: `SELECT pg_advisory_xact_lock(${advisoryLocks.audit})`,
};

const ground = async (): Promise<LockGround> => {
  const database = await postgresDatabase();
  const other = async (): Promise<Other> => {
    const client = await othersTransaction(database);
    return { run: (sql) => client.query(sql) };
  };
  return {
    ...database,
    open: ({ places = 10, ...options } = {}) => opened(database, options, { max: places }),
    async crowded() {
      const pool = database.pool({ max: 1 });
      const stores = await opened(database, { pool });
      const held = await pool.connect();
      return { stores, release: () => held.release() };
    },
    other,
    async strongOther() {
      const strong = await other();
      // The store's backend finds the circle first, and makes way.
      await strong.run("SET deadlock_timeout = '10s'");
      return strong;
    },
    waiting: () => waiting(database),
  };
};

serverLocks(engine, ground);
serverPeople(engine, ground);

describe.skipIf(postgresUrl === null)("a pool of pg", () => {
  it("has all its places again once a caller who waited for one gave up", async () => {
    const database = await postgresDatabase();
    const pool = database.pool({ max: 1 });
    const stores = await opened(database, { pool });
    const held = await pool.connect();
    const caller = new AbortController();
    const read = expect(stores.directory.isEmpty(database.call(caller.signal))).rejects.toThrow("gone");
    caller.abort(new Error("gone"));
    await read;
    held.release();
    expect(await stores.directory.isEmpty(database.call())).toBe(true);
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0]);
  });
});

describe.skipIf(postgresUrl === null)(
  "transactions on PostgreSQL that would wait for each other in a circle",
  () => {
    it("are rare: users are locked in one order, whatever the order of the writes", async () => {
      const database = await postgresDatabase();
      const stores = await opened(database);
      const [a, b] = [database.make.user(), database.make.user()];
      await stores.directory.commit(
        [a, b].map((user) => ({ kind: "user.insert", user })),
        database.call(),
      );
      const update = (id: string): Write => ({ kind: "user.require", userId: id, generation: 1 });
      let deadlocks = 0;
      const before = await deadlocksSoFar(database);
      await Promise.all(
        Array.from({ length: 40 }, (_, index) => {
          const order = index % 2 === 0 ? [a.id, b.id] : [b.id, a.id];
          return stores.directory.commit(order.map(update), database.call());
        }),
      );
      deadlocks = (await deadlocksSoFar(database)) - before;
      expect(deadlocks).toBe(0);
    });
  },
);

async function deadlocksSoFar({ raw }: PostgresDatabase): Promise<number> {
  const { rows } = await raw.query(
    "SELECT deadlocks::int AS n FROM pg_stat_database WHERE datname = current_database()",
  );
  return rows[0].n;
}

describe.skipIf(postgresUrl === null)("a counter on PostgreSQL", () => {
  it("that another process makes at the same moment gives no more than its limit, and takes nothing from the others", async () => {
    const database = await postgresDatabase();
    const stores = await opened(database);
    const limits = [
      { key: "first", limit: 5, windowSeconds: 60 },
      { key: "full", limit: 1, windowSeconds: 60 },
      { key: "last", limit: 5, windowSeconds: 60 },
    ];
    await stores.ephemeral.reserve(limits.slice(1, 2), database.call());
    const { rows } = await database.raw.query("DELETE FROM counters RETURNING *");
    const other = await othersTransaction(database);
    const { key_digest, taken, most, expires_at } = rows[0];
    await other.query("INSERT INTO counters VALUES ($1, $2, $3, $4)", [key_digest, taken, most, expires_at]);
    const reserved = stores.ephemeral.reserve(limits, database.call());
    await waiting(database);
    await other.query("COMMIT");
    expect(await reserved).toEqual({ ok: false, key: "full", retryAfterSeconds: 60 });
    const left = await database.raw.query("SELECT count(*)::int AS n FROM counters");
    expect(left.rows).toEqual([{ n: 1 }]);
  });
});

describe.skipIf(postgresUrl === null)("what another transaction on PostgreSQL is changing", () => {
  it("is waited for: attempts that come back at once all come back", async () => {
    const database = await postgresDatabase();
    const stores = await opened(database);
    const limits = [{ key: "counter", limit: 3, windowSeconds: 60 }];
    for (let taken = 0; taken < 3; taken++) await stores.ephemeral.reserve(limits, database.call());
    const other = await othersTransaction(database);
    await other.query("UPDATE counters SET taken = taken - 1");
    const refund = stores.ephemeral.refund(["counter"], database.call());
    await waiting(database);
    await other.query("COMMIT");
    await refund;
    const { rows } = await database.raw.query("SELECT taken::int FROM counters");
    expect(rows).toEqual([{ taken: 1 }]);
  });

  it("is waited for: the last attempt of a counter is seen to be taken", async () => {
    const database = await postgresDatabase();
    const sent: string[] = [];
    const stores = await opened(database, { onStatement: (sql: string) => sent.push(sql) });
    const limits = [{ key: "counter", limit: 2, windowSeconds: 60 }];
    await stores.ephemeral.reserve(limits, database.call());
    const other = await othersTransaction(database);
    await other.query("UPDATE counters SET taken = taken + 1");
    sent.length = 0;
    const reserved = stores.ephemeral.reserve(limits, database.call());
    await waiting(database);
    await other.query("COMMIT");
    expect(await reserved).toEqual({ ok: false, key: "counter", retryAfterSeconds: 60 });
    // By the look at it, not by the constraint, which would fill the server's log.
    expect(sent).toHaveLength(1);
  });

  it("is waited for: of two first users one is", async () => {
    const database = await postgresDatabase();
    const stores = await opened(database);
    const other = await othersTransaction(database);
    // Everybody may look whether there are users, and nobody can add one.
    await other.query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE");
    const commits = [1, 2].map(() =>
      stores.directory.commit(
        [{ kind: "directory.require_empty" }, { kind: "user.insert", user: database.make.user() }],
        database.call(),
      ),
    );
    await waiting(database, 2);
    await other.query("COMMIT");
    const results = await Promise.all(commits);
    expect(results.map(({ ok }) => ok).toSorted()).toEqual([false, true]);
  });
});

describe.skipIf(postgresUrl === null)("round trips to PostgreSQL", () => {
  it("are one for a check, one for each call about tokens and counters, five for a sign-in", async () => {
    const database = await postgresDatabase();
    const sent: string[] = [];
    const stores = await opened(database, { onStatement: (sql: string) => sent.push(sql) });
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
      { kind: "session.insert", session, cap: 5, evicted: () => [make.auditRow(), make.auditRow()] },
      { kind: "audit.insert", row: make.auditRow() },
    ];
    const limits = [1, 2, 3].map((n) => ({ key: `counter ${n}`, limit: 5, windowSeconds: 60 }));
    const touch = { sessionId: session.id, usedAt: new Date(0), idleExpiresAt: new Date(0) };
    expect(await trips(() => stores.directory.commit(signIn, call()))).toBe(5);
    expect(await trips(() => stores.sessions.find([session.id, "a", "b"], call()))).toBe(1);
    expect(await trips(() => stores.sessions.touch(Array(300).fill(touch), call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.reserve(limits, call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.refund(["counter 1", "counter 2"], call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.add("mark", 60, call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.take("mark", call()))).toBe(1);
    expect(await trips(() => stores.ephemeral.sweep(10, call()))).toBe(1);
    expect(await trips(() => stores.sessions.find([], call()))).toBe(0);
  });
});

describe.skipIf(postgresUrl === null)("a connection to PostgreSQL that the server ends", () => {
  it("while it is idle ends no process, and the next call gets another", async () => {
    const database = await postgresDatabase();
    const stores = await opened(database);
    const { rows } = await database.raw.query(
      "SELECT pg_terminate_backend(pid) AS is_ended FROM pg_stat_activity WHERE application_name = $1",
      [database.name],
    );
    expect(rows).toEqual([{ is_ended: true }]);
    await until(() => Promise.resolve(stores.directory.isEmpty(database.call())).catch(() => false));
  });

  it("between two statements ends no process, and the connection is not used again", async () => {
    const database = await postgresDatabase();
    const pool = database.pool({ max: 1 });
    const pid = statement<readonly [number]>("SELECT pg_backend_pid()");
    const [first] = await onLink({ pool, prepare: false }, new AbortController(), async (link) => {
      const [[own] = [0]] = await link.all(pid);
      await database.raw.query("SELECT pg_terminate_backend($1)", [own]);
      await until(() => link.isSpoiled);
      return [own];
    });
    const second = await onLink({ pool, prepare: false }, new AbortController(), (link) => link.all(pid));
    expect(second).not.toEqual([[first]]);
  });

  it("within a transaction ends no process, and leaves nothing half-done", async () => {
    const database = await postgresDatabase();
    const stores = await opened(database, {}, { max: 1 });
    const user = database.make.user();
    const other = await othersTransaction(database);
    await other.query("LOCK TABLE sessions");
    const writes: readonly Write[] = [
      { kind: "user.insert", user },
      { kind: "session.insert", session: database.make.session(user), cap: 0, evicted: () => [] },
    ];
    // Listened to from here on: the commit may fail before the server has answered who ended it.
    const failed = expect(stores.directory.commit(writes, database.call())).rejects.toThrow();
    await waiting(database);
    await other.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", [
      database.name,
    ]);
    await failed;
    await other.query("ROLLBACK");
    expect(await stores.directory.isEmpty(database.call())).toBe(true);
  });
});
