import { resolve } from "node:path";
import { type SessionCache, sessionCache } from "../session-cache.ts";
import type { SqlMigrations, SqlStores } from "../sql/stores.ts";
import { checkpointsOf } from "./checkpoints.ts";
import { Connection } from "./connection.ts";
import { directoryStore } from "./directory.ts";
import { ephemeralStore } from "./ephemeral.ts";
import { migrateDown, migrateUp, migrationStatus } from "./migrations.ts";
import { endStart, openDatabase } from "./open.ts";
import type { Parts } from "./parts.ts";
import { sessionStore } from "./sessions.ts";
import { writeStatements } from "./writes.ts";

/** Where the database lies, and how it works. */
export interface SqliteOptions {
  /** Path of the file, or `:memory:` for a database that ends with the process. File and directory are created. */
  readonly path: string;
  /**
   * `normal` (default): what was acknowledged survives the end of the process, however it comes; a power cut may take the
   * last transactions, whole. `full`: survives a power cut too, for one more wait for the disk at each commit.
   */
  readonly synchronous?: "normal" | "full";
  /** Sessions that are remembered in this process, at most 400 bytes each; 0 reads the database at every check. Default 50,000. */
  readonly cacheSessions?: number;
  /**
   * Whether opening applies pending migrations. Default true. `false`: nothing is written, and the stores refuse to work
   * while migrations are pending.
   */
  readonly migrate?: boolean;
  /** How long a write waits for another process's lock before it fails, in milliseconds. Default 2,000. */
  readonly lockTimeoutMs?: number;
  /** Told of every SQL statement that the stores run, before it runs. For tests and traces. */
  readonly onStatement?: (sql: string) => void;
}

/** The schema of one database, for the command line. */
export type SqliteMigrations = SqlMigrations;

/** Three stores in one SQLite file. */
export type SqliteStores = SqlStores;

/**
 * The three stores on one SQLite file, in the process: no server, no driver to install.
 *
 * Opens a connection that belongs to it alone, in WAL mode; other processes may open the same file the same way, and see
 * each other's changes at the next call. An application reads and writes its own tables in the file over a connection of its
 * own. A write that finds the database locked waits without holding up the process, `lockTimeoutMs` at most.
 *
 * @throws TypeError - an option cannot be used
 * @throws SchemaError - the schema is not one that this program works on
 */
export function sqlite(options: SqliteOptions): SqliteStores {
  assertOptions(options);
  const {
    path,
    synchronous = "normal",
    cacheSessions = 50_000,
    migrate = true,
    lockTimeoutMs = 2_000,
  } = options;
  const db = openDatabase({ path, synchronous });
  const patience = { limitMs: lockTimeoutMs, pauseMs: () => 5 + Math.random() * 15 };
  // As the database was opened: the process may have another working directory by the time the thread starts.
  const file = path === ":memory:" ? path : resolve(path);
  const checkpoints = checkpointsOf(db, { path: file, synchronous });
  const connection = new Connection(db, { patience, checkpoints, onStatement: options.onStatement });
  try {
    if (migrate) {
      migrateUp(db);
      connection.assertFits();
    }
    endStart(db);
  } catch (error) {
    db.close();
    throw error;
  }
  const cache = cacheSessions === 0 ? null : sessionCache(cacheSessions);
  const parts = partsOf(connection, cache);
  return {
    directory: directoryStore(parts),
    sessions: sessionStore(parts),
    ephemeral: ephemeralStore(parts),
    migrations: migrationsOf(connection, cache),
  };
}

function partsOf(connection: Connection, cache: SessionCache | null): Parts {
  const statements = connection.prepared(writeStatements);
  const probe = connection.prepared((prepare) => ({ anyone: prepare("SELECT 1 FROM users LIMIT 1") }));
  return {
    connection,
    cache,
    run: (call, work, isKept) =>
      connection.write(
        () => work({ statements: statements(), cache, now: call.now, ended: [], reported: [] }),
        call,
        isKept,
      ),
    async ping(call) {
      await connection.read(() => probe().anyone.get(), call);
    },
    close: () => connection.close(),
  };
}

function migrationsOf(connection: Connection, cache: SessionCache | null): SqliteMigrations {
  return {
    status: () => connection.migrate((db) => migrationStatus(db)),
    up: (to) => connection.migrate((db) => migrateUp(db, to)),
    down: (to) =>
      connection.migrate((db) => {
        const numbers = migrateDown(db, to);
        // Own writes do not show in `data_version`.
        cache?.clear();
        return numbers;
      }),
    check: async () => connection.assertFits(),
  };
}

function assertOptions({
  path,
  synchronous = "normal",
  cacheSessions = 0,
  lockTimeoutMs = 0,
}: SqliteOptions): void {
  if (typeof path !== "string" || path === "") throw new TypeError("sqlite: path is a file, or `:memory:`");
  if (!["normal", "full"].includes(synchronous))
    throw new TypeError("sqlite: synchronous is `normal` or `full`");
  for (const [name, value] of Object.entries({ cacheSessions, lockTimeoutMs })) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new TypeError(`sqlite: ${name} is a whole number, 0 or more`);
  }
}
