import type { Link } from "./link.ts";
import { type AppliedMigration, type AppliedRow, appliedColumns, appliedOf } from "./migration-status.ts";
import type { Statement } from "./queries.ts";
import type { SqlValue } from "./steps.ts";

/** What is noted in `latchkey_migrations`. */
export interface MigrationNotes {
  /** What the database ran or began, by number; nothing where nobody migrated yet. */
  applied(link: Link): Promise<readonly AppliedMigration[]>;
  forget(link: Link, number: number): Promise<void>;
}

/** Reads and deletes notes; `isThere` has a row where `latchkey_migrations` is there. */
export function migrationNotes(
  statement: <Row extends readonly SqlValue[]>(text: string) => Statement<Row>,
  at: (place: number) => string,
  isThere: Statement<readonly [number]>,
): MigrationNotes {
  const applied = statement<AppliedRow>(`
    SELECT ${appliedColumns} FROM latchkey_migrations ORDER BY number`);
  const forget = statement<readonly []>(`DELETE FROM latchkey_migrations WHERE number = ${at(1)}`);
  return {
    applied: async (link) =>
      (await link.all(isThere)).length === 0 ? [] : (await link.all(applied)).map(appliedOf),
    async forget(link, number) {
      await link.run(forget, number);
    },
  };
}
