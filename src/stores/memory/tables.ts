import type { PasswordCredential } from "../../domain/credential.ts";
import type { Session } from "../../domain/session.ts";
import type { Revocation } from "../../ports/directory-store.ts";
import { type ApiKeyTable, apiKeyTable } from "./api-keys.ts";
import { type AuditTable, auditTable } from "./audit.ts";
import { type Journal, journal, type Table, table } from "./journal.ts";
import { type LinkedAccountTable, linkedAccountTable } from "./linked-accounts.ts";
import {
  type CheckpointTable,
  checkpointTable,
  type OutboxTable,
  outboxTable,
  type TierTable,
  tierTable,
} from "./people.ts";
import { passwordOf, passwordText } from "./records.ts";
import { type SessionTable, sessionTable } from "./sessions.ts";
import { type UserTable, userTable } from "./users.ts";

/** The passwords of one engine, one for each user at most. */
export interface PasswordTable {
  get(userId: string): PasswordCredential | null;
  put(credential: PasswordCredential): void;
  delete(userId: string): void;
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
  readonly checkpoints: CheckpointTable;
  /** How far each follower of the audit log has come, by name. */
  readonly cursors: Table<number>;
  readonly tiers: TierTable;
  readonly outbox: OutboxTable;
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
    checkpoints: checkpointTable(log),
    cursors: table(log),
    tiers: tierTable(log),
    outbox: outboxTable(log),
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
