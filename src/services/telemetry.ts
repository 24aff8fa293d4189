import { AuthError } from "../errors.ts";
import type { End, Operation, Telemetry } from "../ports/telemetry.ts";

/** The same telemetry, unable to stand in the way: the work is done once whatever it does, and its result or failure is what counts. */
export function unobtrusive(inner: Telemetry): Telemetry {
  return {
    during<T>(operation: Operation, work: (end: End) => T): T {
      const did: { result?: Result<T> } = {};
      const once = (end: End): T => {
        if (did.result !== undefined) return outcomeOf(did.result);
        try {
          const value = work((outcome) => tell(end, outcome));
          did.result = { value };
          return value;
        } catch (thrown) {
          did.result = { thrown };
          throw thrown;
        }
      };
      try {
        inner.during(operation, once);
      } catch {
        // Its own, or the work's: that is told below.
      }
      return did.result === undefined ? work(() => {}) : outcomeOf(did.result);
    },
  };
}

type Result<T> = { readonly value: T } | { readonly thrown: unknown };

function outcomeOf<T>(result: Result<T>): T {
  if ("thrown" in result) throw result.thrown;
  return result.value;
}

function tell(end: End, outcome: string): void {
  try {
    end(outcome);
  } catch {
    // It looks on, and no more.
  }
}

/** Work that ends as `ok` or, where it fails, as the code of that; at once where the work answers at once. */
export function observed<T>(
  telemetry: Telemetry | null,
  operation: Operation,
  work: () => T,
  failure: (thrown: unknown) => string = codeOf,
): T {
  if (telemetry === null) return work();
  return telemetry.during(operation, (end) => {
    const fail = (thrown: unknown): never => {
      end(failure(thrown));
      throw thrown;
    };
    let answer: T;
    try {
      answer = work();
    } catch (thrown) {
      return fail(thrown);
    }
    if (!(answer instanceof Promise)) {
      end("ok");
      return answer;
    }
    return answer.then((value) => {
      end("ok");
      return value;
    }, fail) as T;
  });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof AuthError ? thrown.code : "failed";
}
