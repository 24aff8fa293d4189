import type { DatabaseSync } from "node:sqlite";
import type { Migration } from "../sql/migration.ts";
import {
  type AppliedMigration,
  type AppliedRow,
  appliedColumns,
  appliedOf,
  assertNonePending,
  assertNothingMissing,
  checksumOf,
  dueDown,
  dueUp,
  type MigrationStatus,
  migrationFailed,
  statusOf,
} from "../sql/migration-status.ts";
import { migrations } from "./migrations/all.ts";
import { schemaFacts } from "./schema-fit.ts";
import { prepareOn } from "./statement.ts";
import { transactionsOn } from "./transaction.ts";

/** Every migration that the database or the program knows, by number. Writes nothing. */
export function migrationStatus(
  db: DatabaseSync,
  known: readonly Migration[] = migrations,
): readonly MigrationStatus[] {
  return statusOf(appliedTo(db), known);
}

/**
 * Applies what is pending, up to and with number `to` (default: all), in one transaction. Two processes may do it at once:
 * the second finds nothing left to do.
 *
 * @returns the numbers that were applied
 * @throws SchemaError - an applied migration was edited or is newer than this program; nothing was done
 */
export function migrateUp(
  db: DatabaseSync,
  to: number = Number.POSITIVE_INFINITY,
  known: readonly Migration[] = migrations,
): readonly number[] {
  const due = (): readonly Migration[] => dueUp(appliedTo(db), known, to);
  // Asked without the lock first: a process that starts beside others, with nothing to do, waits for nobody.
  if (due().length === 0) return [];
  return transactionsOn(db)(() => {
    db.exec(table);
    return due().map((migration) => apply(db, migration));
  });
}

/**
 * Takes back every applied migration above number `to`, newest first, in one transaction. What they held is gone.
 *
 * @param to - 0 takes back all; default: all but the newest
 * @returns the numbers that were taken back
 * @throws SchemaError - an applied migration was edited or is newer than this program; nothing was done
 */
export function migrateDown(
  db: DatabaseSync,
  to?: number,
  known: readonly Migration[] = migrations,
): readonly number[] {
  return transactionsOn(db)(() =>
    dueDown(appliedTo(db), known, to).map((migration) => takeBack(db, migration)),
  );
}

/**
 * Checks that the database has the schema that this program works on.
 *
 * @param scratch - an empty database in memory, for comparison
 * @throws SchemaError saying what is missing, pending, edited or newer, and what to do
 */
export function assertSchema(
  db: DatabaseSync,
  scratch: DatabaseSync,
  known: readonly Migration[] = migrations,
): void {
  assertNonePending(appliedTo(db), known);
  for (const { up } of known) scratch.exec(up);
  assertNothingMissing(schemaFacts(scratch), schemaFacts(db));
}

const table = `
CREATE TABLE IF NOT EXISTS latchkey_migrations (
  number INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT`;

function appliedTo(db: DatabaseSync): readonly AppliedMigration[] {
  const exists =
    db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'latchkey_migrations'").get() !== undefined;
  if (!exists) return [];
  const rows = prepareOn(db)<AppliedRow>(`SELECT ${appliedColumns} FROM latchkey_migrations ORDER BY number`);
  return rows.all().map(appliedOf);
}

function apply(db: DatabaseSync, migration: Migration): number {
  const { number, name, up } = migration;
  try {
    db.exec(up);
  } catch (cause) {
    const advice =
      "Nothing was changed. Tables of the application beside Latchkey's need other names, or a file of their own.";
    throw migrationFailed(migration, cause, advice);
  }
  // The database's own clock: the time is for people, nothing is decided on it.
  db.prepare(
    `INSERT INTO latchkey_migrations (${appliedColumns}) VALUES (?, ?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))`,
  ).run(number, name, checksumOf(migration));
  return number;
}

function takeBack(db: DatabaseSync, { number, down }: Migration): number {
  db.exec(down);
  db.prepare("DELETE FROM latchkey_migrations WHERE number = ?").run(number);
  return number;
}
