import type { JsonSchema } from "../../src/ports/route.ts";

/** Whether a value is as the schema says, as far as these schemas go. */
export function fits(schema: JsonSchema, value: unknown): boolean {
  const options = (schema.anyOf ?? schema.oneOf) as readonly JsonSchema[] | undefined;
  if (options !== undefined) return options.some((option) => fits(option, value));
  if ("const" in schema) return schema.const === value;
  const type =
    value === null
      ? "null"
      : Array.isArray(value)
        ? "array"
        : Number.isInteger(value)
          ? "integer"
          : typeof value;
  if (![schema.type].flat().includes(type)) return false;
  if (type === "array")
    return (value as readonly unknown[]).every((each) => fits(schema.items as JsonSchema, each));
  if (schema.pattern !== undefined && !new RegExp(String(schema.pattern)).test(String(value))) return false;
  if (type !== "object" || schema.properties === undefined) return true;
  const properties = schema.properties as Readonly<Record<string, JsonSchema>>;
  const entries = Object.entries(value as object);
  const hasAll = ((schema.required ?? []) as readonly string[]).every((name) =>
    entries.some(([key]) => key === name),
  );
  return (
    hasAll && entries.every(([key, each]) => properties[key] !== undefined && fits(properties[key], each))
  );
}
