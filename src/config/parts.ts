import {
  called,
  givenUncalled,
  having,
  illShaped,
  isObject,
  listOf,
  optional,
  record,
  type Shape,
} from "./shapes.ts";

/** What `createAuth` takes besides its configuration, each as far as it is looked into at the start. */
const shapes: Readonly<Record<string, Shape>> = {
  stores: storesShape,
  features: optional(listOf(having("a feature, such as passwords()", "install"), "[passwords()]")),
  strategies: optional(listOf(having("a strategy", "authenticate"), "[ownStrategy]")),
  policies: optional(listOf(called, "[ownPolicy]")),
  listeners: optional(listOf(called, "[ownListener]")),
  roles: optional(record()),
  onError: optional(called),
  log: optional(having("a log", "error", "warn")),
  clock: optional(having("a clock", "now", "sleep")),
  random: optional(having("a source of randomness", "bytes")),
  telemetry: optional(having("what measures", "during")),
  sessionTokens: optional(having("a format of session tokens", "format", "parse")),
};

/** Everything about the parts that `createAuth` is given that cannot be used, one line each, with the fix. */
export function partProblems(options: object): readonly string[] {
  return [...illShaped(options, shapes).values()].flat();
}

/** The ports, each with a method that it cannot be without. */
const ports = { directory: "commit", sessions: "find", ephemeral: "reserve" } as const;

const join = "join it with a directory of users by split({ directory, sessions, ephemeral })";

function storesShape(value: unknown, name: string): readonly string[] {
  const such = "such as sqlite({ path }) or memory()";
  if (!isObject(value) || typeof Reflect.get(value, "then") === "function")
    return [`${name}: stores, ${such}; ${givenUncalled(value)}`];
  // Of an engine that has no users: `memorySessions()`, `redis({ client }).sessions`.
  if ("owners" in value) return [`${name}: these are sessions alone; ${join}`];
  const missing = Object.entries(ports)
    .filter(([port, method]) => typeof Reflect.get(Object(Reflect.get(value, port)), method) !== "function")
    .map(([port]) => port);
  if (missing.length === 0) return [];
  const lacks = `it lacks ${missing.join(", ")}`;
  return [
    missing.join() === "directory" ? `${name}: ${lacks}; ${join}` : `${name}: stores, ${such}; ${lacks}`,
  ];
}
