/** What a product says of one account, by the names that it has for it. */
export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a record, or null where it is no object. */
export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

/** The first of these that says something, as text; null where none does. Numbers are written out. */
export function text(fields: Fields, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "string" && value !== "") return value;
    if (typeof value === "number" || typeof value === "bigint") return String(value);
  }
  return null;
}

/** Whether the first of these that says something says yes; null where none does. Tables in text write `t`, `1` or `true`. */
export function flag(fields: Fields, ...names: readonly string[]): boolean | null {
  for (const name of names) {
    const value = fields[name];
    if (typeof value === "boolean") return value;
    const word = String(value ?? "").toLowerCase();
    if (["true", "t", "1", "yes", "y"].includes(word)) return true;
    if (["false", "f", "0", "no", "n"].includes(word)) return false;
  }
  return null;
}

/**
 * The instant that the first of these names: ISO 8601, as databases print it, or a number of seconds or milliseconds since
 * 1970; without a time zone it is UTC. Null where none says one.
 */
export function instant(fields: Fields, ...names: readonly string[]): Date | null {
  for (const name of names) {
    const value = fields[name];
    const date = value instanceof Object && "$date" in value ? instantOf(value.$date) : instantOf(value);
    if (date !== null) return date;
  }
  return null;
}

/** Texts of a list, or of text with commas between them; of a list's other elements nothing. */
export function texts(fields: Fields, ...names: readonly string[]): readonly string[] {
  for (const name of names) {
    const value = parsed(fields[name]);
    if (Array.isArray(value)) return value.filter((each) => typeof each === "string");
    if (typeof value === "string")
      return value
        .split(",")
        .map((each) => each.trim())
        .filter((each) => each !== "");
  }
  return [];
}

/** The objects of a list; a table in text holds it as JSON. */
export function objects(fields: Fields, name: string): readonly Fields[] {
  const value = parsed(fields[name]);
  return Array.isArray(value) ? value.map(fieldsOf).filter((each) => each !== null) : [];
}

/** An object within a record; a table in text holds it as JSON. Empty where there is none. */
export function object(fields: Fields, name: string): Fields {
  return fieldsOf(parsed(fields[name])) ?? {};
}

function parsed(value: unknown): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

// From here on a number cannot be seconds: as seconds it is the year 5138, as milliseconds 1973.
const firstMilliseconds = 100_000_000_000;

function instantOf(value: unknown): Date | null {
  const number =
    typeof value === "number" ? value : /^\d{9,16}$/.test(String(value ?? "")) ? Number(value) : null;
  const milliseconds =
    number === null ? Date.parse(isoOf(value)) : number < firstMilliseconds ? number * 1000 : number;
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) || date.getTime() < 0 ? null : date;
}

// "2024-01-31 08:00:00.123456+00" and "2024-01-31 08:00:00" of databases.
function isoOf(value: unknown): string {
  const shape = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?$/;
  const [, day, time, fraction = "", zone = "Z"] =
    shape.exec(typeof value === "string" ? value.trim() : "") ?? [];
  if (day === undefined) return "";
  const offset = /^[+-]\d\d$/.test(zone)
    ? `${zone}:00`
    : zone === "UTC"
      ? "Z"
      : zone.replace(/^([+-]\d\d)(\d\d)$/, "$1:$2");
  return `${day}T${time}${fraction.slice(0, 4)}${offset}`;
}
