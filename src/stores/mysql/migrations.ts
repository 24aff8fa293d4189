import type { Migration } from "../migration.ts";
import {
  type AppliedMigration,
  assertNonePending,
  assertNothingMissing,
  checksumOf,
  dueDown,
  dueUp,
  type MigrationStatus,
  migrationFailed,
  statusOf,
} from "../migration-status.ts";
import type { Link } from "./link.ts";
import { missingFrom } from "./schema-fit.ts";
import { statement } from "./statement.ts";

/** Every migration that the database or the program knows, by number. Writes nothing. */
export async function migrationStatus(
  link: Link,
  known: readonly Migration[],
): Promise<readonly MigrationStatus[]> {
  return statusOf(await appliedTo(link), known);
}

/**
 * Applies what is pending, up to and with number `to` (default: all). Processes that do it at once do it one after the other:
 * the second finds nothing left to do.
 *
 * MySQL commits at each change of a table, so a migration that fails or is killed stays half-done: it is on record as begun,
 * and the next call goes on with it. For that each of its statements may be run twice.
 *
 * @returns the numbers that were applied
 * @throws SchemaError - an applied migration was edited or is newer than this program, and nothing was done; or one failed
 */
export async function migrateUp(
  link: Link,
  known: readonly Migration[],
  to: number = Number.POSITIVE_INFINITY,
): Promise<readonly number[]> {
  const due = async (): Promise<readonly Migration[]> => dueUp(await appliedTo(link), known, to);
  // Asked without the lock first: a process that starts beside others, with nothing to do, waits for nobody.
  if ((await due()).length === 0) return [];
  return alone(link, async () => {
    await link.script(table);
    return each(await due(), (migration) => apply(link, migration));
  });
}

/**
 * Takes back every applied migration above number `to` (default: all but the newest), newest first. What they held is gone.
 * One that is interrupted is pending afterwards: `migrateUp` makes it whole.
 *
 * @returns the numbers that were taken back
 * @throws SchemaError - an applied migration was edited or is newer than this program; nothing was done
 */
export async function migrateDown(
  link: Link,
  known: readonly Migration[],
  to?: number,
): Promise<readonly number[]> {
  return alone(link, async () =>
    each(dueDown(await appliedTo(link), known, to), (migration) => takeBack(link, migration)),
  );
}

/** Checks that the schema is the one that this program works on. @throws SchemaError saying what is wrong with it, and what to do */
export async function assertSchema(link: Link, known: readonly Migration[]): Promise<void> {
  assertNonePending(await appliedTo(link), known);
  assertNothingMissing(await missingFrom(link));
}

/** How long a process waits for another that migrates. */
const lockSeconds = 600;

const table = `
CREATE TABLE IF NOT EXISTS latchkey_migrations (
  number INT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at BIGINT
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin`;

const exists = statement<readonly [number]>(`
  SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?`);
// Without an instant a migration was begun, and did not come to its end.
const applied = statement<readonly [number: number, name: string, checksum: string, appliedAt: number]>(`
  SELECT number, name, checksum, applied_at FROM latchkey_migrations WHERE applied_at IS NOT NULL ORDER BY number`);
const wasBegun = statement<readonly [number]>("SELECT 1 FROM latchkey_migrations WHERE number = ?");
// Names of locks are the server's, and have 64 characters at most.
const lockName = "CONCAT('latchkey migrations ', LEFT(SHA1(DATABASE()), 32))";
const takeLock = statement<readonly [isTaken: number | null]>(`SELECT GET_LOCK(${lockName}, ?)`);
const freeLock = statement<readonly [number]>(`SELECT RELEASE_LOCK(${lockName})`);
const begin = statement(`
  INSERT INTO latchkey_migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, NULL)
  ON DUPLICATE KEY UPDATE name = ?, checksum = ?, applied_at = NULL`);
// The database's own clock: the time is for people, nothing is decided on it.
const note = statement(
  "UPDATE latchkey_migrations SET applied_at = FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) WHERE number = ?",
);
const forget = statement("DELETE FROM latchkey_migrations WHERE number = ?");

async function appliedTo(link: Link): Promise<readonly AppliedMigration[]> {
  if (!(await isThere(link, "latchkey_migrations"))) return [];
  const rows = await link.all(applied);
  return rows.map(([number, name, checksum, appliedAt]) => ({
    number,
    name,
    checksum,
    appliedAt: new Date(appliedAt),
  }));
}

async function isThere(link: Link, name: string): Promise<boolean> {
  return (await link.all(exists, name)).length > 0;
}

async function alone<T>(link: Link, work: () => Promise<T>): Promise<T> {
  const [[isTaken] = [0]] = await link.all(takeLock, lockSeconds);
  if (isTaken !== 1) throw new Error(`another process has been migrating for ${lockSeconds} s`);
  try {
    return await work();
  } finally {
    // A connection that ends lets go of the lock.
    await link.all(freeLock).catch(link.spoil);
  }
}

async function each(
  due: readonly Migration[],
  work: (migration: Migration) => Promise<void>,
): Promise<readonly number[]> {
  for (const migration of due) await work(migration);
  return due.map(({ number }) => number);
}

async function apply(link: Link, migration: Migration): Promise<void> {
  const { number, name, up } = migration;
  if ((await link.all(wasBegun, number)).length === 0) await assertRoom(link, migration);
  await link.run(begin, number, name, checksumOf(migration), name, checksumOf(migration));
  try {
    for (const text of statementsOf(up)) await link.script(text);
  } catch (cause) {
    const advice = "What it had done by then stays, and the next `latchkey migrate up` goes on with it.";
    throw migrationFailed(migration, cause, advice);
  }
  await link.run(note, number);
}

// Every statement may be run twice, so none of them fails where the application has a table of the name.
async function assertRoom(link: Link, migration: Migration): Promise<void> {
  for (const [, name = ""] of migration.up.matchAll(/^CREATE TABLE IF NOT EXISTS (\w+)/gm)) {
    if (!(await isThere(link, name))) continue;
    const advice =
      "Nothing was changed. Tables of the application beside Latchkey's need other names, or a database of their own.";
    throw migrationFailed(migration, new Error(`table ${name} already exists`), advice);
  }
}

async function takeBack(link: Link, migration: Migration): Promise<void> {
  const { number, name, down } = migration;
  await link.run(begin, number, name, checksumOf(migration), name, checksumOf(migration));
  for (const text of statementsOf(down)) await link.script(text);
  await link.run(forget, number);
}

function statementsOf(script: string): readonly string[] {
  return script.split(";\n").filter((text) => text.trim() !== "");
}
