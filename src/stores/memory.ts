import type { UserStatus } from "../domain/user.ts";
import type { DirectoryStatistics, DirectoryStore } from "../ports/directory-store.ts";
import type { FoundSession, SessionStore } from "../ports/session-store.ts";
import type { Engine } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import { ephemeral } from "./memory/ephemeral.ts";
import { endOf } from "./memory/session-row.ts";
import { isLive } from "./memory/sessions.ts";
import { type Tables, tables } from "./memory/tables.ts";
import { recordUses, runWrites, sweepSessions, touchSessions } from "./memory/writes.ts";

/**
 * All three stores in this process, for tests and trials: the answers of a database, and nothing left when the process ends.
 *
 * Every transaction is one synchronous function with an undo journal, so nothing can come between its steps. A live session
 * takes at most 400 bytes: heap in use after collection, divided by the number of sessions with a user, an address, a shared
 * user agent and an empty data bag, indexes included. Expired sessions stay until `sessions.sweep` reports them; expired
 * ephemeral entries go with the writes that follow, or at `ephemeral.sweep`. A listing of accounts reads all of them.
 */
export function memory(): Stores {
  const engine: Engine = { name: "memory" };
  const state = tables();
  return {
    directory: directory(engine, state),
    sessions: sessions(engine, state),
    ephemeral: ephemeral(engine),
  };
}

function directory(engine: Engine, state: Tables): DirectoryStore {
  const { users, passwords, apiKeys, linkedAccounts, revocations, audit } = state;
  const { checkpoints, cursors, tiers, outbox } = state;
  const changed = <T>(work: () => T): T => state.journal.run(work, () => true);
  return {
    engine,
    async ping() {},
    async close() {},
    user: (userId) => users.get(userId),
    userWithPassword({ kind, key }) {
      const user =
        kind === "id" ? users.get(key) : kind === "email" ? users.byEmailKey(key) : users.byUsername(key);
      return user === null ? null : { user, password: passwords.get(user.id) };
    },
    apiKey(keyId) {
      const key = apiKeys.get(keyId);
      const user = key === null ? null : users.get(key.userId);
      return key === null || user === null ? null : { key, user };
    },
    apiKeys: (userId) => apiKeys.ofUser(userId).toSorted(byCreation).reverse(),
    apiKeyUsage: ({ keyId, from, limit }) => apiKeys.usage(keyId, from).slice(0, limit),
    recordApiKeyUses: async (uses) => recordUses(state, uses),
    linkedAccount(by) {
      const account = linkedAccounts.byName(by);
      const user = account === null ? null : users.get(account.userId);
      return account === null || user === null ? null : { account, user };
    },
    linkedAccounts: (userId) => linkedAccounts.ofUser(userId).toSorted(byCreation),
    sessionOwner(userId, sessionIds) {
      const user = users.get(userId);
      return user === null ? null : { user, revoked: revocations.of(userId, sessionIds) };
    },
    revokedBefore: (instant, limit) => revocations.before(instant).slice(0, limit),
    isEmpty: () => users.size === 0,
    deletedBefore: (instant, limit) => users.deletedBefore(instant).slice(0, limit),
    async users(query) {
      const [{ userPage }, { userReader }] = await Promise.all([
        import("./user-pages.ts"),
        import("./memory/user-reader.ts"),
      ]);
      return userPage(query, userReader(users));
    },
    tiers: () => tiers.all(),
    auditRows: (query) => audit.rows(query),
    sealedAudit: (query) => audit.sealed(query),
    sealAudit: async (sealing) => changed(() => audit.seal(sealing, checkpoints.newest())),
    auditCheckpoints: () => checkpoints.all(),
    async dropAudit({ throughSeq, limit }) {
      const reached = [...cursors.entries()].map(([, seq]) => seq);
      const most = Math.min(throughSeq, checkpoints.newest()?.seq ?? 0, ...reached);
      return changed(() => audit.drop(most, limit));
    },
    cursor: (name) => cursors.get(name) ?? null,
    cursors: () => [...cursors.entries()].map(([name, seq]) => ({ name, seq })),
    claimMail: async (claim, { now }) => changed(() => outbox.claim(claim, now)),
    dropApiKeyUsage: async (instant, limit) => changed(() => apiKeys.dropUsage(instant, limit)),
    statistics: (from) => ({
      users: usersByStatus(state),
      apiKeys: apiKeys.count(),
      events: audit.counts(from),
    }),
    commit: async (writes, { now }) => runWrites(state, writes, now),
    // Nothing is cached: the users of this engine are nowhere else.
    forget() {},
  };
}

function sessions(engine: Engine, state: Tables): SessionStore {
  return {
    engine,
    async ping() {},
    async close() {},
    find: (ids, { now }) => ids.map((id) => find(state, id, now)),
    list(userId, { now }) {
      const user = state.users.get(userId);
      if (user === null) return [];
      const live = state.sessions.ofUser(userId).filter((session) => isLive(session, user, now));
      return live.sort((a, b) => b.lastUsedAt.getTime() - a.lastUsedAt.getTime());
    },
    count: ({ now }) => state.sessions.count(now),
    touch: async (touches, { now }) => touchSessions(state, touches, now),
    sweep: async (limit, ended, { now }) => sweepSessions(state, limit, ended, now),
  };
}

function find({ sessions: rows, users }: Tables, id: string, now: Date): FoundSession | null {
  const row = rows.row(id);
  if (row === null) return null;
  if (endOf(row) <= now.getTime()) return { expired: true, id, userId: row.owner };
  const session = rows.get(id);
  if (session === null) return null;
  const user = row.owner === null ? null : users.get(row.owner);
  return row.owner !== null && user === null ? null : { expired: false, session, user };
}

function usersByStatus({ users }: Tables): DirectoryStatistics["users"] {
  const counts: Record<UserStatus, number> = { active: 0, disabled: 0, deleted: 0, anonymized: 0 };
  for (const { status } of users.all()) counts[status]++;
  return counts;
}

function byCreation(a: { readonly createdAt: Date }, b: { readonly createdAt: Date }): number {
  return a.createdAt.getTime() - b.createdAt.getTime();
}
