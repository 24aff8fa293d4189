import { hash } from "node:crypto";
import type { Statement } from "../sql/queries.ts";
import type { SqlValue } from "../sql/steps.ts";

/** A statement with `$1`, `$2`, … for its values. */
export function statement<Row extends readonly SqlValue[] = readonly []>(text: string): Statement<Row> {
  return { text, name: `latchkey_${hash("sha256", text).slice(0, 32)}` };
}

/** The placeholder of the first, second, … value. */
export function placeholder(place: number): string {
  return `$${place}`;
}

/** `$1, $2, …`, one for each column of a list. */
export function numbered(columns: string, from = 1): string {
  let next = from;
  return columns.replaceAll(/\w+/g, () => placeholder(next++));
}
