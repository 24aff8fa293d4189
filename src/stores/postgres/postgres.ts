import type { Stores } from "../../ports/stores.ts";
import type { MigrationStatus } from "../migration-status.ts";
import { directoryStatements, sqlDirectory } from "../sql-directory.ts";
import type { SqlParts } from "../sql-queries.ts";
import { sqlSessions } from "../sql-sessions.ts";
import { auditSteps } from "./audit-steps.ts";
import { Connection } from "./connection.ts";
import { ephemeralStore } from "./ephemeral.ts";
import type { PostgresPool } from "./pool.ts";
import { sessionSteps } from "./session-steps.ts";
import { sessionStatements } from "./sessions.ts";
import { placeholder, statement } from "./statement.ts";
import { userSteps } from "./user-steps.ts";

export type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from "./pool.ts";

/** The pool, and how the stores use it. */
export interface PostgresOptions {
  /**
   * A `Pool` of `pg`, shared with the application if it likes. Give it a `connectionTimeoutMillis`: an attempt to connect that
   * hangs keeps its place in the pool until then.
   */
  readonly pool: PostgresPool;
  /** Whether `close` of a store ends the pool. Default false: who made the pool ends it. */
  readonly ownsPool?: boolean;
  /**
   * Whether the first call applies pending migrations. Default true. `false`: the stores refuse to work while migrations are
   * pending.
   */
  readonly migrate?: boolean;
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
  /** Told of every SQL statement that the stores run, before it runs. For tests and traces. */
  readonly onStatement?: (sql: string) => void;
}

/** The schema of one database, for the command line. */
export interface PostgresMigrations {
  /** Every migration by number, applied or not. Writes nothing. */
  status(): Promise<readonly MigrationStatus[]>;
  /** Applies what is pending, up to and with number `to` (default: all); returns the numbers. @throws SchemaError */
  up(to?: number): Promise<readonly number[]>;
  /**
   * Takes back every migration above number `to` (default: the newest one), with all that its tables hold; returns the
   * numbers. @throws SchemaError
   */
  down(to?: number): Promise<readonly number[]>;
  /** Resolves where the schema is the one that this program works on. @throws SchemaError */
  check(): Promise<void>;
}

/** Three stores in one PostgreSQL database. */
export interface PostgresStores extends Stores {
  readonly migrations: PostgresMigrations;
}

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
  const connection = new Connection({
    migrate: true,
    ownsPool: false,
    prepare: false,
    lockTimeoutMs: 2_000,
    transactionTimeoutMs: 5_000,
    ...given(options),
  });
  const parts = partsOf(connection);
  return {
    directory: sqlDirectory(parts, statements),
    sessions: sqlSessions(parts, sessionStatements),
    ephemeral: ephemeralStore(parts),
    migrations: {
      status: () => connection.status(),
      up: (to) => connection.up(to),
      down: (to) => connection.down(to),
      check: () => connection.check(),
    },
  };
}

const statements = directoryStatements(statement, placeholder);

function partsOf(connection: Connection): SqlParts {
  return {
    connection,
    steps: (queries) => ({ ...userSteps(queries), ...sessionSteps(queries), ...auditSteps(queries) }),
    async ping(call) {
      await connection.each(call, (queries) => queries.all(statements.anyone));
    },
    close: () => connection.close(),
  };
}

// An option that is given as undefined is not given.
function given(options: PostgresOptions): PostgresOptions {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as unknown as PostgresOptions;
}

function assertOptions({ pool, lockTimeoutMs = 1, transactionTimeoutMs = 1 }: PostgresOptions): void {
  if (typeof pool?.connect !== "function") throw new TypeError("postgres: pool is a `Pool` of pg");
  for (const [name, value] of Object.entries({ lockTimeoutMs, transactionTimeoutMs })) {
    // These become part of a statement's text; the most is what the server's setting takes.
    if (!Number.isSafeInteger(value) || value < 1 || value > 2_147_483_647)
      throw new TypeError(`postgres: ${name} is a whole number of milliseconds, 1 or more`);
  }
}
