import type { Link } from "../sql/link.ts";
import type { Migration } from "../sql/migration.ts";
import {
  holder,
  type LockKnowledge,
  type LockPatience,
  lockPatience,
  type MigrationCommand,
  mostSecondsMigrating,
  patiently,
} from "../sql/migration-locks.ts";
import { migrationNotes } from "../sql/migration-notes.ts";
import { appliedColumns, checksumOf, migrationFailed } from "../sql/migration-status.ts";
import type { SchemaSteps } from "../sql/migrations.ts";
import { SchemaError } from "../sql/schema-error.ts";
import { tableNames } from "../sql/schema-facts.ts";
import { isAnswer } from "./link.ts";
import { advisoryLocks } from "./locks.ts";
import { expectedFacts, schemaFacts } from "./schema-fit.ts";
import { placeholder, statement } from "./statement.ts";

/** Migrations on PostgreSQL: those of one call are one transaction, so that where one fails nothing of them stays. */
export function schemaSteps(link: Link, patience: LockPatience = lockPatience): SchemaSteps {
  return {
    applied: () => notes.applied(link),
    alone: (command, work) =>
      patiently(patience, locks(link, patience, command), () => alone(link, patience, work)),
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

const isThere = statement<readonly [number]>("SELECT 1 WHERE to_regclass('latchkey_migrations') IS NOT NULL");
const notes = migrationNotes(statement, placeholder, isThere);
const takeLock = statement("SELECT pg_advisory_xact_lock($1)");
// The database's own clock: the time is for people, nothing is decided on it.
const note = statement(`
  INSERT INTO latchkey_migrations (${appliedColumns})
  VALUES ($1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)`);

async function alone<T>(link: Link, { lockMs }: LockPatience, work: () => Promise<T>): Promise<T> {
  // Read committed whatever the default: who waited for the lock has to see what was done meanwhile.
  await link.script("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE");
  try {
    await link.script(`SET LOCAL lock_timeout = ${mostSecondsMigrating * 1_000}`);
    await link.run(takeLock, advisoryLocks.migrations).catch(otherMigrates);
    await link.script(`SET LOCAL lock_timeout = ${lockMs}`);
    const result = await work();
    await link.script("COMMIT");
    return result;
  } catch (error) {
    // One that fails leaves a spoiled link, which is closed: the server undoes the rest.
    if (!link.isSpoiled) await link.script("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

function otherMigrates(error: unknown): never {
  if (!isAnswer(error) || error.code !== lockNotAvailable) throw error;
  throw new Error(`another process has been migrating for ${mostSecondsMigrating} s`);
}

const lockNotAvailable = "55P03";
const deadlockDetected = "40P01";
// Those who came after the try began were not in its way. A transaction that was prepared has no backend.
const holders = statement<readonly [pid: number | null, state: string | null, seconds: number | null]>(`
  SELECT DISTINCT l.pid, a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::bigint
  FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
  AND l.relation IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
  AND (a.xact_start IS NULL OR a.xact_start < clock_timestamp() - $2 * interval '1 millisecond')
  ORDER BY 3 DESC NULLS LAST LIMIT 5`);

function locks(link: Link, { lockMs }: LockPatience, command: MigrationCommand): LockKnowledge {
  return {
    command,
    isBlocked(error) {
      const cause = error instanceof SchemaError ? error.cause : error;
      return isAnswer(cause) && (cause.code === lockNotAvailable || cause.code === deadlockDetected);
    },
    async holders() {
      const found = await link.all(holders, tableNames, lockMs);
      return found.map(([pid, state, seconds]) => {
        if (pid === null) return "a prepared transaction (`SELECT * FROM pg_prepared_xacts`)";
        return holder(`backend ${pid}`, state, seconds);
      });
    },
    howToEnd: "`SELECT pg_terminate_backend(<number>)`",
  };
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
  await notes.forget(link, number);
}
