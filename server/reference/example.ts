import type { Placed, Schema } from "./document.ts";
import { jsonOf } from "./document.ts";

/** Values by the names of fields, where any text of the right type would tell nobody anything. */
const known: Readonly<Record<string, unknown>> = {
  email: "ada@example.com",
  username: "ada",
  name: "Ada",
  "tier.name": "pro",
  password: "correct horse battery",
  current_password: "correct horse battery",
  new_password: "another horse battery",
  csrf_token: "c1.…",
  access_token: "eyJ…",
  refresh_token: "rt…",
  token: "…",
  key: "lk_live_…",
  token_type: "Bearer",
  expires_in: 900,
  per_minute: 60,
  per_day: 10_000,
  path: "/live",
  via: "session",
  locale: "en",
  next_cursor: null,
  email_verified: true,
  authenticated: true,
  current: true,
  roles: ["editor"],
  permissions: ["invoice:read"],
  ip_allow: ["192.0.2.0/24"],
};

/** For {@link exampleOf}. */
export interface ExampleOptions {
  /** Of the field that it stands in: `tier.name`. */
  readonly name?: string;
  /** False: what has to be there alone, as one would send it. Default true. */
  readonly isWhole?: boolean;
}

/** A value of a schema, for reading. */
export function exampleOf(schema: Schema, { name = "", isWhole = true }: ExampleOptions = {}): unknown {
  const [first = schema] = schema.anyOf ?? [];
  if (schema.anyOf !== undefined) return exampleOf(first, { name, isWhole });
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  const type = typeof schema.type === "string" ? schema.type : schema.type?.[0];
  const [place = name] = [name, name.replace(/^.*\./, "")].filter((each) => Object.hasOwn(known, each));
  if (Object.hasOwn(known, place) && fits(known[place], schema)) return known[place];
  if (type === "object") return objectOf(schema, name.replace(/^.*\./, ""), isWhole);
  if (type === "array") return schema.items === undefined ? [] : [exampleOf(schema.items, { name, isWhole })];
  return plain(type, schema);
}

// One name may stand for several things.
function fits(value: unknown, { type }: Schema): boolean {
  const is = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return [type].flat().some((each) => each === is || (each === "integer" && is === "number"));
}

function plain(type: string | undefined, { format, minimum }: Schema): unknown {
  if (type === "integer" || type === "number") return Math.max(minimum ?? 1, 1);
  if (type === "boolean") return false;
  if (type === "null") return null;
  if (format === "date-time") return "2026-01-31T12:00:00.000Z";
  return format === "uuid" ? "01931c5e-8f6a-7c3e-9d2b-4a5f6e7d8c9b" : "…";
}

function objectOf(
  { properties = {}, required = [] }: Schema,
  of: string,
  isWhole: boolean,
): Record<string, unknown> {
  const names = Object.keys(properties);
  const needed = names.filter(
    (name) => isWhole || required.includes(name) || isIdentifier(name, names, required),
  );
  const shown = needed.length > 0 ? needed : names.slice(0, 1);
  return Object.fromEntries(
    shown.map((name) => [name, exampleOf(properties[name] ?? {}, { name: `${of}.${name}`, isWhole })]),
  );
}

// A password alone is of nobody: either of two names goes with it, so neither is required.
function isIdentifier(name: string, names: readonly string[], required: readonly string[]): boolean {
  return name === "email" && names.includes("password") && !required.includes("username");
}

/** The request as a line of curl; `$TOKEN` and `jar` are from signing in. */
export function curlOf({ method, path, operation }: Placed, origin: string): string {
  const body = jsonOf(operation.requestBody);
  const [proof] = operation.security;
  return [
    `curl ${method === "GET" ? "" : `-X ${method} `}${origin}${path.replace(/\{(\w+)\}/g, (_, name) => `$${name.toUpperCase()}`)}`,
    ...(proof?.session === undefined ? [] : ["-b jar"]),
    ...(proof?.csrf === undefined ? [] : [`-H "X-CSRF-Token: $TOKEN"`]),
    ...(body === null
      ? []
      : [
          "-H 'Content-Type: application/json'",
          `-d '${JSON.stringify(exampleOf(body, { isWhole: false }))}'`,
        ]),
  ].join(" \\\n  ");
}
