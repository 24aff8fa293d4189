import type { AuditQuery, UserQuery } from "../ports/directory-store.ts";

/** A query for audit rows: everybody's, at most 100, but for what is overridden. */
export function auditQuery(overrides: Partial<AuditQuery> = {}): AuditQuery {
  return { userId: null, types: null, from: null, to: null, before: null, limit: 100, ...overrides };
}

/** A query for accounts: the first 100 of all, but for what is overridden. */
export function userQuery(overrides: Partial<UserQuery> = {}): UserQuery {
  const any = { search: null, status: null, role: null, tier: null, isSuperuser: null };
  return { ...any, after: null, limit: 100, ...overrides };
}
