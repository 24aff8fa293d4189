import type { End, Operation, Telemetry } from "latchkey";

/** Several that look on: each within the one before it. */
export function together(first: Telemetry, ...others: readonly Telemetry[]): Telemetry {
  return others.reduce(inside, first);
}

function inside(outer: Telemetry, inner: Telemetry): Telemetry {
  return {
    during<T>(operation: Operation, work: (end: End) => T): T {
      return outer.during(operation, (endOuter) =>
        inner.during(operation, (endInner) =>
          work((outcome) => {
            endInner(outcome);
            endOuter(outcome);
          }),
        ),
      );
    },
  };
}
