import type { AuditRow } from "../../domain/audit.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import type { SqlSteps } from "./steps.ts";

/** One try of a transaction on a server. Where it is tried again it begins with a new one: nothing of the old one counts. */
export interface SqlRun {
  readonly steps: SqlSteps;
  readonly now: Date;
  /** The users whom the transaction has locked, as they are inside it; null where there is none. */
  readonly users: Map<string, User | null>;
  readonly ended: Session[];
  readonly reported: AuditRow[];
  /** Rows that are yet to be written: all at once, since each statement is a round trip. */
  readonly audit: AuditRow[];
}

/** A try about which nothing is known yet. */
export function sqlRun(steps: SqlSteps, now: Date): SqlRun {
  return { steps, now, users: new Map(), ended: [], reported: [], audit: [] };
}

/** Runs one kind of write within a transaction; an answer other than null undoes all of it. */
export type Handler<K extends Write["kind"]> = (
  write: Extract<Write, { kind: K }>,
  run: SqlRun,
) => Refusal | null | Promise<Refusal | null>;

/** A handler for each kind of write: a new kind does not compile without one. */
export type Handlers = { readonly [K in Write["kind"]]: Handler<K> };
