import type { Queries } from "../sql/queries.ts";
import { columnFact, columnFacts, tableNames, uniqueFacts } from "../sql/schema-facts.ts";
import { statement } from "./statement.ts";

const tables = `(${[...tableNames, "latchkey_locks"].map((name) => `'${name}'`).join(", ")})`;

// Of the indexes the unique ones,
// and of the checks the one that counters rely on: without the others Latchkey is slower, not wrong.
const facts = statement<readonly [fact: string]>(`
  SELECT CONCAT('table ', table_name, ': column ', column_name, ' ', column_type, IFNULL(CONCAT(' ', collation_name), ''),
    IF(is_nullable = 'NO', ' not null', '')) AS fact
  FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN ${tables}
  UNION ALL
  SELECT CONCAT('unique index ', index_name, ' on ', table_name, ' (',
    GROUP_CONCAT(column_name ORDER BY seq_in_index SEPARATOR ', '), ')')
  FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND table_name IN ${tables} AND non_unique = 0
  GROUP BY table_name, index_name HAVING COUNT(sub_part) = 0
  UNION ALL
  SELECT CONCAT('check ', constraint_name)
  FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()`);

const counters = statement<readonly [name: string, definition: string]>("SHOW CREATE TABLE counters");

/** The facts about Latchkey's tables as they are. */
export async function schemaFacts(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.all(facts);
  // MariaDB says how wide a number is shown, MySQL no longer does.
  const seen = rows.map(([fact]) => fact.replace(/\bbigint\(\d+\)/, "bigint"));
  return seen.includes(counterCheck) ? seen : [...seen, ...(await ownChecks(queries, seen))];
}

// Who has rights on tables alone is not told of checks by MariaDB's catalogue, but by the table.
async function ownChecks(queries: Queries, seen: readonly string[]): Promise<readonly string[]> {
  if (!seen.some((fact) => fact.startsWith("table counters: "))) return [];
  const [[, definition] = ["", ""]] = await queries.all(counters);
  return definition.includes("CONSTRAINT `counters_within_limit` CHECK (") ? [counterCheck] : [];
}

const counterCheck = "check counters_within_limit";

/** The facts that all migrations together make. */
export const expectedFacts: readonly string[] = [
  counterCheck,
  columnFact("latchkey_locks", "name", "varbinary(32)", true),
  columnFact("sessions", "ends_at", "bigint", false),
  "unique index PRIMARY on latchkey_locks (name)",
  ...columnFacts({
    id: "varbinary(64)",
    word: "varbinary(16)",
    name: "varbinary(255)",
    key: "varbinary(1024)",
    path: "varbinary(800)",
    text: "text utf8mb4_bin",
    long: "mediumtext utf8mb4_bin",
    value: "mediumblob",
    digest: "binary(32)",
    number: "bigint",
    flag: "tinyint(1)",
    class: "tinyint(1)",
  }),
  ...uniqueFacts(() => "PRIMARY"),
];
