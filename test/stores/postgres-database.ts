import { Pool, type PoolConfig } from "pg";
import { inject, onTestFinished } from "vitest";
import type { StoreCall } from "../../src/ports/store.ts";
import { connectionTo } from "../../src/stores/postgres/connection.ts";
import { onLink } from "../../src/stores/postgres/link.ts";
import { schemaSteps } from "../../src/stores/postgres/migrations.ts";
import { type PostgresOptions, type PostgresStores, postgres } from "../../src/stores/postgres/postgres.ts";
import type { Life, PooledConnection } from "../../src/stores/sql/connection.ts";
import type { LockPatience } from "../../src/stores/sql/migration-locks.ts";
import type { SchemaSteps } from "../../src/stores/sql/migrations.ts";
import { type Fixtures, fixtures, type TestClock, testClock } from "../../src/testing/testing.ts";

/** The server of the tests, or null: skip. */
export const postgresUrl: string | null = inject("postgresUrl");

/** A schema of its own in the database of the tests: what lies in it is one state, as a database of its own would be. */
export interface Schema {
  readonly name: string;
  /** A new pool whose connections work in the schema. The caller ends it. */
  pool(config?: PoolConfig): Pool;
  /** Takes all rows away and leaves the tables: a new state in a hundredth of the time that a new schema takes. */
  empty(): Promise<void>;
  drop(): Promise<void>;
}

let made = 0;

/** Makes an empty schema. */
export async function newSchema(): Promise<Schema> {
  const name = `t${process.pid}_${++made}`;
  await asAdministrator(`CREATE SCHEMA ${name}`);
  const pool = (config: PoolConfig = {}): Pool =>
    new Pool({ connectionString: postgresUrl ?? "", options: `-c search_path=${name}`, ...config });
  const own = pool({ max: 1 });
  return {
    name,
    pool,
    async empty() {
      const tables = await own.query(
        "SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename <> 'latchkey_migrations'",
        [name],
      );
      await own.query(tables.rows.map((table) => `DELETE FROM ${table.name}`).join(";"));
    },
    async drop() {
      await own.end();
      await asAdministrator(`DROP SCHEMA ${name} CASCADE`);
    },
  };
}

async function asAdministrator(sql: string): Promise<void> {
  const pool = new Pool({ connectionString: postgresUrl ?? "", max: 1 });
  await pool.query(sql);
  await pool.end();
}

/** One state for one test, and everything that opens it; gone when the test ends. */
export interface PostgresDatabase extends Omit<Schema, "empty" | "drop"> {
  readonly clock: TestClock;
  readonly make: Fixtures;
  call(signal?: AbortSignal): StoreCall;
  /** Latchkey's stores on a pool of their own. */
  open(options?: Partial<PostgresOptions>, config?: PoolConfig): PostgresStores;
  /** The way of the stores to the database, which looks at the schema with its first call. */
  connect(life: Omit<Life, "ownsPool">, config?: PoolConfig): PooledConnection;
  /** Migrates over a connection of its own. */
  onSchema<T>(work: (steps: SchemaSteps) => Promise<T>, patience?: LockPatience): Promise<T>;
  /** Names of the tables, sorted. */
  tables(): Promise<readonly string[]>;
  /** The application's own connections. */
  readonly raw: Pool;
  /** Statements of the application. */
  run(sql: string): Promise<unknown>;
}

export async function postgresDatabase(): Promise<PostgresDatabase> {
  const schema = await newSchema();
  const clock = testClock();
  const pools: Pool[] = [];
  function pool(config?: PoolConfig): Pool {
    const made = schema.pool(config);
    pools.push(made);
    return made;
  }
  onTestFinished(async () => {
    for (const each of pools) if (!each.ending) await each.end();
    await schema.drop();
  });
  const raw = pool();
  return {
    name: schema.name,
    pool,
    clock,
    make: fixtures(clock),
    call: (signal = new AbortController().signal) => ({ now: clock.now(), signal }),
    open: (options = {}, config = {}) => postgres({ pool: pool(config), ...options }),
    connect: (life, config) =>
      connectionTo({
        pool: pool(config),
        ownsPool: false,
        prepare: false,
        lockTimeoutMs: 2_000,
        transactionTimeoutMs: 5_000,
        ...life,
      }),
    onSchema: (work, patience) =>
      onLink({ pool: pool({ max: 1 }), prepare: false }, new AbortController(), (link) =>
        work(schemaSteps(link, patience)),
      ),
    async tables() {
      const { rows } = await raw.query("SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", [
        schema.name,
      ]);
      return rows.map(({ tablename }) => tablename);
    },
    raw,
    run: (sql) => raw.query(sql),
  };
}
