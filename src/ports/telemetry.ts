/** Something that takes time, worth a measurement or a span. Names are of a bounded set: no id, no address, nothing personal. */
export type Operation =
  /** From a request to a verdict. Ends as the strategy that accepted the proof, `anonymous`, or the code of the refusal. */
  | { readonly kind: "check"; readonly name: "check" }
  /** One of Latchkey's own routes, as the table has it: `POST /auth/login`. Ends as the status. */
  | { readonly kind: "route"; readonly name: string }
  /** A call to a store: `directory.user`. Ends as `ok` or `failed`. */
  | { readonly kind: "store"; readonly name: string }
  /** Work on a password, the wait for a thread included: `verify`. Ends as `ok` or the code of the failure. */
  | { readonly kind: "hash"; readonly name: string }
  /** A call to somebody else's server: its host. Ends as `ok` or why it was refused. */
  | { readonly kind: "call"; readonly name: string };

/** Is told how an operation ended. */
export type End = (outcome: string) => void;

/**
 * What measures operations: counters and histograms, or spans of OpenTelemetry. It may do no more than look on: what it throws is
 * dropped, and the work is done with or without it.
 */
export interface Telemetry {
  /** Runs `work`, once, and returns what that returns; where that is a promise, the operation lasts until it is settled. */
  during<T>(operation: Operation, work: (end: End) => T): T;
}
