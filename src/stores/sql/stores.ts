import type { EphemeralStore } from "../../ports/ephemeral-store.ts";
import type { Stores } from "../../ports/stores.ts";
import type { PooledConnection } from "./connection.ts";
import { type DirectoryStatements, sqlDirectory } from "./directory.ts";
import type { MigrationStatus } from "./migration-status.ts";
import type { Queries, SqlParts, Statement } from "./queries.ts";
import { type SessionStatements, sqlSessions } from "./sessions.ts";
import type { SqlSteps } from "./steps.ts";

/** What stores on every server take besides their pool. */
export interface SqlOptions {
  /** Whether `close` of a store ends the pool. Default false: who made the pool ends it. */
  readonly ownsPool?: boolean;
  /**
   * Whether the first call applies pending migrations. Default true. `false`: the stores refuse to work while migrations are
   * pending.
   */
  readonly migrate?: boolean;
  /** Told of every SQL statement that the stores run, before it runs. For tests and traces. */
  readonly onStatement?: (sql: string) => void;
}

/** The schema of one database, for the command line. */
export interface SqlMigrations {
  /** Every migration by number, applied or not. Writes nothing. */
  status(): Promise<readonly MigrationStatus[]>;
  /** Applies what is pending, up to and with number `to` (default: all); returns the numbers. @throws SchemaError */
  up(to?: number): Promise<readonly number[]>;
  /**
   * Takes back every migration above number `to` (default: the newest one), with all that its tables hold; returns the
   * numbers. @throws SchemaError
   */
  down(to?: number): Promise<readonly number[]>;
  /**
   * Resolves where the schema is the one that this program works on. @throws SchemaError
   * @throws TypeError - the settings of a pool's connections are not
   */
  check(): Promise<void>;
}

/** Three stores in one database. */
export interface SqlStores extends Stores {
  readonly migrations: SqlMigrations;
}

/** What stores do in the words of their engine. */
export interface Dialect {
  readonly directory: DirectoryStatements;
  readonly sessions: SessionStatements;
  /** Changes nothing and keeps nobody waiting; a server that only reads refuses it as it refuses every write. */
  readonly write: Statement;
  steps(queries: Queries): SqlSteps;
  ephemeral(parts: SqlParts): EphemeralStore;
}

/** The three stores over a connection to a server. */
export function sqlStores(connection: PooledConnection, dialect: Dialect): SqlStores {
  const parts: SqlParts = {
    connection,
    steps: dialect.steps,
    async ping(call) {
      await connection.each(call, (queries) => queries.run(dialect.write));
    },
    close: () => connection.close(),
  };
  return {
    directory: sqlDirectory(parts, dialect.directory),
    sessions: sqlSessions(parts, dialect.sessions),
    ephemeral: dialect.ephemeral(parts),
    migrations: {
      status: () => connection.status(),
      up: (to) => connection.up(to),
      down: (to) => connection.down(to),
      check: () => connection.check(),
    },
  };
}

/** The options without those that are given as undefined, which are not given. */
export function given<Options extends object>(options: Options): Options {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Options;
}

/** Checks options that become part of a statement's text. @throws TypeError - one is no whole number from 1 to `most` */
export function assertWhole(
  engine: string,
  options: Readonly<Record<string, number | undefined>>,
  { unit, most }: { readonly unit: string; readonly most: number },
): void {
  for (const [name, value = 1] of Object.entries(options)) {
    if (!Number.isSafeInteger(value) || value < 1 || value > most)
      throw new TypeError(`${engine}: ${name} is a whole number of ${unit}, 1 or more`);
  }
}
