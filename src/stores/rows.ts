import type { AuditRow, PersonalField } from "../domain/audit.ts";
import type { PasswordCredential } from "../domain/credential.ts";
import type { Session } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import { type FamilyRow, familyOfRow, familyRow } from "./refresh.ts";
import { revokedTokensOf, revokedTokensText } from "./revoked-tokens.ts";

// Column lists and the rows they give, side by side: statements are composed of these constants and nothing else.

/** A column list where several tables are read: `u.id, u.username, …`. */
export function qualified(table: string, columns: string): string {
  return columns.replaceAll(/\w+/g, (column) => `${table}.${column}`);
}

/** A placeholder for each column of a list. */
export function placeholders(columns: string): string {
  return columns.replaceAll(/\w+/g, "?");
}

/** Columns of `users`, in the order of {@link UserRow}. */
export const userColumns: string =
  "id, username, email, email_key, email_verified, name, status, roles, permissions, tier, is_superuser, locale, generation, " +
  "slot_tag, data, version, created_at, updated_at, deleted_at, revoked_tokens, must_change_password";

/** A row of {@link userColumns}. */
export type UserRow = readonly [
  id: string,
  username: string,
  email: string,
  emailKey: string,
  emailVerified: number,
  name: string | null,
  status: string,
  roles: string,
  permissions: string,
  tier: string | null,
  isSuperuser: number,
  locale: string | null,
  generation: number,
  slotTag: string,
  data: string,
  version: number,
  createdAt: number,
  updatedAt: number,
  deletedAt: number | null,
  revokedTokens: string,
  mustChangePassword: number,
];

/** A user as values for {@link userColumns}. */
export function userRow(user: User): UserRow {
  return [
    user.id,
    user.username,
    user.email,
    user.emailKey,
    Number(user.emailVerified),
    user.name,
    user.status,
    JSON.stringify(user.roles),
    JSON.stringify(user.permissions),
    user.tier,
    Number(user.isSuperuser),
    user.locale,
    user.generation,
    user.slotTag,
    JSON.stringify(user.data),
    user.version,
    user.createdAt.getTime(),
    user.updatedAt.getTime(),
    user.deletedAt?.getTime() ?? null,
    revokedTokensText(user.revokedTokens),
    Number(user.mustChangePassword),
  ];
}

/** The user of a row. Every call makes a new one: what a caller holds is never what the next caller gets. */
export function userOf(row: UserRow): User {
  const [id, username, email, emailKey, emailVerified, name, status, roles, permissions, tier, isSuperuser] =
    row;
  return {
    id,
    username,
    email,
    emailKey,
    emailVerified: emailVerified === 1,
    name,
    status: status as User["status"],
    roles: parsedList(roles),
    permissions: parsedList(permissions),
    tier,
    isSuperuser: isSuperuser === 1,
    mustChangePassword: row[20] === 1,
    locale: row[11],
    generation: row[12],
    slotTag: row[13],
    data: parsedBag(row[14]) as User["data"],
    version: row[15],
    createdAt: new Date(row[16]),
    updatedAt: new Date(row[17]),
    deletedAt: row[18] === null ? null : new Date(row[18]),
    revokedTokens: revokedTokensOf(row[19]),
  };
}

/** Columns of `passwords`, in the order of {@link PasswordRow}. */
export const passwordColumns = "id, user_id, encoded, normalization, version, created_at, updated_at";

/** A row of {@link passwordColumns}. */
export type PasswordRow = readonly [
  id: string,
  userId: string,
  encoded: string,
  normalization: string,
  version: number,
  createdAt: number,
  updatedAt: number,
];

/** A password credential as values for {@link passwordColumns}. */
export function passwordRow(credential: PasswordCredential): PasswordRow {
  const { id, userId, encoded, normalization, version, createdAt, updatedAt } = credential;
  return [id, userId, encoded, normalization, version, createdAt.getTime(), updatedAt.getTime()];
}

/** The password credential of a row. */
export function passwordOf(row: PasswordRow): PasswordCredential {
  const [id, userId, encoded, normalization, version, createdAt, updatedAt] = row;
  return {
    kind: "password",
    id,
    userId,
    encoded,
    normalization: normalization as PasswordCredential["normalization"],
    version,
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}

/** Columns of `sessions`, in the order of {@link SessionRow}. */
export const sessionColumns: string =
  "id, secret_digest, user_id, generation, auth_time, amr, is_remembered, created_at, last_used_at, idle_expires_at, " +
  "expires_at, ip, user_agent, rotated_from, data, data_version, refresh_digest, refresh_number, refreshed_at";

/** A row of {@link sessionColumns}. */
export type SessionRow = readonly [
  id: string,
  secretDigest: Uint8Array,
  userId: string | null,
  generation: number,
  authTime: number | null,
  amr: string,
  isRemembered: number,
  createdAt: number,
  lastUsedAt: number,
  idleExpiresAt: number,
  expiresAt: number,
  ip: string | null,
  userAgent: string | null,
  rotatedFrom: string | null,
  data: string,
  dataVersion: number,
  refreshDigest: Uint8Array | null,
  refreshNumber: number | null,
  refreshedAt: number | null,
];

const noFamily = [null, null, null] as const;

/** A session as values for {@link sessionColumns}. @throws TypeError as `familyRow` */
export function sessionRow(session: Session): SessionRow {
  return [
    session.id,
    session.secretDigest,
    session.userId,
    session.generation,
    session.authTime?.getTime() ?? null,
    JSON.stringify(session.amr),
    Number(session.isRemembered),
    session.createdAt.getTime(),
    session.lastUsedAt.getTime(),
    session.idleExpiresAt.getTime(),
    session.expiresAt.getTime(),
    session.ip,
    session.userAgent,
    session.rotatedFrom,
    JSON.stringify(session.data),
    session.dataVersion,
    ...(session.refresh === null ? noFamily : familyRow(session.refresh)),
  ];
}

/** The refresh tokens in a row; null where it has none. */
export function familyIn(row: SessionRow): FamilyRow | null {
  const digest = row[16];
  // On the way of every check, and most sessions have none.
  if (digest === null) return null;
  return [digest, Number(row[17]), Number(row[18])];
}

/** The session of a row. */
export function sessionOf(row: SessionRow): Session {
  const [id, secretDigest, userId, generation, authTime, amr, isRemembered, createdAt, lastUsedAt] = row;
  const family = familyIn(row);
  return {
    id,
    secretDigest,
    userId,
    generation,
    authTime: authTime === null ? null : new Date(authTime),
    amr: parsedMethods(amr),
    isRemembered: isRemembered === 1,
    createdAt: new Date(createdAt),
    lastUsedAt: new Date(lastUsedAt),
    idleExpiresAt: new Date(row[9]),
    expiresAt: new Date(row[10]),
    ip: row[11],
    userAgent: row[12],
    rotatedFrom: row[13],
    data: parsedBag(row[14]),
    dataVersion: row[15],
    refresh: family === null ? null : familyOfRow(family),
  };
}

/** Columns of `audit_events` that {@link AuditEventRow} begins with. */
export const auditColumns =
  "id, type, created_at, user_id, session_id, request_id, payload, digests, seq, chain_hash";

/** An event, then value and salt of each personal field. */
export type AuditEventRow = readonly [
  id: string,
  type: string,
  createdAt: number,
  userId: string | null,
  sessionId: string | null,
  requestId: string | null,
  payload: string,
  digests: string,
  seq: number | null,
  chainHash: string | null,
  ip: string | null,
  ipSalt: string | null,
  userAgent: string | null,
  userAgentSalt: string | null,
];

/** The audit row of a row; a personal field that was deleted is not in it. */
export function auditOf(row: AuditEventRow): AuditRow {
  const [id, type, createdAt, userId, sessionId, requestId, payload, digests, seq, chainHash] = row;
  return {
    id,
    type: type as AuditRow["type"],
    createdAt: new Date(createdAt),
    userId,
    sessionId,
    requestId,
    payload,
    digests,
    personal: [...personal("ip", row[10], row[11]), ...personal("user_agent", row[12], row[13])],
    seq,
    chainHash,
  };
}

function personal(field: PersonalField["field"], value: string | null, salt: string | null): PersonalField[] {
  return value === null || salt === null ? [] : [{ field, value, salt }];
}

// This is on the way of every check. Most lists and bags are empty, and most people sign in by password.
function parsedList<T>(json: string): T[] {
  return json === "[]" ? [] : JSON.parse(json);
}

function parsedMethods(json: string): Session["amr"] {
  return json === '["pwd"]' ? ["pwd"] : parsedList(json);
}

function parsedBag(json: string): Readonly<Record<string, unknown>> {
  return json === "{}" ? {} : JSON.parse(json);
}
