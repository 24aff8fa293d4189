import type { AuditCheckpoint } from "../domain/audit.ts";
import type { OutboxMail } from "../domain/outbox.ts";
import type { Tier } from "../domain/tier.ts";

// As in rows.ts: column lists and the rows they give, side by side.

/** Columns of `tiers`, in the order of {@link TierRow}. */
export const tierColumns = "id, name, limits, version, created_at, updated_at";

/** A row of {@link tierColumns}. */
export type TierRow = readonly [
  id: string,
  name: string,
  limits: string,
  version: number,
  createdAt: number,
  updatedAt: number,
];

/** A tier as values for {@link tierColumns}. */
export function tierRow({ id, name, limits, version, createdAt, updatedAt }: Tier): TierRow {
  return [id, name, limitsText(limits), version, createdAt.getTime(), updatedAt.getTime()];
}

/** Limits as they are stored: these three fields of each, whatever else an object has. */
export function limitsText(limits: Tier["limits"]): string {
  return JSON.stringify(limits.map(({ path, limit, windowSeconds }) => ({ path, limit, windowSeconds })));
}

/** The tier of a row. Every call makes a new one. */
export function tierOf([id, name, limits, version, createdAt, updatedAt]: TierRow): Tier {
  return {
    id,
    name,
    limits: JSON.parse(limits),
    version,
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}

/** Columns of `audit_checkpoints`, in the order of {@link CheckpointRow}. */
export const checkpointColumns = "seq, chain_hash, created_at, signature";

/** A row of {@link checkpointColumns}. */
export type CheckpointRow = readonly [seq: number, chainHash: string, createdAt: number, signature: string];

/** A checkpoint as values for {@link checkpointColumns}. */
export function checkpointRow({ seq, chainHash, createdAt, signature }: AuditCheckpoint): CheckpointRow {
  return [seq, chainHash, createdAt.getTime(), signature];
}

/** The checkpoint of a row. */
export function checkpointOf([seq, chainHash, createdAt, signature]: CheckpointRow): AuditCheckpoint {
  return { seq, chainHash, createdAt: new Date(createdAt), signature };
}

/** Columns of `outbox`, in the order of {@link MailRow}. */
export const mailColumns = "id, purpose, user_id, locale, detail, attempts, next_attempt_at, created_at";

/** A row of {@link mailColumns}. */
export type MailRow = readonly [
  id: string,
  purpose: string,
  userId: string | null,
  locale: string | null,
  detail: string | null,
  attempts: number,
  nextAttemptAt: number,
  createdAt: number,
];

/** A mail as values for {@link mailColumns}. */
export function mailRow(mail: OutboxMail): MailRow {
  const { id, purpose, userId, locale, detail, attempts, nextAttemptAt, createdAt } = mail;
  return [id, purpose, userId, locale, detail, attempts, nextAttemptAt.getTime(), createdAt.getTime()];
}

/** The mail of a row. */
export function mailOf(row: MailRow): OutboxMail {
  const [id, purpose, userId, locale, detail, attempts, nextAttemptAt, createdAt] = row;
  return {
    id,
    purpose: purpose as OutboxMail["purpose"],
    userId,
    locale,
    detail,
    attempts,
    nextAttemptAt: new Date(nextAttemptAt),
    createdAt: new Date(createdAt),
  };
}
