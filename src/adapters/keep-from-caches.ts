import type { ServerResponse } from "node:http";

const name = "Cache-Control";
const noStore = "no-store";

/** Where an answer has the `writeHead` that it had before. */
const before = Symbol("writeHead");

interface Marked extends ServerResponse {
  [before]?: (status: number, ...rest: readonly unknown[]) => ServerResponse;
}

/**
 * Makes an answer `no-store`, whatever its handler says of caches from here on: a cache that kept it would hand what was made for one
 * person to the next. Middleware that stands before Latchkey and changes headers as they go out has a word after this one.
 */
export function keepFromCaches(outgoing: ServerResponse): void {
  outgoing.setHeader(name, noStore);
  staysUnkept(outgoing);
}

/** The same for a framework that has headers of its own until they go out: it says `no-store` there itself. */
export function staysUnkept(outgoing: ServerResponse): void {
  const marked: Marked = outgoing;
  // Once: others may have put theirs around it since, which would then be called by what they call.
  if (marked[before] !== undefined) return;
  marked[before] = outgoing.writeHead as NonNullable<Marked[typeof before]>;
  // One function for all of them: a closure for each answer would cost every check.
  outgoing.writeHead = writeHeadUnkept as ServerResponse["writeHead"];
}

// Node calls it for every answer, also for one whose handler never does.
function writeHeadUnkept(
  this: Required<Marked>,
  status: number,
  ...rest: readonly unknown[]
): ServerResponse {
  if (this.getHeader(name) !== noStore) this.setHeader(name, noStore);
  return rest.length === 0 ? this[before](status) : this[before](status, ...rest.map(withoutIt));
}

// Headers come as an object, as names and values in turn or, with HTTP/2, as pairs; beside them comes a reason, a text.
function withoutIt(given: unknown): unknown {
  if (typeof given !== "object" || given === null) return given;
  if (!Array.isArray(given)) return Object.fromEntries(Object.entries(given).filter(([key]) => !isIt(key)));
  return Array.isArray(given[0])
    ? given.filter(([key]) => !isIt(key))
    : given.filter((_, at) => !isIt(given[at - (at % 2)]));
}

function isIt(key: unknown): boolean {
  return String(key).toLowerCase() === "cache-control";
}
