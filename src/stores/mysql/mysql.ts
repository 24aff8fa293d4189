import { directoryStatements } from "../sql/directory.ts";
import { reasonLength } from "../sql/statistics.ts";
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
import type { MysqlPool } from "./pool.ts";
import { sessionSteps } from "./session-steps.ts";
import { sessionStatements } from "./sessions.ts";
import { statement } from "./statement.ts";
import { userSteps } from "./user-steps.ts";

export type { MysqlConnection, MysqlField, MysqlPool, MysqlQuery, MysqlValue } from "./pool.ts";

/** The pool, and how the stores use it. */
export interface MysqlOptions extends SqlOptions {
  /**
   * A `Pool` of `mysql2/promise`, shared with the application if it likes: after a transaction a connection has the server's own
   * time limits and isolation again. Connections have the character set `utf8mb4` (the driver's default), `autocommit` and a
   * strict `sql_mode` (the server's defaults).
   */
  readonly pool: MysqlPool;
  /** How long a transaction waits for a row that another one has locked, in seconds, at least 1. Default 2. */
  readonly lockTimeoutSeconds?: number;
  /**
   * How long the server waits for the next statement of a transaction, in seconds, at least 1. Past it the server closes the
   * connection and undoes the transaction: a process that hangs or was cut off locks nobody out for longer. Default 5.
   */
  readonly transactionTimeoutSeconds?: number;
}

/** The schema of one database, for the command line. */
export type MysqlMigrations = SqlMigrations;

/** Three stores in one MySQL or MariaDB database. */
export type MysqlStores = SqlStores;

/**
 * The three stores in one database of MySQL (8.4 or newer) or MariaDB (10.11 or newer), over a pool of `mysql2/promise` that the
 * application makes: `mysql({ pool: createPool(url) })`.
 *
 * Tables lie in the database of the connections. Any number of processes share it. Each transaction locks the users that it is
 * about, so two about one user come one after the other; one that the server undoes for another's sake is run again, and so are
 * the reports in it. A caller who gives up gives the connection up as well.
 *
 * @throws TypeError - an option cannot be used
 */
export function mysql(options: MysqlOptions): MysqlStores {
  assertOptions(options);
  const connection = connectionTo({
    migrate: true,
    ownsPool: false,
    lockTimeoutSeconds: 2,
    transactionTimeoutSeconds: 5,
    ...given(options),
  });
  return sqlStores(connection, dialect);
}

// Of a length that the server groups by in memory.
const matched = (pattern: string): string =>
  `LEFT(NULLIF(REGEXP_SUBSTR(payload, ${pattern}), ''), ${reasonLength})`;

const dialect: Dialect = {
  directory: directoryStatements(statement, () => "?", matched),
  sessions: sessionStatements,
  write: statement("UPDATE users SET version = version WHERE FALSE"),
  steps: (queries) => ({
    ...userSteps(queries),
    ...credentialSteps(queries),
    ...sessionSteps(queries),
    ...auditSteps(queries),
    ...peopleSteps(queries),
  }),
  ephemeral: ephemeralStore,
};

function assertOptions({ pool, lockTimeoutSeconds, transactionTimeoutSeconds }: MysqlOptions): void {
  if (typeof pool?.getConnection !== "function" || "promise" in pool)
    throw new TypeError("mysql: pool is a `Pool` of mysql2/promise");
  const aMonth = 2_678_400;
  assertWhole("mysql", { lockTimeoutSeconds, transactionTimeoutSeconds }, { unit: "seconds", most: aMonth });
}
