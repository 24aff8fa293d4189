import { setImmediate } from "node:timers/promises";
import type { AuditCheckpoint } from "../../domain/audit.ts";
import type { Services } from "../../ports/services.ts";
import type { CheckpointKeys } from "./checkpoint-keys.ts";

/** Rows of one transaction: the database is never held for long. */
const rowsAtOnce = 200;

/**
 * Drops what is older than `retentionSeconds`, up to a checkpoint: what remains is verified from there. What a follower has not
 * been told yet is kept.
 *
 * @returns how many rows were dropped
 */
export async function dropOldAudit(
  services: Pick<Services, "stores" | "call" | "clock">,
  keys: CheckpointKeys,
  retentionSeconds: number,
): Promise<number> {
  const { stores, call, clock } = services;
  const before = new Date(clock.now().getTime() - retentionSeconds * 1000);
  const throughSeq = await dueThrough(services, keys, before);
  for (let count = 0; ; ) {
    const dropped = await stores.directory.dropAudit({ throughSeq, limit: rowsAtOnce }, call());
    count += dropped;
    if (dropped < rowsAtOnce) return count;
    await setImmediate();
  }
}

/** Up to where every row was written before an instant; 0 where nothing says so. */
async function dueThrough(
  { stores, call }: Pick<Services, "stores" | "call">,
  keys: CheckpointKeys,
  before: Date,
): Promise<number> {
  async function isDue(checkpoint: AuditCheckpoint): Promise<boolean> {
    const verdict = keys.verify(checkpoint);
    if (verdict !== "unknown_key") return verdict === "good";
    // Of a secret that was dropped: what was written next says how old it is.
    const [next] = await stores.directory.sealedAudit({ afterSeq: checkpoint.seq, limit: 1 }, call());
    return next !== undefined && next.createdAt < before;
  }

  // A checkpoint is made after the rows that it covers, so the newest that is old enough is enough.
  for (const checkpoint of (await stores.directory.auditCheckpoints(call())).toReversed())
    if (checkpoint.createdAt < before && (await isDue(checkpoint))) return checkpoint.seq;
  return 0;
}
