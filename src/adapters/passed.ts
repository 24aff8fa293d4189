import type { Principal, SignedIn } from "../domain/principal.ts";
import type { SessionData } from "../ports/session-data.ts";

/** What the pipeline found out about a request that it let on. */
export interface Passed {
  readonly principal: Principal;
  readonly session: SessionData;
}

/** Remembers it by the request itself: no field of it that other middleware could overwrite or a client could send. */
export interface PassedRequests<R extends object> {
  note(request: R, passed: Passed): void;
  /** @throws TypeError for a request that did not go through the pipeline */
  of(request: R): Passed;
  /** Who is signed in. @throws TypeError where the route lets others on */
  current(request: R): SignedIn;
}

/** Makes such a memory; it holds nothing longer than the request lives. */
export function passing<R extends object>(): PassedRequests<R> {
  const known = new WeakMap<R, Passed>();
  const of = (request: R): Passed => {
    const passed = known.get(request);
    if (passed !== undefined) return passed;
    throw new TypeError("this route asks nobody who they are: put required() before it");
  };
  return {
    note: (request, passed) => void known.set(request, passed),
    of,
    current(request) {
      const { principal } = of(request);
      if (principal.isAuthenticated) return principal;
      throw new TypeError("this route is open to anyone, and nobody is signed in: ask principal()");
    },
  };
}
