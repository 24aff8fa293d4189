import type { AuditRow } from "../../domain/audit.ts";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { Session } from "../../domain/session.ts";
import type { Revocation } from "../../ports/directory-store.ts";
import { type ApiKeyTable, apiKeyTable } from "./api-keys.ts";
import { type Journal, journal, table } from "./journal.ts";
import { type LinkedAccountTable, linkedAccountTable } from "./linked-accounts.ts";
import { auditOf, auditText, passwordOf, passwordText } from "./records.ts";
import { type SessionTable, sessionTable } from "./sessions.ts";
import { type UserTable, userTable } from "./users.ts";

/** The passwords of one engine, one for each user at most. */
export interface PasswordTable {
  get(userId: string): PasswordCredential | null;
  put(credential: PasswordCredential): void;
  delete(userId: string): void;
}

/** The audit log of one engine. It is kept whole: what is in it ends with the process. */
export interface AuditTable {
  /** @throws TypeError where the id is taken */
  insert(row: AuditRow): void;
  /** Rows of a user, or everybody's for null, newest first. */
  rows(userId: string | null, limit: number): readonly AuditRow[];
  /** Removes the personal fields from a user's rows. */
  erasePersonal(userId: string): void;
}

/** The ends of sessions that live in another engine. */
export interface RevocationTable {
  has(sessionId: string): boolean;
  put(session: Session, now: Date): void;
  delete(sessionId: string): void;
  /** Those of these sessions of a user that are there. */
  of(userId: string, sessionIds: readonly string[]): readonly Revocation[];
  /** Session ids put before `instant`, oldest first. */
  before(instant: Date): readonly string[];
}

/** Everything that shares one engine's transactions. */
export interface Tables {
  readonly journal: Journal;
  readonly users: UserTable;
  readonly passwords: PasswordTable;
  readonly apiKeys: ApiKeyTable;
  readonly linkedAccounts: LinkedAccountTable;
  readonly sessions: SessionTable;
  readonly revocations: RevocationTable;
  readonly audit: AuditTable;
}

/** Empty tables. */
export function tables(): Tables {
  const log = journal();
  const users = userTable(log);
  return {
    journal: log,
    users,
    passwords: passwordTable(log),
    apiKeys: apiKeyTable(log),
    linkedAccounts: linkedAccountTable(log),
    sessions: sessionTable(log, users.ownId),
    revocations: revocationTable(log),
    audit: auditTable(log),
  };
}

function revocationTable(log: Journal): RevocationTable {
  const rows = table<{ readonly userId: string | null; readonly at: number }>(log);
  return {
    has: (sessionId) => rows.has(sessionId),
    put: ({ id, userId }, now) => rows.set(id, { userId, at: now.getTime() }),
    delete: (sessionId) => rows.delete(sessionId),
    of: (userId, sessionIds) =>
      [...new Set(sessionIds)].flatMap((sessionId) => {
        const row = rows.get(sessionId);
        return row?.userId === userId ? [{ sessionId, revokedAt: new Date(row.at) }] : [];
      }),
    before(instant) {
      const due = [...rows.entries()].filter(([, { at }]) => at < instant.getTime());
      return due.sort(([, a], [, b]) => a.at - b.at).map(([id]) => id);
    },
  };
}

function passwordTable(log: Journal): PasswordTable {
  const texts = table<string>(log);
  return {
    get(userId) {
      const text = texts.get(userId);
      return text === undefined ? null : passwordOf(text);
    },
    put: (credential) => texts.set(credential.userId, passwordText(credential)),
    delete: (userId) => texts.delete(userId),
  };
}

function auditTable(log: Journal): AuditTable {
  const rows = table<{ readonly userId: string | null; readonly at: number; readonly text: string }>(log);
  return {
    insert(row) {
      if (rows.has(row.id)) throw new TypeError("there is an audit row of this id already");
      rows.set(row.id, { userId: row.userId, at: row.createdAt.getTime(), text: auditText(row) });
    },
    rows(userId, limit) {
      const all = [...rows.entries()].map(([, row]) => row);
      const theirs = userId === null ? all : all.filter((row) => row.userId === userId);
      const newest = theirs.reverse().sort((a, b) => b.at - a.at);
      return newest.slice(0, limit).map(({ text }) => auditOf(text));
    },
    erasePersonal(userId) {
      for (const [id, row] of rows.entries()) {
        if (row.userId === userId)
          rows.set(id, { ...row, text: auditText({ ...auditOf(row.text), personal: [] }) });
      }
    },
  };
}
