import { hash } from "node:crypto";
import type { Migration } from "./migration.ts";
import { SchemaError } from "./schema-error.ts";

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

/** A row of `latchkey_migrations`: a migration that the database ran or began. */
export interface AppliedMigration {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  /** Null: it was begun, up or back, and did not come to its end. */
  readonly appliedAt: Date | null;
}

/** The columns of `latchkey_migrations` that {@link appliedOf} reads. */
export const appliedColumns = "number, name, checksum, applied_at";

/** A row of {@link appliedColumns}. */
export type AppliedRow = readonly [number: number, name: string, checksum: string, appliedAt: number | null];

/** The migration of a row. */
export function appliedOf([number, name, checksum, appliedAt]: AppliedRow): AppliedMigration {
  return { number, name, checksum, appliedAt: appliedAt === null ? null : new Date(appliedAt) };
}

/** Every migration that the database (`applied`) or the program (`known`) knows, by number. */
export function statusOf(
  applied: readonly AppliedMigration[],
  known: readonly Migration[],
): readonly MigrationStatus[] {
  const byNumber = new Map(applied.map((row) => [row.number, row]));
  const ours = known.map((migration): MigrationStatus => {
    const { number, name } = migration;
    const row = byNumber.get(number);
    const { appliedAt = null, checksum } = row ?? {};
    if (appliedAt === null) return { number, name, state: "pending", appliedAt };
    return { number, name, state: checksum === checksumOf(migration) ? "applied" : "edited", appliedAt };
  });
  const numbers = new Set(known.map(({ number }) => number));
  const theirs = applied.filter(({ number }) => !numbers.has(number));
  return [
    ...ours,
    ...theirs.map(({ number, name, appliedAt }) => ({ number, name, state: "unknown", appliedAt }) as const),
  ];
}

/** The same, where the two go together. @throws SchemaError - an applied migration was edited, or is newer than this program */
export function verifiedStatus(
  applied: readonly AppliedMigration[],
  known: readonly Migration[],
): readonly MigrationStatus[] {
  const all = statusOf(applied, known);
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

/** What is to be applied to get up to number `to`, oldest first. @throws SchemaError as {@link verifiedStatus} */
export function dueUp(
  applied: readonly AppliedMigration[],
  known: readonly Migration[],
  to: number,
): readonly Migration[] {
  const pending = numbersOf(verifiedStatus(applied, known), "pending");
  return known.filter(({ number }) => pending.has(number) && number <= to);
}

/**
 * What is to be taken back to get down to number `to` (default: all but the newest), newest first. What was begun is to be taken
 * back like what was applied.
 *
 * @throws SchemaError as {@link verifiedStatus}
 */
export function dueDown(
  applied: readonly AppliedMigration[],
  known: readonly Migration[],
  to: number | undefined,
): readonly Migration[] {
  verifiedStatus(applied, known);
  const numbers = new Set(applied.map(({ number }) => number));
  const there = known.filter(({ number }) => numbers.has(number));
  const target = to ?? there.at(-2)?.number ?? 0;
  return there.filter(({ number }) => number > target).toReversed();
}

/** @throws SchemaError - a migration is pending; else as {@link verifiedStatus} */
export function assertNonePending(applied: readonly AppliedMigration[], known: readonly Migration[]): void {
  const pending = verifiedStatus(applied, known).filter(({ state }) => state === "pending");
  if (pending.length === 0) return;
  throw new SchemaError(`migrations are pending: ${list(pending)}. Run \`latchkey migrate up\` first.`);
}

/**
 * Checks that `found` has all that migrations made. Facts are lines for people; those of the application beside them are no
 * concern.
 *
 * @throws SchemaError - something is missing
 */
export function assertNothingMissing(expected: readonly string[], found: readonly string[]): void {
  const there = new Set(found);
  const missing = expected.filter((fact) => !there.has(fact));
  if (missing.length === 0) return;
  throw new SchemaError(
    `the database was changed by other means than migrations. It lacks:\n- ${missing.join("\n- ")}\nRestore them, or a backup.`,
  );
}

/** What a row of `latchkey_migrations` knows a migration's wording by. */
export function checksumOf({ up, down }: Pick<Migration, "up" | "down">): string {
  return hash("sha256", `${up}\0${down}`);
}

/** The refusal of a migration that failed; `advice` says what was changed and what to do. */
export function migrationFailed({ number, name }: Migration, cause: unknown, advice: string): SchemaError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SchemaError(`migration ${number} ${name} failed: ${reason}. ${advice}`, { cause });
}

function numbersOf(all: readonly MigrationStatus[], wanted: MigrationStatus["state"]): ReadonlySet<number> {
  return new Set(all.filter(({ state }) => state === wanted).map(({ number }) => number));
}

function list(statuses: readonly MigrationStatus[]): string {
  return statuses.map(({ number, name }) => `${number} ${name}`).join(", ");
}
