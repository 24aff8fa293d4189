import { createPool, type Pool, type PoolOptions } from "mysql2/promise";
import { inject, onTestFinished } from "vitest";
import type { StoreCall } from "../../src/ports/store.ts";
import { connectionTo } from "../../src/stores/mysql/connection.ts";
import { onLink } from "../../src/stores/mysql/link.ts";
import { schemaSteps } from "../../src/stores/mysql/migrations.ts";
import { type MysqlOptions, type MysqlStores, mysql } from "../../src/stores/mysql/mysql.ts";
import type { Life, PooledConnection } from "../../src/stores/sql/connection.ts";
import type { LockPatience } from "../../src/stores/sql/migration-locks.ts";
import type { SchemaSteps } from "../../src/stores/sql/migrations.ts";
import { type Fixtures, fixtures, type TestClock, testClock } from "../../src/testing/testing.ts";

/** The server of the tests, or null: skip. */
export const mysqlUrl: string | null = inject("mysqlUrl");

/** An empty database on the server of the tests. */
export interface Database {
  readonly name: string;
  readonly url: string;
  /** A new pool whose connections work in it. The caller ends it. */
  pool(config?: PoolOptions): Pool;
  /** Takes all rows away and leaves the tables: a new state in a hundredth of the time that a new database takes. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

let made = 0;

/** Makes an empty database. */
export async function newDatabase(): Promise<Database> {
  const name = `t${process.pid}_${++made}`;
  const url = new URL(mysqlUrl ?? "mysql://nowhere");
  await asAdministrator(`CREATE DATABASE ${name} DEFAULT CHARACTER SET latin1`);
  url.pathname = `/${name}`;
  const pool = (config: PoolOptions = {}): Pool => createPool({ uri: url.href, ...config });
  const own = pool({ connectionLimit: 1, multipleStatements: true });
  return {
    name,
    url: url.href,
    pool,
    async empty() {
      const [tables] = await own.query({ sql: "SHOW TABLES", rowsAsArray: true });
      // The rows of these two belong to the schema.
      const names = (tables as string[][])
        .flat()
        .filter((table) => table !== "latchkey_migrations" && table !== "latchkey_locks");
      if (names.length > 0) await own.query(names.map((table) => `DELETE FROM ${table}`).join(";"));
    },
    async drop() {
      await own.end();
      await asAdministrator(`DROP DATABASE ${name}`);
    },
  };
}

async function asAdministrator(sql: string): Promise<void> {
  const pool = createPool({ uri: mysqlUrl ?? "", connectionLimit: 1 });
  await pool.query(sql);
  await pool.end();
}

/** One state for one test, and everything that opens it; gone when the test ends. */
export interface MysqlDatabase extends Omit<Database, "empty" | "drop"> {
  readonly clock: TestClock;
  readonly make: Fixtures;
  call(signal?: AbortSignal): StoreCall;
  /** Latchkey's stores on a pool of their own. */
  open(options?: Partial<MysqlOptions>, config?: PoolOptions): MysqlStores;
  /** The way of the stores to the database, which looks at the schema with its first call. */
  connect(life: Omit<Life, "ownsPool">, config?: PoolOptions): PooledConnection;
  /** Migrates over a connection of its own. */
  onSchema<T>(work: (steps: SchemaSteps) => Promise<T>, patience?: LockPatience): Promise<T>;
  /** Names of the tables, sorted. */
  tables(): Promise<readonly string[]>;
  /** The application's own connections. */
  readonly raw: Pool;
  /** Statements of the application. */
  run(sql: string): Promise<unknown>;
}

export async function mysqlDatabase(): Promise<MysqlDatabase> {
  const database = await newDatabase();
  const clock = testClock();
  const pools: Pool[] = [];
  function pool(config?: PoolOptions): Pool {
    const made = database.pool(config);
    pools.push(made);
    return made;
  }
  onTestFinished(async () => {
    // One whose server cannot be reached any more says so when it ends.
    for (const each of pools) await each.end().catch(() => undefined);
    await database.drop();
  });
  const raw = pool({ multipleStatements: true });
  return {
    name: database.name,
    url: database.url,
    pool,
    clock,
    make: fixtures(clock),
    call: (signal = new AbortController().signal) => ({ now: clock.now(), signal }),
    open: (options = {}, config = {}) => mysql({ pool: pool(config), ...options }),
    connect: (life, config) =>
      connectionTo({
        pool: pool(config),
        ownsPool: false,
        lockTimeoutSeconds: 2,
        transactionTimeoutSeconds: 5,
        ...life,
      }),
    onSchema: (work, patience) =>
      onLink({ pool: pool({ connectionLimit: 1 }) }, new AbortController(), (link) =>
        work(schemaSteps(link, patience)),
      ),
    async tables() {
      const [rows] = await raw.query({ sql: "SHOW TABLES", rowsAsArray: true });
      return (rows as string[][]).flat().toSorted();
    },
    raw,
    run: (sql) => raw.query(sql),
  };
}
