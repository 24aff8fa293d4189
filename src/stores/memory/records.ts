import type { AuditRow } from "../../domain/audit.ts";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { User } from "../../domain/user.ts";

// Records are kept as text, like in a database: what a caller holds is never part of the store, fields that are no
// columns do not slip in, and application data comes back as JSON gives it back.

/** A user as text. */
export function userText(user: User): string {
  const { id, username, email, emailKey, emailVerified, name, status, roles, permissions, tier } = user;
  const { isSuperuser, locale, generation, slotTag, data, version, createdAt, updatedAt, deletedAt } = user;
  const who = { id, username, email, emailKey, emailVerified, name, status };
  const rights = { roles, permissions, tier, isSuperuser, locale, generation, slotTag };
  return JSON.stringify({ ...who, ...rights, data, version, createdAt, updatedAt, deletedAt });
}

/** Reads {@link userText}. */
export function userOf(text: string): User {
  const { createdAt, updatedAt, deletedAt, ...rest } = JSON.parse(text);
  return {
    ...rest,
    ...dates({ createdAt, updatedAt }),
    deletedAt: deletedAt === null ? null : new Date(deletedAt),
  };
}

/** A password credential as text. */
export function passwordText(credential: PasswordCredential): string {
  const { kind, id, userId, encoded, normalization, version, createdAt, updatedAt } = credential;
  return JSON.stringify({ kind, id, userId, encoded, normalization, version, createdAt, updatedAt });
}

/** Reads {@link passwordText}. */
export function passwordOf(text: string): PasswordCredential {
  const { createdAt, updatedAt, ...rest } = JSON.parse(text);
  return { ...rest, ...dates({ createdAt, updatedAt }) };
}

/** An audit row as text. */
export function auditText(row: AuditRow): string {
  const { id, type, createdAt, userId, sessionId, requestId, payload, digests, personal, seq, chainHash } =
    row;
  const fields = personal.map(({ field, value, salt }) => ({ field, value, salt }));
  const about = { id, type, createdAt, userId, sessionId, requestId };
  return JSON.stringify({ ...about, payload, digests, personal: fields, seq, chainHash });
}

/** Reads {@link auditText}. */
export function auditOf(text: string): AuditRow {
  const { createdAt, ...rest } = JSON.parse(text);
  return { ...rest, createdAt: new Date(createdAt) };
}

function dates(texts: { createdAt: string; updatedAt: string }): { createdAt: Date; updatedAt: Date } {
  return { createdAt: new Date(texts.createdAt), updatedAt: new Date(texts.updatedAt) };
}
