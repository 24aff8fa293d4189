import { directoryStatements } from "../sql/directory.ts";
import {
  assertWhole,
  type Dialect,
  given,
  type SqlMigrations,
  type SqlOptions,
  type SqlStores,
  sqlStores,
} from "../sql/stores.ts";
import { auditSteps } from "./audit-steps.ts";
import { connectionTo } from "./connection.ts";
import { credentialSteps } from "./credential-steps.ts";
import { ephemeralStore } from "./ephemeral.ts";
import { peopleSteps } from "./people-steps.ts";
import type { PostgresPool } from "./pool.ts";
import { sessionSteps } from "./session-steps.ts";
import { sessionStatements } from "./sessions.ts";
import { placeholder, statement } from "./statement.ts";
import { userSteps } from "./user-steps.ts";

export type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from "./pool.ts";

/** The pool, and how the stores use it. */
export interface PostgresOptions extends SqlOptions {
  /**
   * A `Pool` of `pg`, shared with the application if it likes. Give it a `connectionTimeoutMillis`: an attempt to connect that
   * hangs keeps its place in the pool until then.
   */
  readonly pool: PostgresPool;
  /**
   * Whether the server keeps statements parsed, by name, which saves it work at each one. Default false: behind a pooler that
   * hands connections on between transactions (PgBouncer before 1.21) names do not hold.
   */
  readonly prepare?: boolean;
  /** How long a transaction waits for a row that another one has locked, in milliseconds, at least 1. Default 2,000. */
  readonly lockTimeoutMs?: number;
  /**
   * How long one statement of a transaction may take and how long the server waits for the next one, in milliseconds, at least 1. Past
   * it the server undoes the transaction: a process that hangs or was cut off locks nobody out for longer. Default 5,000.
   */
  readonly transactionTimeoutMs?: number;
}

/** The schema of one database, for the command line. */
export type PostgresMigrations = SqlMigrations;

/** Three stores in one PostgreSQL database. */
export type PostgresStores = SqlStores;

/**
 * The three stores in one PostgreSQL database (13 or newer), over a pool of `pg` that the application makes:
 * `postgres({ pool: new Pool({ connectionString }) })`.
 *
 * Tables lie in the first schema of the connections' `search_path`. Any number of processes share a database. Each transaction
 * locks the users that it is about, so two about one user come one after the other; one that the server undoes for another's
 * sake is run again, and so are the reports in it. A caller who gives up gives the connection up as well.
 *
 * @throws TypeError - an option cannot be used
 */
export function postgres(options: PostgresOptions): PostgresStores {
  assertOptions(options);
  const connection = connectionTo({
    migrate: true,
    ownsPool: false,
    prepare: false,
    lockTimeoutMs: 2_000,
    transactionTimeoutMs: 5_000,
    ...given(options),
  });
  return sqlStores(connection, dialect);
}

const dialect: Dialect = {
  directory: directoryStatements(
    statement,
    placeholder,
    (pattern) => `substring(payload from ${pattern}::text)`,
  ),
  sessions: sessionStatements,
  write: statement("SELECT 1 FROM users WHERE id = '' FOR UPDATE"),
  steps: (queries) => ({
    ...userSteps(queries),
    ...credentialSteps(queries),
    ...sessionSteps(queries),
    ...auditSteps(queries),
    ...peopleSteps(queries),
  }),
  ephemeral: ephemeralStore,
};

function assertOptions({ pool, lockTimeoutMs, transactionTimeoutMs }: PostgresOptions): void {
  if (typeof pool?.connect !== "function") throw new TypeError("postgres: pool is a `Pool` of pg");
  // The most that the server's setting takes.
  assertWhole(
    "postgres",
    { lockTimeoutMs, transactionTimeoutMs },
    { unit: "milliseconds", most: 2_147_483_647 },
  );
}
