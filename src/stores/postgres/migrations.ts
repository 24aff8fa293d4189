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
import { advisoryLocks } from "./locks.ts";
import { expectedFacts, schemaFacts } from "./schema-fit.ts";
import { statement } from "./statement.ts";

/** Migrations on PostgreSQL: those of one call are one transaction, so that where one fails nothing of them stays. */
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

const table = `
CREATE TABLE IF NOT EXISTS latchkey_migrations (
  number integer NOT NULL PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at bigint NOT NULL
)`;

const exists = statement<readonly [number]>("SELECT to_regclass('latchkey_migrations') IS NOT NULL");
const applied = statement<AppliedRow>(`SELECT ${appliedColumns} FROM latchkey_migrations ORDER BY number`);
const takeLock = statement("SELECT pg_advisory_xact_lock($1)");
// The database's own clock: the time is for people, nothing is decided on it.
const note = statement(`
  INSERT INTO latchkey_migrations (${appliedColumns})
  VALUES ($1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)`);
const forget = statement("DELETE FROM latchkey_migrations WHERE number = $1");

async function appliedTo(link: Link): Promise<readonly AppliedMigration[]> {
  const [[isThere] = [0]] = await link.all(exists);
  return isThere === 0 ? [] : (await link.all(applied)).map(appliedOf);
}

async function alone<T>(link: Link, work: () => Promise<T>): Promise<T> {
  // Read committed whatever the default: who waited for the lock has to see what was done meanwhile.
  await link.script("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  try {
    await link.run(takeLock, advisoryLocks.migrations);
    const result = await work();
    await link.script("COMMIT");
    return result;
  } catch (error) {
    await link.script("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function apply(link: Link, migration: Migration): Promise<void> {
  const { number, name, up } = migration;
  try {
    await link.script(up);
  } catch (cause) {
    const advice =
      "Nothing was changed. Tables of the application beside Latchkey's need other names, or a schema of their own.";
    throw migrationFailed(migration, cause, advice);
  }
  await link.run(note, number, name, checksumOf(migration));
}

async function takeBack(link: Link, { number, down }: Migration): Promise<void> {
  await link.script(down);
  await link.run(forget, number);
}
