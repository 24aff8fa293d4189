import type { DirectoryStore } from "../ports/directory-store.ts";
import type { FoundSession, SessionStore } from "../ports/session-store.ts";
import type { Engine, StoreCall } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import { committer } from "./repositories/commit.ts";
import type { RepositoryPair, SessionRepository, UserRepository } from "./repositories/pair.ts";
import { joinedPage } from "./repositories/user-page.ts";
import { type JoinedUsers, joined, joinedUsers } from "./repositories/users.ts";

export type {
  NewRepositorySession,
  NewRepositoryUser,
  RepositoryPair,
  RepositoryUser,
  SessionRepository,
  UserRepository,
} from "./repositories/pair.ts";

/** What {@link repositories} takes. */
export interface RepositoriesOptions {
  readonly users: UserRepository;
  readonly sessions: SessionRepository;
  /**
   * Stores of Latchkey's own, `sqlite({ path })` for instance, for what the pair has no place for: digests of secrets, idle
   * limits, data bags, generations, roles, names, the audit log, one-time tokens and counters. To be kept as long as the pair.
   */
  readonly companion: Stores;
}

/**
 * Three ports for `createAuth` over an application's own tables of users and sessions, seven methods in all, and a companion.
 *
 * The users table decides who there is, their address and their password hash; hashes that it has already are verified as they
 * are, and replaced by better ones through `updatePasswordHash`. The sessions table has a veto: a session is live while it is
 * in the companion *and* `getUserId` answers its user *and* `getUserById` has that user, so what the application revokes or
 * deletes by its own means counts at once. A check costs one reading of the companion and two of the pair.
 *
 * Kept as with any other stores: what Latchkey revokes is refused from then on, under concurrency as well; a cap holds; a
 * sign-in that races a password change leaves no session; nothing half-done lets anybody in. No transaction spans pair and
 * companion, though: the companion commits first, and a process that dies right after it leaves behind
 * - a session that `getUserId` still answers and Latchkey refuses, until it expires,
 * - an old hash in the column, which Latchkey no longer accepts and replaces at the next sign-in,
 * - a sign-in or a registration that has not taken place.
 *
 * Not kept: of two registrations with one address, a unique index of the application has to refuse one; and a hash that the
 * application writes by its own means in the instant of a change through Latchkey may be overwritten. After such a write, call
 * `auth.sessions.revokeAll`: sessions of the old password go on otherwise.
 *
 * Accounts are listed as far as Latchkey has seen them: by the beginning of a username, or by the whole of an address. Tiers, mail
 * that is to be sent, the audit log and all counts are the companion's.
 *
 * Refused, with `forbidden`: a new e-mail address, erasing an account, API keys and linked accounts, which the pair has no
 * methods for; a deleted account is locked, and its row is the application's to remove. There is no set-up link, since users may be there whom Latchkey never
 * saw. Sessions that the application started itself are not taken over.
 *
 * @throws TypeError where a method is missing, or the companion is not of one engine
 */
export function repositories({ users, sessions, companion }: RepositoriesOptions): Stores {
  assertMethods("users", users, ["getUserById", "getUserByEmail", "createUser", "updatePasswordHash"]);
  assertMethods("sessions", sessions, ["insert", "revoke", "getUserId"]);
  if (companion.directory.engine !== companion.sessions.engine)
    throw new TypeError("repositories: the companion's directory and sessions have to be of one engine");
  const engine: Engine = { name: `repositories+${companion.directory.engine.name}` };
  const pair = { users, sessions };
  const joinedWith = joinedUsers(pair, companion.directory);
  return {
    directory: directory(engine, pair, companion.directory, joinedWith),
    sessions: sessionStore(engine, pair, companion.sessions, joinedWith),
    ephemeral: companion.ephemeral,
  };
}

function assertMethods(name: string, given: object, methods: readonly string[]): void {
  const missing = methods.filter((method) => typeof Reflect.get(given, method) !== "function");
  if (missing.length > 0) throw new TypeError(`repositories: ${name} lacks ${missing.join(", ")}`);
}

function directory(
  engine: Engine,
  pair: RepositoryPair,
  companion: DirectoryStore,
  users: JoinedUsers,
): DirectoryStore {
  async function rowBy(
    { kind, key }: Parameters<DirectoryStore["userWithPassword"]>[0],
    call: StoreCall,
  ): ReturnType<JoinedUsers["row"]> {
    if (kind === "id") return users.row(key);
    if (kind === "email") return users.rowByEmail(key);
    // Names are the companion's: the application knows addresses.
    const kept = await companion.userWithPassword({ kind, key }, call);
    return kept === null ? null : users.row(kept.user.id);
  }

  return {
    engine,
    ping: (call) => companion.ping(call),
    close: () => companion.close(),
    user: (userId, call) => users.user(userId, call),
    async userWithPassword(by, call) {
      const row = await rowBy(by, call);
      return row === null ? null : users.userWithPassword(row, call);
    },
    // None was ever taken.
    apiKey: () => null,
    apiKeys: () => [],
    apiKeyUsage: () => [],
    async recordApiKeyUses() {},
    linkedAccount: () => null,
    linkedAccounts: () => [],
    async sessionOwner(userId, sessionIds, call) {
      const owner = await companion.sessionOwner(userId, sessionIds, call);
      const user = await users.user(userId, call);
      return user === null ? null : { user, revoked: owner?.revoked ?? [] };
    },
    revokedBefore: (instant, limit, call) => companion.revokedBefore(instant, limit, call),
    isEmpty: () => false,
    // What is to be erased: the rows are the application's to remove.
    deletedBefore: () => [],
    users: (query, call) => joinedPage(query, { companion, users }, call),
    tiers: (call) => companion.tiers(call),
    auditRows: (query, call) => companion.auditRows(query, call),
    sealedAudit: (query, call) => companion.sealedAudit(query, call),
    sealAudit: (sealing, call) => companion.sealAudit(sealing, call),
    auditCheckpoints: (call) => companion.auditCheckpoints(call),
    dropAudit: (dropping, call) => companion.dropAudit(dropping, call),
    cursor: (name, call) => companion.cursor(name, call),
    cursors: (call) => companion.cursors(call),
    claimMail: (claim, call) => companion.claimMail(claim, call),
    dropApiKeyUsage: (instant, limit, call) => companion.dropApiKeyUsage(instant, limit, call),
    statistics: (from, call) => companion.statistics(from, call),
    commit: committer({ pair, companion, users }),
    forget: (userId, call) => companion.forget(userId, call),
  };
}

function sessionStore(
  engine: Engine,
  pair: RepositoryPair,
  companion: SessionStore,
  users: JoinedUsers,
): SessionStore {
  async function confirmed(found: FoundSession | null, call: StoreCall): Promise<FoundSession | null> {
    if (found === null || found.expired || found.session.userId === null) return found;
    const { id, userId } = found.session;
    const [owner, row] = await Promise.all([pair.sessions.getUserId(id), users.row(userId)]);
    if (owner !== userId || row === null) return null;
    return { ...found, user: joined(row, found.user, call.now) };
  }

  return {
    engine,
    ping: (call) => companion.ping(call),
    close: () => companion.close(),
    async find(ids, call) {
      const found = await companion.find(ids, call);
      return Promise.all(found.map((each) => confirmed(each, call)));
    },
    async list(userId, call) {
      if ((await users.row(userId)) === null) return [];
      const kept = await companion.list(userId, call);
      const owners = await Promise.all(kept.map(({ id }) => pair.sessions.getUserId(id)));
      return kept.filter((_, index) => owners[index] === userId);
    },
    count: (call) => companion.count(call),
    touch: (touches, call) => companion.touch(touches, call),
    async sweep(limit, ended, call) {
      const swept = await companion.sweep(limit, ended, call);
      for (const { id, userId } of swept) if (userId !== null) await pair.sessions.revoke(id);
      return swept;
    },
  };
}
