import type { Queries } from "../sql/queries.ts";
import { columnFacts, tableNames, uniqueFacts } from "../sql/schema-facts.ts";
import { statement } from "./statement.ts";

// Of the indexes the unique ones,
// whole or in part, and of the checks the one that counters rely on: without the others Latchkey is slower, not wrong.
const facts = statement<readonly [fact: string]>(`
  SELECT format('table %s: column %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) ||
    CASE WHEN a.attnotnull THEN ' not null' ELSE '' END AS fact
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
  UNION ALL
  SELECT format('unique index %s on %s (%s)%s', i.relname, c.relname,
    (SELECT string_agg(a.attname, ', ' ORDER BY place) FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum),
    CASE WHEN x.indpred IS NULL THEN '' ELSE ' in part' END)
  FROM pg_class c JOIN pg_index x ON x.indrelid = c.oid AND x.indisunique AND x.indisvalid JOIN pg_class i ON i.oid = x.indexrelid
  WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
  UNION ALL
  SELECT format('check %s on %s', k.conname, c.relname)
  FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c' AND k.convalidated
  WHERE c.oid IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)`);

/** The facts about Latchkey's tables as they are. */
export async function schemaFacts(queries: Queries): Promise<readonly string[]> {
  return (await queries.all(facts, tableNames)).map(([fact]) => fact);
}

/** The facts that all migrations together make. */
export const expectedFacts: readonly string[] = [
  "check counters_within_limit on counters",
  ...columnFacts({
    id: "text",
    word: "text",
    name: "text",
    key: "text",
    path: "text",
    text: "text",
    long: "text",
    value: "text",
    digest: "bytea",
    number: "bigint",
    flag: "boolean",
    class: "smallint",
  }),
  ...uniqueFacts((table) => `${table}_pkey`).map((fact) =>
    fact === "unique index audit_events_seq on audit_events (seq)" ? `${fact} in part` : fact,
  ),
];
