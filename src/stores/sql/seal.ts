import type { SealedRows } from "../../ports/directory-store.ts";
import { auditOf } from "../rows.ts";
import { type Chain, logEnd, sealedRows, seals } from "../sealing.ts";
import type { SqlSteps } from "./steps.ts";

/** Gives the oldest unsealed rows their places, within a transaction. @see DirectoryStore.sealAudit */
export async function sealRows(steps: SqlSteps, limit: number, chain: Chain): Promise<SealedRows | null> {
  // One after the other: who comes second sees what the first one sealed.
  await steps.lockDirectory("audit");
  const rows = await steps.unsealedAudit(limit);
  if (rows.length === 0) return null;
  const { row, checkpoint } = await steps.sealedEnds();
  const given = seals(rows.map(auditOf), logEnd(row, checkpoint), chain);
  await steps.sealAudit(given);
  return sealedRows(given);
}

/** Drops sealed rows, within a transaction. @see DirectoryStore.dropAudit */
export async function dropSealed(steps: SqlSteps, throughSeq: number, limit: number): Promise<number> {
  // Nobody begins to follow, and no checkpoint comes, between the look and the deed.
  await steps.lockDirectory("audit");
  const most = await steps.droppableThrough();
  return most === null ? 0 : steps.dropSealed(Math.min(throughSeq, most), limit);
}
