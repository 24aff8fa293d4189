import { deepStrictEqual } from "node:assert/strict";

/**
 * Asserts that two records hold the same, whatever they are made of: a `Buffer` is as good as a `Uint8Array`, the order of keys
 * and the prototype do not count. A key named `__proto__` does, as any other key.
 */
export function same(actual: unknown, expected: unknown, message?: string): void {
  deepStrictEqual(plain(actual), plain(expected), message);
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return ["a Date", value.getTime()];
  if (value instanceof Uint8Array) return ["bytes", Buffer.from(value).toString("hex")];
  if (Array.isArray(value)) return ["a list", ...value.map(plain)];
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.keys(value).map((key) => [key, plain(Reflect.get(value, key))] as const);
  return ["a record", ...fields.sort(([a], [b]) => (a < b ? -1 : 1))];
}

/** Writes into a value as a careless caller would; one that is frozen throws, which is fine. */
export function scribble(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) scribble(Reflect.get(value, key));
  Reflect.set(value, Array.isArray(value) ? value.length : "scribbled", "scribbled");
}
