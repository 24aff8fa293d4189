import { strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { AuditCheckpoint, AuditRow } from "../../domain/audit.ts";
import type { SealedRows } from "../../ports/directory-store.ts";
import type { Stores } from "../../ports/stores.ts";
import { committed, write } from "./steps.ts";
import type { Trial } from "./trial.ts";

/** A digest over a row and the one before it. Any would do: what stores promise does not hang on how it is made. */
export function link({ id, seq, payload, digests }: AuditRow, previous: string | null): string {
  return createHash("sha256")
    .update(JSON.stringify([previous, id, seq, payload, digests]))
    .digest("base64url");
}

/** Writes as many audit rows, one transaction each. */
export async function log(trial: Trial, count: number): Promise<readonly AuditRow[]> {
  const rows = Array.from({ length: count }, () => trial.make.auditRow());
  for (const row of rows) await committed(trial, [write.audit(row)]);
  return rows;
}

/** Seals at most `limit` rows. */
export function seal(
  { stores, call }: Trial,
  limit = 1_000,
  on: Stores = stores,
): Promise<SealedRows | null> {
  return on.directory.sealAudit({ limit, chain: link }, call());
}

/** The sealed log from its beginning, or from a position on. */
export async function sealed(
  { stores, call }: Trial,
  afterSeq = 0,
  on: Stores = stores,
): Promise<readonly AuditRow[]> {
  return on.directory.sealedAudit({ afterSeq, limit: 10_000 }, call());
}

/** Asserts that rows follow each other without a gap, each with the digest that follows from the one before. */
export function assertChained(
  rows: readonly AuditRow[],
  before: { seq: number; chainHash: string | null },
): void {
  let { seq, chainHash } = before;
  for (const row of rows) {
    strictEqual(row.seq, seq + 1, "positions have no gap");
    strictEqual(
      row.chainHash,
      link({ ...row, chainHash: null }, chainHash),
      "each row is chained to the one before",
    );
    seq = row.seq;
    chainHash = row.chainHash;
  }
}

/** Where a log begins. */
export const beginning = { seq: 0, chainHash: null } as const;

/** A checkpoint at a sealed row. */
export async function checkpointAt(trial: Trial, seq: number): Promise<AuditCheckpoint> {
  const [row] = await sealed(trial, seq - 1);
  return {
    seq,
    chainHash: row?.chainHash ?? "none",
    createdAt: trial.clock.now(),
    signature: `signed ${seq}`,
  };
}

/** What rows are called, in their order. */
export function ids(rows: readonly AuditRow[]): readonly string[] {
  return rows.map(({ id }) => id);
}

/** Drops rows up to a position; how many went. */
export function drop({ stores, call }: Trial, throughSeq: number, limit = 1_000): Promise<number> {
  return stores.directory.dropAudit({ throughSeq, limit }, call());
}

/** Where a follower stands; null for one that there is not. */
export function cursor({ stores, call }: Trial, name: string): number | null | Promise<number | null> {
  return stores.directory.cursor(name, call());
}
