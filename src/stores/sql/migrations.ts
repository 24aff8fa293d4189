import type { Migration } from "./migration.ts";
import type { MigrationCommand } from "./migration-locks.ts";
import {
  type AppliedMigration,
  assertNonePending,
  assertNothingMissing,
  dueDown,
  dueUp,
  type MigrationStatus,
  statusOf,
} from "./migration-status.ts";

/** What migrations ask of a database on a server, in the words of its engine. */
export interface SchemaSteps {
  /** What the database ran or began, by number; nothing where nobody migrated yet. */
  applied(): Promise<readonly AppliedMigration[]>;
  /** Runs `work` while no other process migrates; `command` is what people run again where it gives up. */
  alone<T>(command: MigrationCommand, work: () => Promise<T>): Promise<T>;
  /** Makes `latchkey_migrations` where it is missing. */
  makeTable(): Promise<void>;
  /** Runs a migration and notes it. @throws SchemaError - it failed */
  apply(migration: Migration): Promise<void>;
  /** Takes a migration back, and the note with it. */
  takeBack(migration: Migration): Promise<void>;
  /** The facts about Latchkey's tables as they are. */
  facts(): Promise<readonly string[]>;
  /** The facts that all migrations together make. */
  readonly expectedFacts: readonly string[];
}

/** Every migration that the database or the program knows, by number. Writes nothing. */
export async function migrationStatus(
  steps: SchemaSteps,
  known: readonly Migration[],
): Promise<readonly MigrationStatus[]> {
  return statusOf(await steps.applied(), known);
}

/**
 * Applies what is pending, up to and with number `to` (default: all). Processes that do it at once do it one after the other:
 * the second finds nothing left to do.
 *
 * @returns the numbers that were applied
 * @throws SchemaError - an applied migration was edited or is newer than this program, and nothing was done; or one failed
 */
export async function migrateUp(
  steps: SchemaSteps,
  known: readonly Migration[],
  to: number = Number.POSITIVE_INFINITY,
): Promise<readonly number[]> {
  const due = async (): Promise<readonly Migration[]> => dueUp(await steps.applied(), known, to);
  // Asked without the lock first: a process that starts beside others, with nothing to do, waits for nobody.
  if ((await due()).length === 0) return [];
  return steps.alone("up", async () => {
    await steps.makeTable();
    return each(await due(), steps.apply);
  });
}

/**
 * Takes back every migration above number `to` (default: all but the newest), newest first. What they held is gone. One that was
 * begun and broke off, on its way up or back, counts: it is the newest, and the next call goes on with it.
 *
 * @returns the numbers that were taken back
 * @throws SchemaError - an applied migration was edited or is newer than this program; nothing was done
 */
export async function migrateDown(
  steps: SchemaSteps,
  known: readonly Migration[],
  to?: number,
): Promise<readonly number[]> {
  const due = async (): Promise<readonly Migration[]> => dueDown(await steps.applied(), known, to);
  // Asked without the lock first: what the schema refuses, or a server that is silent, is known at once.
  if ((await due()).length === 0) return [];
  return steps.alone("down", async () => each(await due(), steps.takeBack));
}

/** Checks that the schema is the one that this program works on. @throws SchemaError saying what is wrong with it, and what to do */
export async function assertSchema(steps: SchemaSteps, known: readonly Migration[]): Promise<void> {
  assertNonePending(await steps.applied(), known);
  assertNothingMissing(steps.expectedFacts, await steps.facts());
}

async function each(
  due: readonly Migration[],
  work: (migration: Migration) => Promise<void>,
): Promise<readonly number[]> {
  for (const migration of due) await work(migration);
  return due.map(({ number }) => number);
}
