import type { Parameter } from "../sql/queries.ts";
import type { SqlValue } from "../sql/steps.ts";

/** Object ids of types. @see https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
const types = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23 } as const;

const readers: Readonly<Record<number, (text: string) => SqlValue>> = {
  [types.bool]: (text) => (text === "t" ? 1 : 0),
  [types.bytea]: bytesOf,
  // Milliseconds and counters: all of them are far below 2^53.
  [types.int8]: Number,
  [types.int2]: Number,
  [types.int4]: Number,
};

/**
 * How columns are read, whatever the application told the driver about types: for all connections of a process there is
 * one table of parsers, and programs change it so that `int8` gives numbers, or BigInts.
 */
export const columnTypes: { getTypeParser(type: number): (text: string) => SqlValue } = {
  getTypeParser: (type) => readers[type] ?? readText,
};

/**
 * Bytes as the server writes them: `\x` and hexadecimal digits, or, where `bytea_output` is `escape`, ASCII as it is, a backslash
 * twice, and the rest as a backslash and three octal digits.
 *
 * @see https://www.postgresql.org/docs/current/datatype-binary.html
 */
function bytesOf(text: string): Uint8Array {
  if (text.startsWith("\\x")) return new Uint8Array(Buffer.from(text.slice(2), "hex"));
  const bytes = text.replaceAll(/\\(\\|[0-7]{3})/g, (_, escaped: string) =>
    escaped === "\\" ? escaped : String.fromCharCode(Number.parseInt(escaped, 8)),
  );
  return new Uint8Array(Buffer.from(bytes, "latin1"));
}

/** A parameter as the driver takes it. */
export function driverValue(parameter: Parameter): unknown {
  if (typeof parameter === "string") return writtenText(parameter);
  if (parameter instanceof Uint8Array) return buffer(parameter);
  // A Buffer of its own for each: the driver writes arrays as text and knows Buffers alone.
  return Array.isArray(parameter) ? parameter.map(driverValue) : parameter;
}

// The driver takes a Uint8Array's whole buffer in some versions; a Buffer it takes as it is.
function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

// PostgreSQL's text holds every character but NUL. So NUL is written as a control character that nobody types and a digit,
// and that control character likewise: two texts that differ stay different. JSON has neither, it escapes both.
const mark = "\u0001";

function writtenText(text: string): string {
  if (!text.includes("\0") && !text.includes(mark)) return text;
  return text.replaceAll(mark, `${mark}1`).replaceAll("\0", `${mark}0`);
}

function readText(text: string): string {
  return text.includes(mark) ? text.replaceAll(`${mark}0`, "\0").replaceAll(`${mark}1`, mark) : text;
}
