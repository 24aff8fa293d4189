import type { Link } from "../sql/link.ts";
import type { Migration } from "../sql/migration.ts";
import {
  type AppliedMigration,
  type AppliedRow,
  appliedColumns,
  appliedOf,
  checksumOf,
  migrationFailed,
} from "../sql/migration-status.ts";
import type { SchemaSteps } from "../sql/migrations.ts";
import { expectedFacts, schemaFacts } from "./schema-fit.ts";
import { statement } from "./statement.ts";

/**
 * Migrations on MySQL, which commits at each change of a table: one that fails or is killed stays half-done. It is on record as
 * begun, which counts as pending, and the next `migrateUp` goes on with it; for that each of its statements may be run twice.
 * One that was interrupted on its way back is made whole likewise.
 */
export function schemaSteps(link: Link): SchemaSteps {
  return {
    applied: () => appliedTo(link),
    alone: (work) => alone(link, work),
    makeTable: () => link.script(table),
    apply: (migration) => apply(link, migration),
    takeBack: (migration) => takeBack(link, migration),
    facts: () => schemaFacts(link),
    expectedFacts,
  };
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
const applied = statement<AppliedRow>(`
  SELECT ${appliedColumns} FROM latchkey_migrations WHERE applied_at IS NOT NULL ORDER BY number`);
const wasBegun = statement<readonly [number]>("SELECT 1 FROM latchkey_migrations WHERE number = ?");
// Names of locks are the server's, and have 64 characters at most.
const lockName = "CONCAT('latchkey migrations ', LEFT(SHA1(DATABASE()), 32))";
const takeLock = statement<readonly [isTaken: number | null]>(`SELECT GET_LOCK(${lockName}, ?)`);
const freeLock = statement<readonly [number]>(`SELECT RELEASE_LOCK(${lockName})`);
const begin = statement(`
  INSERT INTO latchkey_migrations (${appliedColumns}) VALUES (?, ?, ?, NULL)
  ON DUPLICATE KEY UPDATE name = ?, checksum = ?, applied_at = NULL`);
// The database's own clock: the time is for people, nothing is decided on it.
const note = statement(
  "UPDATE latchkey_migrations SET applied_at = FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000) WHERE number = ?",
);
const forget = statement("DELETE FROM latchkey_migrations WHERE number = ?");

async function appliedTo(link: Link): Promise<readonly AppliedMigration[]> {
  return (await isThere(link, "latchkey_migrations")) ? (await link.all(applied)).map(appliedOf) : [];
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
