import type { AuditRow } from "../domain/audit.ts";
import type { DirectoryStore, SealedRows } from "../ports/directory-store.ts";

/** Where the sealed log ends. */
export interface LogEnd {
  /** Of its last row, or of its newest checkpoint where the rows up to there were dropped; 0 where nothing was ever sealed. */
  readonly seq: number;
  readonly chainHash: string | null;
}

/** What makes the digest of a row from the one before it. */
export type Chain = Parameters<DirectoryStore["sealAudit"]>[0]["chain"];

/** A row that gets its position. */
export interface Seal {
  readonly id: string;
  readonly seq: number;
  readonly chainHash: string;
}

/** Positions and digests of rows that are not sealed yet, in the order in which they were written. */
export function seals(rows: readonly AuditRow[], end: LogEnd, chain: Chain): readonly Seal[] {
  let { seq, chainHash: previous } = end;
  return rows.map((row) => {
    seq += 1;
    const chainHash = chain({ ...row, seq }, previous);
    previous = chainHash;
    return { id: row.id, seq, chainHash };
  });
}

/** The answer of `DirectoryStore.sealAudit`. */
export function sealedRows(given: readonly Seal[]): SealedRows | null {
  const [first, last] = [given[0], given.at(-1)];
  if (first === undefined || last === undefined) return null;
  return { fromSeq: first.seq, toSeq: last.seq, chainHash: last.chainHash };
}

/** The later of two ends of one log: its last row, and its newest checkpoint. */
export function logEnd(row: LogEnd | null, checkpoint: LogEnd | null): LogEnd {
  const found = [row, checkpoint].filter((end) => end !== null);
  return found.sort((a, b) => b.seq - a.seq)[0] ?? { seq: 0, chainHash: null };
}
