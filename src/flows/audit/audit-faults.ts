import { type AuditRow, personalDigest } from "../../domain/audit.ts";
import { chainHash } from "../../domain/audit-chain.ts";

/** What is wrong with the log, at the first place where something is. */
export interface AuditFault {
  readonly kind: AuditFaultKind;
  /** Position of the first row that is concerned. */
  readonly seq: number;
  /** Id of the row that stands there; null where none does. */
  readonly id: string | null;
  /** A sentence for the operator. */
  readonly because: string;
}

/** Kinds of {@link AuditFault}. */
export type AuditFaultKind =
  /** The row is not what was sealed at this position. */
  | "changed"
  /** No row has this position. */
  | "missing"
  /** A row that was sealed at another position stands here. */
  | "reordered"
  /** A checkpoint has a false signature, or is of another log. */
  | "checkpoint";

/** How far a row is looked for from where it stands: each try is a digest. */
const reach = 50;

/** Makes a fault. */
export function fault(
  kind: AuditFaultKind,
  at: { readonly seq: number; readonly id?: string },
  because: string,
): AuditFault {
  return { kind, seq: at.seq, id: at.id ?? null, because };
}

/** The fault of a row whose digest is not that of its place: whether it was sealed nearby, or is none that was sealed. */
export function misplaced(row: AuditRow, page: readonly AuditRow[]): AuditFault {
  const index = page.indexOf(row);
  const near = page.slice(Math.max(0, index - reach), index + reach);
  const seq = row.seq ?? 0;
  const sealedAt = near.find(
    ({ seq: other }) =>
      other !== seq && near.some(({ chainHash: before }) => isSealedAs({ ...row, seq: other }, before)),
  );
  const at = { seq, id: row.id };
  return sealedAt === undefined
    ? fault("changed", at, `the row at ${seq} is not what was sealed there`)
    : fault("reordered", at, `the row at ${seq} was sealed at ${sealedAt.seq}`);
}

/** Whether a row has the digest that it was sealed with, after this predecessor. */
export function isSealedAs(row: AuditRow, previous: string | null): boolean {
  return row.chainHash === chainHash(row, previous);
}

/** The fault of a row with a personal field that is not what its digest says, or that has none. Those that were erased are fine. */
export function personalFault({ seq, id, personal, digests }: AuditRow): AuditFault | null {
  const sealed = textsOf(digests);
  const changed = personal.find((entry) => sealed.get(entry.field) !== personalDigest(entry));
  if (changed === undefined) return null;
  return fault("changed", { seq: seq ?? 0, id }, `the ${changed.field} of the row at ${seq} was changed`);
}

function textsOf(digests: string): ReadonlyMap<string, unknown> {
  try {
    return new Map(Object.entries(JSON.parse(digests) as object));
  } catch {
    return new Map();
  }
}
