import type { DatabaseSync } from "node:sqlite";
import type { Migration } from "../migration.ts";

// Each fact is a line that people can read, since the missing ones are what a refusal shows.
const columns = `
SELECT 'table ' || t.name || ': column ' || c.name || ' ' || c.type || iif(c."notnull", ' not null', '') || iif(c.pk, ' key', '')
FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'`;
// Without its WHERE an index is another one: the statement that made it is part of the fact.
const indexes = `
SELECT iif(l."unique", 'unique index ', 'index ') || l.name || ': ' || ifnull(s.sql, t.name)
FROM sqlite_schema t JOIN pragma_index_list(t.name) l JOIN sqlite_schema s ON s.name = l.name WHERE t.type = 'table' AND l.origin = 'c'`;

/**
 * What the schema of `db` lacks of what `migrations` make: tables, columns and indexes, one line each; empty when it fits.
 * Tables and columns of the application beside them are no concern.
 *
 * @param scratch - an empty database, where the migrations are run for comparison
 */
export function missingFrom(
  db: DatabaseSync,
  migrations: readonly Migration[],
  scratch: DatabaseSync,
): readonly string[] {
  for (const { up } of migrations) scratch.exec(up);
  const found = facts(db);
  return [...facts(scratch)].filter((fact) => !found.has(fact));
}

function facts(db: DatabaseSync): ReadonlySet<string> {
  const rows = [...db.prepare(columns).all(), ...db.prepare(indexes).all()];
  return new Set(rows.map((row) => String(Object.values(row)[0])));
}
