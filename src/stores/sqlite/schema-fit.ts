import type { DatabaseSync } from "node:sqlite";

// Each fact is a line that people can read, since the missing ones are what a refusal shows.
const columns = `
SELECT 'table ' || t.name || ': column ' || c.name || ' ' || c.type || iif(c."notnull", ' not null', '') || iif(c.pk, ' key', '')
FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'`;
// Without its WHERE an index is another one: the statement that made it is part of the fact.
const indexes = `
SELECT iif(l."unique", 'unique index ', 'index ') || l.name || ': ' || ifnull(s.sql, t.name)
FROM sqlite_schema t JOIN pragma_index_list(t.name) l JOIN sqlite_schema s ON s.name = l.name WHERE t.type = 'table' AND l.origin = 'c'`;

/** The facts about the tables, columns and indexes of a database as they are. */
export function schemaFacts(db: DatabaseSync): readonly string[] {
  const rows = [...db.prepare(columns).all(), ...db.prepare(indexes).all()];
  return rows.map((row) => String(Object.values(row)[0]));
}
