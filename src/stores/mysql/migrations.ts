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
import { isAnswer } from "./link.ts";
import { expectedFacts, schemaFacts } from "./schema-fit.ts";
import { statement } from "./statement.ts";

/**
 * Migrations on MySQL, which commits at each change of a table: one that fails or is killed stays half-done. It is on record as
 * begun, which counts as pending, and the next `migrateUp` goes on with it; for that each of its statements may be run twice.
 * One that was interrupted on its way back is made whole likewise, or taken back by the next `migrateDown`.
 */
export function schemaSteps(link: Link, patience: LockPatience = lockPatience): SchemaSteps {
  const runFor =
    (command: MigrationCommand) =>
    async (script: string): Promise<void> => {
      const knowledge = locks(link, command);
      for (const text of statementsOf(script)) await patiently(patience, knowledge, () => link.script(text));
    };
  return {
    applied: () => notes.applied(link),
    alone: (_, work) => alone(link, patience, work),
    makeTable: () => link.script(table),
    apply: (migration) => apply(link, runFor("up"), migration),
    takeBack: (migration) => takeBack(link, runFor("down"), migration),
    facts: () => schemaFacts(link),
    expectedFacts,
  };
}

const table = `
CREATE TABLE IF NOT EXISTS latchkey_migrations (
  number INT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at BIGINT
) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin`;

const tableOf = (name: string): string =>
  `SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ${name}`;
const hasTable = statement<readonly [number]>(tableOf("?"));
const notes = migrationNotes(statement, () => "?", statement(tableOf("'latchkey_migrations'")));
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

async function alone<T>(link: Link, { lockMs }: LockPatience, work: () => Promise<T>): Promise<T> {
  const [[isTaken] = [0]] = await link.all(takeLock, mostSecondsMigrating);
  if (isTaken !== 1) throw new Error(`another process has been migrating for ${mostSecondsMigrating} s`);
  try {
    await link.script(`SET SESSION lock_wait_timeout = ${Math.ceil(lockMs / 1_000)}`);
    return await work();
  } finally {
    // A connection that ends lets go of the lock.
    if (!link.isSpoiled) await link.all(freeLock).catch(link.spoil);
    if (!link.isSpoiled)
      await link.script("SET SESSION lock_wait_timeout = @@GLOBAL.lock_wait_timeout").catch(link.spoil);
  }
}

// Who may not see others' transactions is told nothing of them. One that only reads keeps a table from being changed as well.
const holders = statement<readonly [id: number, state: string, seconds: number]>(`
  SELECT p.id, LOWER(p.command), TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) FROM information_schema.innodb_trx t
  JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
  WHERE p.db = DATABASE() AND p.id <> CONNECTION_ID() ORDER BY t.trx_started LIMIT 5`);
const lockWaitTimeout = 1205;

function locks(link: Link, command: MigrationCommand): LockKnowledge {
  return {
    command,
    isBlocked: (error) => isAnswer(error) && error.errno === lockWaitTimeout,
    holders: async () =>
      (await link.all(holders)).map(([id, state, seconds]) => holder(`connection ${id}`, state, seconds)),
    howToEnd: "`KILL <number>`",
  };
}

type Run = (script: string) => Promise<void>;

async function apply(link: Link, run: Run, migration: Migration): Promise<void> {
  const { number, name, up } = migration;
  if ((await link.all(wasBegun, number)).length === 0) await assertRoom(link, migration);
  await link.run(begin, number, name, checksumOf(migration), name, checksumOf(migration));
  try {
    await run(up);
  } catch (cause) {
    const advice = "What it had done by then stays, and the next `latchkey migrate up` goes on with it.";
    throw migrationFailed(migration, cause, advice);
  }
  await link.run(note, number);
}

// Every statement may be run twice, so none of them fails where the application has a table of the name.
async function assertRoom(link: Link, migration: Migration): Promise<void> {
  for (const [, name = ""] of migration.up.matchAll(/^CREATE TABLE IF NOT EXISTS (\w+)/gm)) {
    if ((await link.all(hasTable, name)).length === 0) continue;
    const advice =
      "Nothing was changed. Tables of the application beside Latchkey's need other names, or a database of their own.";
    throw migrationFailed(migration, new Error(`table ${name} already exists`), advice);
  }
}

async function takeBack(link: Link, run: Run, migration: Migration): Promise<void> {
  const { number, name, down } = migration;
  await link.run(begin, number, name, checksumOf(migration), name, checksumOf(migration));
  await run(down);
  await notes.forget(link, number);
}

function statementsOf(script: string): readonly string[] {
  return script.split(";\n").filter((text) => text.trim() !== "");
}
