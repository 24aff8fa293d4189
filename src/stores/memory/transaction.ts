import type { AuditRow } from "../../domain/audit.ts";
import type { Session } from "../../domain/session.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import type { Tables } from "./tables.ts";

/** One transaction under way. */
export interface Transaction {
  readonly tables: Tables;
  readonly now: Date;
  readonly ended: Session[];
  readonly reported: AuditRow[];
}

/** A step for each kind of write; an answer other than null undoes the whole transaction. */
export type Steps = {
  readonly [K in Write["kind"]]: (write: Extract<Write, { kind: K }>, on: Transaction) => Refusal | null;
};
