import { setImmediate } from "node:timers/promises";
import type { AuditCheckpoint, AuditRow } from "../../domain/audit.ts";
import type { EventOf } from "../../domain/event.ts";
import type { Services } from "../../ports/services.ts";
import { type AuditFault, fault, isSealedAs, misplaced, personalFault } from "./audit-faults.ts";
import type { CheckpointKeys } from "./checkpoint-keys.ts";
import { dueBefore } from "./due.ts";

/** What a verification came to. */
export interface AuditVerification {
  /** Null where everything is as it was sealed. */
  readonly fault: AuditFault | null;
  /** Rows that were read and found as they were sealed. */
  readonly rows: number;
  /** Position of the first row that is there; those before it were dropped. Null where there is none. */
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  /** Digest of the last row. Noted elsewhere, it says later whether this log went on from there: `anchor`. */
  readonly chainHash: string | null;
  /** The last position that a good signature covers: who writes to the database could have made what follows. Null where none does. */
  readonly signedSeq: number | null;
  /** Positions of checkpoints under keys that are not known here, as of a secret that was dropped. A later good one covers them. */
  readonly unknownKeys: readonly number[];
}

/** How a log is to be verified. */
export interface VerifyOptions {
  /** The end of an earlier verification, which this log has to have. */
  readonly anchor?: { readonly seq: number; readonly chainHash: string } | null;
  /** For how long rows are kept at least: what is missing at the beginning has to be older. Default null: nothing is ever dropped. */
  readonly retentionSeconds?: number | null;
  /** Told after each page: rows so far, and the position of the newest checkpoint (null: there is none). */
  readonly onProgress?: (rows: number, newest: number | null) => void;
}

const pageSize = 500;

/**
 * Reads the sealed log from its beginning and computes every digest again. Holds one page at a time, however long the log is.
 *
 * What it cannot find: rows behind the last checkpoint which somebody with the whole database made anew or took away; and any row,
 * where the checkpoints were taken away as well and the log was signed again since. Whoever noted `lastSeq` and `chainHash` elsewhere
 * gives them as `anchor`.
 *
 * @see Schneier and Kelsey, "Secure Audit Logs to Support Computer Forensics", 1999
 */
export async function verifyAudit(
  { stores, call, clock }: Pick<Services, "stores" | "call" | "clock">,
  keys: CheckpointKeys,
  { anchor = null, retentionSeconds = null, onProgress }: VerifyOptions = {},
): Promise<AuditVerification> {
  const signed = await stores.directory.auditCheckpoints(call());
  const walk = walker({ signed, keys, anchor, due: dueBefore(clock.now(), retentionSeconds) });
  for (;;) {
    const afterSeq = walk.soFar(null).lastSeq ?? 0;
    const page = await stores.directory.sealedAudit({ afterSeq, limit: pageSize }, call());
    const found =
      page.length === 0 ? walk.end(await stores.directory.auditCheckpoints(call())) : walk.page(page);
    if (found !== null || page.length === 0) return walk.soFar(found);
    await setImmediate();
    onProgress?.(walk.soFar(null).rows, signed.at(-1)?.seq ?? null);
  }
}

interface Walk {
  readonly signed: readonly AuditCheckpoint[];
  readonly keys: CheckpointKeys;
  readonly anchor: { readonly seq: number; readonly chainHash: string } | null;
  /** What was sealed before may be gone; null: nothing may. */
  readonly due: Date | null;
}

interface Walker {
  page(rows: readonly AuditRow[]): AuditFault | null;
  /** `signedByNow`: the checkpoints, read once more. */
  end(signedByNow: readonly AuditCheckpoint[]): AuditFault | null;
  soFar(found: AuditFault | null): AuditVerification;
}

function walker({ signed, keys, anchor, due }: Walk): Walker {
  const checkpointAt = new Map(signed.map((checkpoint) => [checkpoint.seq, checkpoint]));
  const newest = signed.at(-1)?.seq ?? 0;
  const unknownKeys: number[] = [];
  const reports: AuditRow[] = [];
  let [firstSeq, signedSeq] = [null as number | null, null as number | null];
  let last = { seq: 0, chainHash: null as string | null };
  let rows = 0;
  /** What it is if no good checkpoint follows. */
  let unsigned: AuditFault | null = null;

  /** What is gone up to `through` lay under this checkpoint. `next`: the first row that is left. */
  function gone(
    over: AuditCheckpoint | undefined,
    through: number,
    next: AuditRow | null,
  ): AuditFault | null {
    const missing = (why: string) =>
      fault("missing", { seq: 1 }, `rows 1 to ${through} are gone, and ${why}`);
    if (over === undefined || due === null || over.createdAt >= due) return missing("had to be kept");
    const verdict = keys.verify(over);
    if (verdict === "good") return null;
    if (verdict === "bad") return falselySigned(over.seq);
    const unknown = missing(
      `the checkpoint at ${over.seq}, by which they were due, is under a key not known here`,
    );
    // A good one further on covers the time of the next row; but not against a place in what is gone that somebody noted.
    if (next === null || next.createdAt >= due || (anchor !== null && anchor.seq <= through)) return unknown;
    unsigned = unknown;
    return null;
  }

  /** The log begins with its first row, or behind what was dropped. */
  function begin(row: AuditRow, seq: number): AuditFault | null {
    firstSeq = seq;
    if (seq === 1) return isSealedAs(row, null) ? null : misplaced(row, [row]);
    // All that is gone lies under this one, and was written before it.
    const over = signed.find((checkpoint) => checkpoint.seq >= seq - 1);
    const found = gone(over, seq - 1, row);
    if (found !== null) return found;
    // Somebody who follows the log can have held rows back: then it begins between two checkpoints, and the next one covers it.
    return over?.seq !== seq - 1 || isSealedAs(row, over.chainHash) ? null : misplaced(row, [row]);
  }

  function place(row: AuditRow, page: readonly AuditRow[]): AuditFault | null {
    const seq = row.seq ?? 0;
    if (firstSeq === null) return begin(row, seq);
    const expected = last.seq + 1;
    if (seq !== expected)
      return fault("missing", { seq: expected }, `no row stands at ${expected}; the next is at ${seq}`);
    return isSealedAs(row, last.chainHash) ? null : misplaced(row, page);
  }

  function signature(seq: number, digest: string): AuditFault | null {
    const checkpoint = checkpointAt.get(seq);
    if (checkpoint === undefined) return null;
    if (checkpoint.chainHash !== digest)
      return fault("checkpoint", { seq }, `the checkpoint at ${seq} is of another log`);
    const verdict = keys.verify(checkpoint);
    if (verdict === "bad") return falselySigned(seq);
    if (verdict === "good") signedSeq = seq;
    else unknownKeys.push(seq);
    return null;
  }

  /** The row that reports a checkpoint was written with it, and checkpoints are never dropped. */
  function report(row: AuditRow): AuditFault | null {
    if (row.type !== "audit.sealed") return null;
    const seq = reportOf(row)?.toSeq ?? 0;
    if (seq <= newest) return unfounded(row, checkpointAt);
    // Signed while the log is read, perhaps.
    reports.push(row);
    return null;
  }

  function noted(seq: number, digest: string): AuditFault | null {
    if (anchor?.seq !== seq || anchor.chainHash === digest) return null;
    return fault("changed", { seq }, `the digest at ${seq} is not the one that was noted`);
  }

  return {
    page(page) {
      for (const row of page) {
        const { seq, chainHash } = { seq: row.seq ?? 0, chainHash: row.chainHash ?? "" };
        const found =
          place(row, page) ??
          personalFault(row) ??
          noted(seq, chainHash) ??
          signature(seq, chainHash) ??
          report(row);
        if (found !== null) return found;
        last = { seq, chainHash };
        rows++;
      }
      return null;
    },
    end(signedByNow) {
      const known = Math.max(newest, anchor?.seq ?? 0);
      // A log that is quiet for longer than rows are kept may be empty.
      if (firstSeq === null && known === newest && newest > 0)
        return gone(signed.at(-1), newest, null) ?? noted(newest, signed.at(-1)?.chainHash ?? "");
      if (known > last.seq) {
        const because = `rows ${last.seq + 1} to ${known} were sealed and are gone`;
        return fault("missing", { seq: last.seq + 1 }, because);
      }
      if (signedSeq === null && unsigned !== null) return unsigned;
      const byNow = new Map(signedByNow.map((checkpoint) => [checkpoint.seq, checkpoint]));
      return reports.map((row) => unfounded(row, byNow)).find((found) => found !== null) ?? null;
    },
    soFar: (found) => ({
      fault: found,
      rows,
      firstSeq,
      lastSeq: last.seq === 0 ? null : last.seq,
      chainHash: last.chainHash,
      signedSeq,
      unknownKeys,
    }),
  };
}

function falselySigned(seq: number): AuditFault {
  return fault("checkpoint", { seq }, `the signature of the checkpoint at ${seq} is false`);
}

/** The fault of a row that reports a checkpoint which is not there. */
function unfounded(row: AuditRow, checkpointAt: ReadonlyMap<number, AuditCheckpoint>): AuditFault | null {
  const { toSeq, chainHash } = reportOf(row) ?? { toSeq: row.seq ?? 0, chainHash: null };
  if (checkpointAt.get(toSeq)?.chainHash === chainHash) return null;
  return fault("checkpoint", { seq: toSeq }, `the row at ${row.seq} reports a checkpoint that is not there`);
}

function reportOf({ payload }: AuditRow): EventOf<"audit.sealed">["payload"] | null {
  try {
    const { fromSeq, toSeq, chainHash } = JSON.parse(payload);
    return Number.isSafeInteger(toSeq) ? { fromSeq, toSeq, chainHash } : null;
  } catch {
    return null;
  }
}
