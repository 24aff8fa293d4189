import type { ApiKey } from "../../domain/api-key.ts";
import type { AuditRow } from "../../domain/audit.ts";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import type { User } from "../../domain/user.ts";
import { revokedTokensOf, revokedTokensText } from "../revoked-tokens.ts";

// Records are kept as text, like in a database: what a caller holds is never part of the store, fields that are no
// columns do not slip in, and application data comes back as JSON gives it back.

/** A user as text. */
export function userText(user: User): string {
  const { id, username, email, emailKey, emailVerified, name, status, roles, permissions, tier } = user;
  const { isSuperuser, mustChangePassword, locale, generation, slotTag, data } = user;
  const { version, createdAt, updatedAt, deletedAt } = user;
  const who = { id, username, email, emailKey, emailVerified, name, status };
  const rights = { roles, permissions, tier, isSuperuser, mustChangePassword, locale, generation, slotTag };
  const revokedTokens = revokedTokensText(user.revokedTokens);
  return JSON.stringify({ ...who, ...rights, data, revokedTokens, version, createdAt, updatedAt, deletedAt });
}

/** Reads {@link userText}. */
export function userOf(text: string): User {
  const { createdAt, updatedAt, deletedAt, revokedTokens, ...rest } = JSON.parse(text);
  return {
    ...rest,
    ...dates({ createdAt, updatedAt }),
    revokedTokens: revokedTokensOf(revokedTokens),
    deletedAt: dateOrNull(deletedAt),
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

/** An API key as text. */
export function apiKeyText(key: ApiKey): string {
  const { kind, id, userId, name, permissions, allowedIps, expiresAt, lastUsedAt, rotatedFrom } = key;
  const { version, createdAt, updatedAt } = key;
  const secretDigest = Buffer.from(key.secretDigest).toString("base64");
  const { perMinute, perDay } = key.limits;
  const may = { permissions, limits: { perMinute, perDay }, allowedIps, expiresAt };
  const row = { kind, id, userId, name, secretDigest, ...may, lastUsedAt, rotatedFrom };
  return JSON.stringify({ ...row, version, createdAt, updatedAt });
}

/** Reads {@link apiKeyText}. */
export function apiKeyOf(text: string): ApiKey {
  const { secretDigest, expiresAt, lastUsedAt, createdAt, updatedAt, ...rest } = JSON.parse(text);
  return {
    ...rest,
    secretDigest: new Uint8Array(Buffer.from(secretDigest, "base64")),
    expiresAt: dateOrNull(expiresAt),
    lastUsedAt: dateOrNull(lastUsedAt),
    ...dates({ createdAt, updatedAt }),
  };
}

/** A linked account as text. */
export function linkedAccountText(account: LinkedAccount): string {
  const { kind, id, userId, provider, issuer, subject, email, sealedTokens, lastUsedAt } = account;
  const { version, createdAt, updatedAt } = account;
  const who = { kind, id, userId, provider, issuer, subject };
  return JSON.stringify({ ...who, email, sealedTokens, lastUsedAt, version, createdAt, updatedAt });
}

/** Reads {@link linkedAccountText}. */
export function linkedAccountOf(text: string): LinkedAccount {
  const { lastUsedAt, createdAt, updatedAt, ...rest } = JSON.parse(text);
  return { ...rest, lastUsedAt: dateOrNull(lastUsedAt), ...dates({ createdAt, updatedAt }) };
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

function dateOrNull(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
