/** Says what is wrong with a value under the name of its option, one line each, with the fix. Never what a text holds: it may be secret. */
export type Shape = (value: unknown, name: string) => readonly string[];

/** A text. @param such - an example, as one would write it */
export function text(such: string): Shape {
  return (value, name) =>
    typeof value === "string" ? [] : [`${name}: a text, such as ${such}; ${given(value)}`];
}

/** A list. @param such - an example, as one would write it */
export function listOf(each: Shape, such: string): Shape {
  return (value, name) =>
    Array.isArray(value)
      ? Array.from(value).flatMap((item, index) => each(item, `${name}[${index}]`))
      : [`${name}: a list, such as ${such}; ${given(value)}`];
}

/** A function. */
export const called: Shape = (value, name) =>
  typeof value === "function" ? [] : [`${name}: a function; ${given(value)}`];

/** An object whose fields have shapes of their own, each only where it is there. */
export function record(fields: Readonly<Record<string, Shape>> = {}): Shape {
  return (value, name) =>
    isObject(value)
      ? Object.entries(fields).flatMap(([field, shape]) =>
          optional(shape)(Reflect.get(value, field), `${name}.${field}`),
        )
      : [`${name}: an object; ${given(value)}`];
}

/** What has these methods, and perhaps a name. @param what - what it is called */
export function having(what: string, ...methods: readonly string[]): Shape {
  return (value, name) => {
    if (!isObject(value)) return [`${name}: ${what}; ${givenUncalled(value)}`];
    const missing = methods.filter((method) => typeof Reflect.get(value, method) !== "function");
    return missing.length === 0 ? [] : [`${name}: ${what}; it lacks ${missing.join(", ")}`];
  };
}

/** The same, and absent is fine. */
export function optional(shape: Shape): Shape {
  return (value, name) => (value === undefined ? [] : shape(value, name));
}

/** What the options of these shapes have wrong, by their names; those that are as they should be are not in it. */
export function illShaped(
  options: object,
  shapes: Readonly<Record<string, Shape>>,
): ReadonlyMap<string, readonly string[]> {
  const checked = Object.entries(shapes).map(
    ([name, shape]) => [name, shape(Reflect.get(options, name), name)] as const,
  );
  return new Map(checked.filter(([, problems]) => problems.length > 0));
}

/** Whether something is an object and no list. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What was given, where a function is what somebody forgot to call: `passwords` for `passwords()`. */
export function givenUncalled(value: unknown): string {
  return typeof value === "function" ? `${given(value)}; call it: ${value.name}(…)` : given(value);
}

/** What was given, by its kind alone. */
export function given(value: unknown): string {
  if (value === undefined || value === null) return "nothing was given";
  if (Array.isArray(value)) return "a list was given";
  if (typeof Reflect.get(Object(value), "then") === "function") return "a promise was given; `await` it";
  return typeof value === "object" ? "an object was given" : `a ${kinds[typeof value] ?? "text"} was given`;
}

const kinds: Readonly<Record<string, string>> = {
  number: "number",
  bigint: "number",
  function: "function",
  boolean: "truth value",
  symbol: "symbol",
};
