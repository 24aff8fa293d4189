import type { Parameter } from "../sql/queries.ts";
import type { SqlValue } from "../sql/steps.ts";
import type { MysqlField, MysqlValue } from "./pool.ts";

/** Types whose columns hold numbers here. */
const numbers: ReadonlySet<string> = new Set([
  "TINY",
  "SHORT",
  "INT24",
  "LONG",
  "LONGLONG",
  "DECIMAL",
  "NEWDECIMAL",
]);

/**
 * Reads a column, whatever the application told its pool about types and big numbers. Columns of a fixed length (`BINARY`) hold
 * digests; all other bytes are text.
 */
export function readColumn(field: MysqlField, next: () => unknown): SqlValue {
  if (numbers.has(field.type)) {
    const value = next();
    // Milliseconds and counters: all of them are far below 2^53.
    return value === null ? null : Number(value);
  }
  if (field.type !== "STRING") return field.string("utf8");
  const bytes = field.buffer();
  return bytes === null ? null : new Uint8Array(bytes);
}

/** A parameter as the driver takes it. */
export function driverValue(parameter: Parameter): MysqlValue {
  if (parameter instanceof Uint8Array)
    return Buffer.from(parameter.buffer, parameter.byteOffset, parameter.byteLength);
  if (typeof parameter === "object" && parameter !== null) throw new TypeError("MySQL has no lists");
  return parameter;
}

/**
 * Rows of texts and numbers as one parameter, for `JSON_TABLE`. Texts are hexadecimal: JSON holds no half surrogate pairs, and
 * what is compared byte by byte has no collation on its way.
 */
export function jsonRows(rows: readonly (readonly (string | Uint8Array | number)[])[]): string {
  return JSON.stringify(
    rows.map((row) => row.map((value) => (typeof value === "number" ? value : hex(value)))),
  );
}

function hex(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString("hex");
}
