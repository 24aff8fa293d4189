import { setImmediate } from "node:timers/promises";
import type { AuditCheckpoint } from "../../domain/audit.ts";
import { chainHash as chain } from "../../domain/audit-chain.ts";
import type { Services } from "../../ports/services.ts";

/** Rows of one transaction: at a few microseconds each, the database is never held for long. */
const rowsAtOnce = 200;

/** Rows after a checkpoint that may all be about checkpoints: its own, and those of processes that signed at the same moment. */
const rowsAboutCheckpoints = 16;

/** What sealing works with. */
export type SealServices = Pick<Services, "stores" | "call">;

/**
 * Gives every audit row that has none yet its position and its digest. Any number of processes may do so at once: each row is
 * sealed by one, in the order in which they were written.
 *
 * @param isStopping - ends it after the rows under way
 * @returns how many rows this call sealed
 */
export async function sealAudit(
  { stores, call }: SealServices,
  isStopping: () => boolean = () => false,
): Promise<number> {
  let count = 0;
  for (;;) {
    const sealed = await stores.directory.sealAudit({ limit: rowsAtOnce, chain }, call());
    if (sealed === null) return count;
    // An embedded database answers at once: whoever else has something to do comes in between.
    await setImmediate();
    if (isStopping()) return count + sealed.toSeq - sealed.fromSeq + 1;
    count += sealed.toSeq - sealed.fromSeq + 1;
  }
}

/** A place in the sealed log. */
export interface LogEnd extends Pick<AuditCheckpoint, "seq" | "chainHash"> {
  /** Whether anything happened since besides checkpoints. */
  readonly hasNews: boolean;
}

/** The last sealed row after `afterSeq`; null where there is none. Reads a few rows, however many there are. */
export async function endOfLog({ stores, call }: SealServices, afterSeq: number): Promise<LogEnd | null> {
  const first = async (after: number, limit = 1) =>
    stores.directory.sealedAudit({ afterSeq: after, limit }, call());
  const beginning = await first(afterSeq, rowsAboutCheckpoints);
  if (beginning.length === 0) return null;
  let [from, step] = [afterSeq, rowsAboutCheckpoints];
  let last = beginning.at(-1);
  // Positions have no gap: further and further until there is nothing, then in halves.
  for (; step >= 1; ) {
    const [row] = await first(from + step);
    if (row !== undefined) [from, last, step] = [from + step, row, step * 2];
    else if (step === 1) break;
    else step = Math.floor(step / 2);
  }
  const hasNews =
    beginning.length === rowsAboutCheckpoints || beginning.some(({ type }) => type !== "audit.sealed");
  return { seq: last?.seq ?? afterSeq, chainHash: last?.chainHash ?? "", hasNews };
}
