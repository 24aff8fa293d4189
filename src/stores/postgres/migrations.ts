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
import { advisoryLocks } from "./locks.ts";
import { missingFrom } from "./schema-fit.ts";
import { type Session, statement } from "./statement.ts";

/** Every migration that the database or the program knows, by number. Writes nothing. */
export async function migrationStatus(
  session: Session,
  known: readonly Migration[],
): Promise<readonly MigrationStatus[]> {
  return statusOf(await appliedTo(session), known);
}

/**
 * Applies what is pending, up to and with number `to` (default: all), in one transaction. Processes that do it at once do it
 * one after the other: the second finds nothing left to do.
 *
 * @returns the numbers that were applied
 * @throws SchemaError - an applied migration was edited or is newer than this program; nothing was done
 */
export async function migrateUp(
  session: Session,
  known: readonly Migration[],
  to: number = Number.POSITIVE_INFINITY,
): Promise<readonly number[]> {
  const due = async (): Promise<readonly Migration[]> => dueUp(await appliedTo(session), known, to);
  // Asked without the lock first: a process that starts beside others, with nothing to do, waits for nobody.
  if ((await due()).length === 0) return [];
  return alone(session, async () => {
    await session.script(table);
    return each(await due(), (migration) => apply(session, migration));
  });
}

/**
 * Takes back every applied migration above number `to` (default: all but the newest), newest first, in one transaction. What
 * they held is gone.
 *
 * @returns the numbers that were taken back
 * @throws SchemaError - an applied migration was edited or is newer than this program; nothing was done
 */
export async function migrateDown(
  session: Session,
  known: readonly Migration[],
  to?: number,
): Promise<readonly number[]> {
  return alone(session, async () =>
    each(dueDown(await appliedTo(session), known, to), (migration) => takeBack(session, migration)),
  );
}

/** Checks that the schema is the one that this program works on. @throws SchemaError saying what is wrong with it, and what to do */
export async function assertSchema(session: Session, known: readonly Migration[]): Promise<void> {
  assertNonePending(await appliedTo(session), known);
  assertNothingMissing(await missingFrom(session));
}

const table = `
CREATE TABLE IF NOT EXISTS latchkey_migrations (
  number integer NOT NULL PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at bigint NOT NULL
)`;

const exists = statement<readonly [number]>("SELECT to_regclass('latchkey_migrations') IS NOT NULL");
const applied = statement<readonly [number: number, name: string, checksum: string, appliedAt: number]>(
  "SELECT number, name, checksum, applied_at FROM latchkey_migrations ORDER BY number",
);
const takeLock = statement("SELECT pg_advisory_xact_lock($1)");
// The database's own clock: the time is for people, nothing is decided on it.
const note = statement(`
  INSERT INTO latchkey_migrations (number, name, checksum, applied_at)
  VALUES ($1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)`);
const forget = statement("DELETE FROM latchkey_migrations WHERE number = $1");

async function appliedTo(session: Session): Promise<readonly AppliedMigration[]> {
  const [[isThere] = [0]] = await session.all(exists);
  if (isThere === 0) return [];
  const rows = await session.all(applied);
  return rows.map(([number, name, checksum, appliedAt]) => ({
    number,
    name,
    checksum,
    appliedAt: new Date(appliedAt),
  }));
}

async function alone<T>(session: Session, work: () => Promise<T>): Promise<T> {
  // Read committed whatever the default: who waited for the lock has to see what was done meanwhile.
  await session.script("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  try {
    await session.run(takeLock, advisoryLocks.migrations);
    const result = await work();
    await session.script("COMMIT");
    return result;
  } catch (error) {
    await session.script("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function each(
  due: readonly Migration[],
  work: (migration: Migration) => Promise<void>,
): Promise<readonly number[]> {
  for (const migration of due) await work(migration);
  return due.map(({ number }) => number);
}

async function apply(session: Session, migration: Migration): Promise<void> {
  const { number, name, up } = migration;
  try {
    await session.script(up);
  } catch (cause) {
    const advice =
      "Nothing was changed. Tables of the application beside Latchkey's need other names, or a schema of their own.";
    throw migrationFailed(migration, cause, advice);
  }
  await session.run(note, number, name, checksumOf(migration));
}

async function takeBack(session: Session, { number, down }: Migration): Promise<void> {
  await session.script(down);
  await session.run(forget, number);
}
