import type { Statement } from "../sql/queries.ts";
import type { SqlValue } from "../sql/steps.ts";

/** A statement with `?` for its values. */
export function statement<Row extends readonly SqlValue[] = readonly []>(text: string): Statement<Row> {
  return { text, name: text };
}

/** The table of one column of ids, out of a parameter that `jsonRows` made. */
export const idsGiven = "JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(255) PATH '$[0]')) AS given";
