import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { isBusy } from "./retry.ts";

/** How a database is opened. */
export interface OpenOptions {
  readonly path: string;
  readonly synchronous: "normal" | "full";
}

/** While a process starts nobody waits for it yet, and others may be migrating: of a large database that takes its time. */
const startTimeoutMs = 30_000;
/** Afterwards a wait is a stop of the event loop: long enough for somebody's commit, and no longer. */
const busyTimeoutMs = 5;
/** Pages that SQLite keeps in memory, in KiB. With the default of 2 MiB a million sessions are read from the file each time. */
const pageCacheKiB = 16_384;

const settings = `
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
PRAGMA secure_delete = ON;
PRAGMA cache_size = -${pageCacheKiB};`;

/**
 * Opens a database file on a connection of its own, creating file (mode 0600) and directory (0700) where they are missing:
 * SQLite gives its side files the mode of the database. A file that exists keeps the mode it has.
 *
 * Erased data is overwritten, not only unlinked (`secure_delete`): what an anonymised person wrote is not in the file.
 *
 * @throws Error - it cannot be opened; says which file, which SQLite's own errors do not
 */
export function openDatabase(options: OpenOptions): DatabaseSync {
  try {
    return opened(options);
  } catch (cause) {
    throw notOpened(options.path, cause);
  }
}

function opened({ path, synchronous }: OpenOptions): DatabaseSync {
  const db = connect(path === ":memory:" ? path : ownFile(resolve(path)), startTimeoutMs);
  try {
    db.exec(settings);
    patiently(() => db.exec("PRAGMA journal_mode = WAL"), startTimeoutMs);
    db.exec(synchronous === "full" ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function notOpened(path: string, cause: unknown): Error {
  const file = path === ":memory:" ? path : resolve(path);
  const { message, code, errcode } = cause as NodeJS.ErrnoException & { readonly errcode?: number };
  const error = new Error(`sqlite: ${file} cannot be opened: ${message}`, { cause });
  return Object.assign(error, { code, ...(errcode !== undefined && { errcode }) });
}

/** Says that the start is over: from now on a locked database answers within milliseconds. */
export function endStart(db: DatabaseSync): void {
  db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
}

/** An empty database in memory. */
export function scratchDatabase(): DatabaseSync {
  return connect(":memory:", 0);
}

// Loaded at the first use: importing Latchkey costs nobody SQLite who does not use it.
function connect(path: string, timeout: number): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  return new DatabaseSync(path, { timeout });
}

function ownFile(path: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
  return path;
}

// The change to WAL does not wait by `busy_timeout` where another process makes it at the same moment.
function patiently(work: () => void, limitMs: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; ; waitedMs += 5) {
    try {
      work();
      return;
    } catch (error) {
      if (!isBusy(error) || waitedMs >= limitMs) throw error;
      Atomics.wait(cell, 0, 0, 5);
    }
  }
}
