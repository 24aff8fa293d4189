import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { migrations } from "./migrations/all.ts";
import type { Migration } from "./migrations/migration.ts";
import { SchemaError } from "./schema-error.ts";
import { missingFrom } from "./schema-fit.ts";
import { transactionsOn } from "./transaction.ts";

/** A migration as the database and this program know it. */
export interface MigrationStatus {
  readonly number: number;
  readonly name: string;
  /**
   * `applied`; `pending`: this program has it, the database not yet; `edited`: applied in another wording than this
   * program's; `unknown`: applied by a newer program.
   */
  readonly state: "applied" | "pending" | "edited" | "unknown";
  /** Null while pending. */
  readonly appliedAt: Date | null;
}

/** Every migration that the database or the program knows, by number. Writes nothing. */
export function migrationStatus(
  db: DatabaseSync,
  known: readonly Migration[] = migrations,
): readonly MigrationStatus[] {
  const applied = new Map(appliedTo(db).map((row) => [row.number, row]));
  const ours = known.map(({ number, name, ...texts }): MigrationStatus => {
    const row = applied.get(number);
    if (row === undefined) return { number, name, state: "pending", appliedAt: null };
    const isSame = row.checksum === checksum(texts);
    return { number, name, state: isSame ? "applied" : "edited", appliedAt: row.appliedAt };
  });
  const numbers = new Set(known.map(({ number }) => number));
  const theirs = [...applied.values()].filter(({ number }) => !numbers.has(number));
  return [
    ...ours,
    ...theirs.map(({ number, name, appliedAt }) => ({ number, name, state: "unknown", appliedAt }) as const),
  ];
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
  const due = (): readonly Migration[] => {
    const pending = numbersOf(verified(db, known), "pending");
    return known.filter(({ number }) => pending.has(number) && number <= to);
  };
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
  return transactionsOn(db)(() => {
    const applied = numbersOf(verified(db, known), "applied");
    const target = to ?? [...applied].at(-2) ?? 0;
    const due = known.filter(({ number }) => applied.has(number) && number > target).toReversed();
    return due.map((migration) => takeBack(db, migration));
  });
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
  const pending = verified(db, known).filter(({ state }) => state === "pending");
  if (pending.length > 0) {
    throw new SchemaError(`migrations are pending: ${list(pending)}. Run \`latchkey migrate up\` first.`);
  }
  const missing = missingFrom(db, known, scratch);
  if (missing.length === 0) return;
  throw new SchemaError(
    `the database was changed by other means than migrations. It lacks:\n- ${missing.join("\n- ")}\nRestore them, or a backup.`,
  );
}

const table = `
CREATE TABLE IF NOT EXISTS latchkey_migrations (
  number INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT`;

interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly appliedAt: Date;
}

function appliedTo(db: DatabaseSync): readonly AppliedMigration[] {
  const exists =
    db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'latchkey_migrations'").get() !== undefined;
  if (!exists) return [];
  const rows = db
    .prepare("SELECT number, name, checksum, applied_at FROM latchkey_migrations ORDER BY number")
    .all();
  return rows.map(({ number, name, checksum, applied_at }) => ({
    number: Number(number),
    name: String(name),
    checksum: String(checksum),
    appliedAt: new Date(Number(applied_at)),
  }));
}

function verified(db: DatabaseSync, known: readonly Migration[]): readonly MigrationStatus[] {
  const all = migrationStatus(db, known);
  const edited = all.filter(({ state }) => state === "edited");
  if (edited.length > 0) {
    throw new SchemaError(
      `migrations were edited after they had been applied: ${list(edited)}. Run the version of Latchkey that applied them; ` +
        "a change to the schema is a new migration.",
    );
  }
  const unknown = all.filter(({ state }) => state === "unknown");
  if (unknown.length > 0) {
    const newest = known.at(-1)?.number ?? 0;
    throw new SchemaError(
      `the database is newer than this program, which does not know: ${list(unknown)}. Run the newer version of Latchkey, ` +
        `or let that version take them back first: \`latchkey migrate down ${newest}\`.`,
    );
  }
  return all;
}

function apply(db: DatabaseSync, { number, name, ...texts }: Migration): number {
  try {
    db.exec(texts.up);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const advice =
      "Nothing was changed. Tables of the application beside Latchkey's need other names, or a file of their own.";
    throw new SchemaError(`migration ${number} ${name} failed: ${reason}. ${advice}`, { cause });
  }
  // The database's own clock: the time is for people, nothing is decided on it.
  db.prepare(
    "INSERT INTO latchkey_migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))",
  ).run(number, name, checksum(texts));
  return number;
}

function takeBack(db: DatabaseSync, { number, down }: Migration): number {
  db.exec(down);
  db.prepare("DELETE FROM latchkey_migrations WHERE number = ?").run(number);
  return number;
}

function numbersOf(all: readonly MigrationStatus[], wanted: MigrationStatus["state"]): ReadonlySet<number> {
  return new Set(all.filter(({ state }) => state === wanted).map(({ number }) => number));
}

function checksum({ up, down }: Pick<Migration, "up" | "down">): string {
  return hash("sha256", `${up}\0${down}`);
}

function list(statuses: readonly MigrationStatus[]): string {
  return statuses.map(({ number, name }) => `${number} ${name}`).join(", ");
}
