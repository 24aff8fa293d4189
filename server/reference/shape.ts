import type { Schema } from "./document.ts";

/** A field of a body: `user.email`, `items[].id`. */
export interface Field {
  readonly name: string;
  readonly isRequired: boolean;
  /** In words. */
  readonly type: string;
}

/** The forms that a body may have, each as a list of its fields; of one that is no object, none. */
export function shapesOf(schema: Schema): readonly (readonly Field[])[] {
  const variants = variantsOf(schema).filter(({ properties }) => properties !== undefined);
  return variants.map((variant) => fieldsOf(variant, "")).filter((fields) => fields.length > 0);
}

function fieldsOf({ properties = {}, required = [] }: Schema, before: string): readonly Field[] {
  return Object.entries(properties).flatMap(([name, schema]) => [
    { name: before + name, isRequired: required.includes(name), type: typeOf(schema) },
    ...fieldsWithin(schema, before + name),
  ]);
}

function fieldsWithin(schema: Schema, name: string): readonly Field[] {
  return variantsOf(schema).flatMap((variant) => {
    if (variant.properties !== undefined) return fieldsOf(variant, `${name}.`);
    return variant.items === undefined ? [] : fieldsWithin(variant.items, `${name}[]`);
  });
}

function variantsOf(schema: Schema): readonly Schema[] {
  return schema.anyOf ?? [schema];
}

/** A type in words: `string, at most 254 characters, or null`. */
export function typeOf(schema: Schema): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  const types = typeof schema.type === "string" ? [schema.type] : (schema.type ?? ["anything"]);
  return [types.map((type) => named(type, schema)).join(" or "), ...boundsOf(schema)].join(", ");
}

function named(type: string, { format, items, properties, additionalProperties }: Schema): string {
  if (type === "string") return format === "date-time" ? "time" : (format ?? "string");
  if (type === "array") return items === undefined ? "list" : `list of ${typeOf(items)}`;
  if (type === "object" && properties === undefined && typeof additionalProperties === "object")
    return `object with values: ${typeOf(additionalProperties)}`;
  return type;
}

function boundsOf({ minLength, maxLength, minItems, maxItems, minimum, maximum }: Schema): readonly string[] {
  return [
    ...(minLength === 1 ? ["not empty"] : bound("at least", minLength, "characters")),
    ...bound("at most", maxLength, "characters"),
    ...bound("at least", minItems, "items"),
    ...bound("at most", maxItems, "items"),
    // Whole numbers have those bounds that every whole number has, too.
    ...bound("from", Number.isSafeInteger((minimum ?? 0) - 1) ? minimum : undefined),
    ...bound("up to", Number.isSafeInteger((maximum ?? 0) + 1) ? maximum : undefined),
  ];
}

function bound(words: string, value: number | undefined, unit = ""): readonly string[] {
  return value === undefined ? [] : [`${words} ${value} ${unit}`.trim()];
}
