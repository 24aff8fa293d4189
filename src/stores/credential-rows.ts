import type { ApiKey, ApiKeyUsage } from "../domain/api-key.ts";
import type { LinkedAccount } from "../domain/linked-account.ts";

// As in rows.ts: column lists and the rows they give, side by side.

/** Columns of `api_keys`, in the order of {@link ApiKeyRow}. */
export const apiKeyColumns: string =
  "id, user_id, name, secret_digest, permissions, per_minute, per_day, allowed_ips, expires_at, last_used_at, rotated_from, " +
  "version, created_at, updated_at";

/** A row of {@link apiKeyColumns}. */
export type ApiKeyRow = readonly [
  id: string,
  userId: string,
  name: string,
  secretDigest: Uint8Array,
  permissions: string,
  perMinute: number | null,
  perDay: number | null,
  allowedIps: string,
  expiresAt: number | null,
  lastUsedAt: number | null,
  rotatedFrom: string | null,
  version: number,
  createdAt: number,
  updatedAt: number,
];

/** An API key as values for {@link apiKeyColumns}. */
export function apiKeyRow(key: ApiKey): ApiKeyRow {
  return [
    key.id,
    key.userId,
    key.name,
    key.secretDigest,
    JSON.stringify(key.permissions),
    key.limits.perMinute,
    key.limits.perDay,
    JSON.stringify(key.allowedIps),
    key.expiresAt?.getTime() ?? null,
    key.lastUsedAt?.getTime() ?? null,
    key.rotatedFrom,
    key.version,
    key.createdAt.getTime(),
    key.updatedAt.getTime(),
  ];
}

/** The API key of a row. Every call makes a new one. */
export function apiKeyOf(row: ApiKeyRow): ApiKey {
  const [id, userId, name, secretDigest, permissions, perMinute, perDay, allowedIps] = row;
  return {
    kind: "api-key",
    id,
    userId,
    name,
    secretDigest,
    permissions: JSON.parse(permissions),
    limits: { perMinute, perDay },
    allowedIps: JSON.parse(allowedIps),
    expiresAt: dateOf(row[8]),
    lastUsedAt: dateOf(row[9]),
    rotatedFrom: row[10],
    version: row[11],
    createdAt: new Date(row[12]),
    updatedAt: new Date(row[13]),
  };
}

/** Columns of `api_key_usage`, in the order of {@link ApiKeyUsageRow}. */
export const apiKeyUsageColumns = "key_id, hour, status_class, path, count";

/** A row of {@link apiKeyUsageColumns}. */
export type ApiKeyUsageRow = readonly [
  keyId: string,
  hour: number,
  statusClass: number,
  path: string,
  count: number,
];

/** Uses of a key as values for {@link apiKeyUsageColumns}. */
export function apiKeyUsageRow({ keyId, hour, statusClass, path, count }: ApiKeyUsage): ApiKeyUsageRow {
  return [keyId, hour.getTime(), statusClass, path, count];
}

/** The uses of a row. */
export function apiKeyUsageOf([keyId, hour, statusClass, path, count]: ApiKeyUsageRow): ApiKeyUsage {
  return {
    keyId,
    hour: new Date(hour),
    statusClass: statusClass as ApiKeyUsage["statusClass"],
    path,
    count,
  };
}

/** Columns of `linked_accounts`, in the order of {@link LinkedAccountRow}. */
export const linkedAccountColumns: string =
  "id, user_id, provider, issuer, subject, email, sealed_tokens, last_used_at, version, created_at, updated_at";

/** A row of {@link linkedAccountColumns}. */
export type LinkedAccountRow = readonly [
  id: string,
  userId: string,
  provider: string,
  issuer: string,
  subject: string,
  email: string | null,
  sealedTokens: string | null,
  lastUsedAt: number | null,
  version: number,
  createdAt: number,
  updatedAt: number,
];

/** A linked account as values for {@link linkedAccountColumns}. */
export function linkedAccountRow(account: LinkedAccount): LinkedAccountRow {
  const { id, userId, provider, issuer, subject, email, sealedTokens, lastUsedAt, version } = account;
  const names = [id, userId, provider, issuer, subject] as const;
  const times = [account.createdAt.getTime(), account.updatedAt.getTime()] as const;
  return [...names, email, sealedTokens, lastUsedAt?.getTime() ?? null, version, ...times];
}

/** The linked account of a row. */
export function linkedAccountOf(row: LinkedAccountRow): LinkedAccount {
  const [id, userId, provider, issuer, subject, email, sealedTokens, lastUsedAt, version] = row;
  return {
    kind: "linked-account",
    id,
    userId,
    provider,
    issuer,
    subject,
    email,
    sealedTokens,
    lastUsedAt: dateOf(lastUsedAt),
    version,
    createdAt: new Date(row[9]),
    updatedAt: new Date(row[10]),
  };
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
