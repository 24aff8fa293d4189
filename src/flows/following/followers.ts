import type { Services } from "../../ports/services.ts";
import { endOfLog } from "../audit/seal-audit.ts";

/** Somebody for whom the audit log is kept until they were told of it. */
export interface AuditFollower {
  /** What its place in the log is kept under: `listener:billing`, `webhook:crm`. */
  readonly name: string;
  /** Position up to which it was told; 0 where it was told nothing yet. */
  readonly toldSeq: number;
  /** How many rows are sealed that it was not told. */
  readonly untold: number;
}

/** Everybody who has a place in the log, in any process and whether they still follow or not, by name. */
export async function auditFollowers(
  services: Pick<Services, "stores" | "call">,
): Promise<readonly AuditFollower[]> {
  const cursors = await services.stores.directory.cursors(services.call());
  const furthest = Math.max(0, ...cursors.map(({ seq }) => seq));
  const end = (await endOfLog(services, furthest))?.seq ?? furthest;
  const followers = cursors.map(({ name, seq }) => ({ name, toldSeq: seq, untold: end - seq }));
  return followers.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Forgets a place in the log: no row is kept for it. Who follows under this name all the same, begins with what happens from then on. */
export async function forgetFollower(services: Pick<Services, "commit">, name: string): Promise<void> {
  await services.commit([{ kind: "cursor.delete", name }]);
}
