import { setImmediate } from "node:timers/promises";
import type { AuditCheckpoint } from "../../domain/audit.ts";
import { chainHash as chain } from "../../domain/audit-chain.ts";
import { noOrigin } from "../../domain/event.ts";
import type { Services } from "../../ports/services.ts";
import type { CheckpointKeys } from "./checkpoint-keys.ts";

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

/** Signs positions of the log. */
export interface Checkpoints {
  /**
   * Signs the end of the sealed log, where anything happened since the last checkpoint besides checkpoints.
   *
   * @returns null where nothing did, or where another process signed at the same moment
   */
  sign(): Promise<AuditCheckpoint | null>;
}

/** Makes what signs; what it remembers of the last checkpoint spares reading them all each time. */
export function checkpoints(
  services: Pick<Services, "stores" | "call" | "clock" | "events" | "commit">,
  keys: CheckpointKeys,
): Checkpoints {
  const { stores, call, clock, events, commit } = services;
  let last: number | null = null;

  async function lastSeq(): Promise<number> {
    last ??= (await stores.directory.auditCheckpoints(call())).at(-1)?.seq ?? 0;
    return last;
  }

  return {
    async sign() {
      const from = await lastSeq();
      const end = await endOfLog(services, from);
      if (end === null || !end.hasNews) return null;
      const { seq, chainHash } = end;
      const checkpoint = keys.sign({ seq, chainHash, createdAt: clock.now() });
      const payload = { fromSeq: from + 1, toSeq: seq, chainHash };
      const row = events.row({ type: "audit.sealed", userId: null, sessionId: null, payload }, noOrigin);
      const result = await commit([
        { kind: "audit.checkpoint", checkpoint },
        { kind: "audit.insert", row },
      ]);
      // Refused: there is one at or past this place, which is to be read.
      last = result.ok ? seq : null;
      return result.ok ? checkpoint : null;
    },
  };
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

/**
 * Drops what is older than `retentionSeconds`, up to a checkpoint: what remains is verified from there. What a follower has not
 * been told yet is kept.
 *
 * @returns how many rows were dropped
 */
export async function dropOldAudit(
  { stores, call, clock }: Pick<Services, "stores" | "call" | "clock">,
  retentionSeconds: number,
): Promise<number> {
  const before = new Date(clock.now().getTime() - retentionSeconds * 1000);
  // A checkpoint is made after the rows that it covers.
  const old = (await stores.directory.auditCheckpoints(call())).filter(({ createdAt }) => createdAt < before);
  let count = 0;
  for (const { seq } of old) {
    for (;;) {
      const dropped = await stores.directory.dropAudit({ throughSeq: seq, limit: rowsAtOnce }, call());
      count += dropped;
      await setImmediate();
      if (dropped < rowsAtOnce) break;
    }
  }
  return count;
}
