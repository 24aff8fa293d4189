import type { DirectoryStore } from "../../ports/directory-store.ts";
import type { FoundSession, SessionStore } from "../../ports/session-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { changesOf, isNothing } from "./changes.ts";
import type { Changes, InvalidationChannel } from "./channel.ts";
import type { RecentSessions } from "./recent.ts";

/** What the cached ports are made of. */
interface Parts {
  readonly stores: Stores;
  readonly channel: InvalidationChannel;
  readonly recent: RecentSessions;
}

/** Puts a cache in front of `stores`. @see cached */
export function cachedStores(parts: Parts): Stores {
  const { stores, channel, recent } = parts;
  channel.open((changes) => recent.forget(changes));
  return { ...stores, directory: cachedDirectory(parts), sessions: cachedSessions(parts) };
}

function changed({ recent, channel }: Parts, changes: Changes): void {
  if (changes !== "everything" && isNothing(changes)) return;
  recent.forget(changes);
  channel.tell(changes);
}

function cachedDirectory(parts: Parts): DirectoryStore {
  const { directory } = parts.stores;
  return {
    engine: directory.engine,
    ping: (call) => directory.ping(call),
    close: () => directory.close(),
    user: (userId, call) => directory.user(userId, call),
    userWithPassword: (by, call) => directory.userWithPassword(by, call),
    apiKey: (keyId, call) => directory.apiKey(keyId, call),
    apiKeys: (userId, call) => directory.apiKeys(userId, call),
    apiKeyUsage: (query, call) => directory.apiKeyUsage(query, call),
    recordApiKeyUses: (uses, call) => directory.recordApiKeyUses(uses, call),
    linkedAccount: (by, call) => directory.linkedAccount(by, call),
    linkedAccounts: (userId, call) => directory.linkedAccounts(userId, call),
    sessionOwner: (userId, sessionIds, call) => directory.sessionOwner(userId, sessionIds, call),
    revokedBefore: (instant, limit, call) => directory.revokedBefore(instant, limit, call),
    isEmpty: (call) => directory.isEmpty(call),
    deletedBefore: (instant, limit, call) => directory.deletedBefore(instant, limit, call),
    users: (query, call) => directory.users(query, call),
    tiers: (call) => directory.tiers(call),
    auditRows: (query, call) => directory.auditRows(query, call),
    sealedAudit: (query, call) => directory.sealedAudit(query, call),
    sealAudit: (sealing, call) => directory.sealAudit(sealing, call),
    auditCheckpoints: (call) => directory.auditCheckpoints(call),
    dropAudit: (dropping, call) => directory.dropAudit(dropping, call),
    cursor: (name, call) => directory.cursor(name, call),
    cursors: (call) => directory.cursors(call),
    claimMail: (claim, call) => directory.claimMail(claim, call),
    dropApiKeyUsage: (instant, limit, call) => directory.dropApiKeyUsage(instant, limit, call),
    statistics: (from, call) => directory.statistics(from, call),
    async commit(writes, call) {
      try {
        const result = await directory.commit(writes, call);
        if (result.ok) changed(parts, changesOf(writes, result.ended));
        return result;
      } catch (error) {
        // Whether it was committed is not known.
        changed(parts, changesOf(writes));
        throw error;
      }
    },
    async forget(userId, call) {
      await directory.forget(userId, call);
      changed(parts, { sessions: [], users: [userId] });
    },
  };
}

function cachedSessions({ stores, channel, recent }: Parts): SessionStore {
  const { sessions } = stores;

  function read(ids: readonly string[], call: StoreCall): ReturnType<SessionStore["find"]> {
    const reading = recent.begin(call.now);
    const keep = (found: readonly (FoundSession | null)[]): readonly (FoundSession | null)[] => {
      recent.end(reading, found);
      return found;
    };
    const fail = (error: unknown): never => {
      recent.end(reading, null);
      throw error;
    };
    let found: ReturnType<SessionStore["find"]>;
    try {
      found = sessions.find(ids, call);
    } catch (error) {
      return fail(error);
    }
    return "then" in found ? found.then(keep, fail) : keep(found);
  }

  return {
    engine: sessions.engine,
    ping: (call) => sessions.ping(call),
    async close() {
      await channel.close();
      await sessions.close();
    },
    find: (ids, call) => (call.readsThrough ? null : recent.get(ids, call.now)) ?? read(ids, call),
    list: (userId, call) => sessions.list(userId, call),
    count: (call) => sessions.count(call),
    async touch(touches, call) {
      // The others go by an older use for a while, and count it once more at most.
      const own = { sessions: touches.map(({ sessionId }) => sessionId), users: [] };
      try {
        await sessions.touch(touches, call);
      } finally {
        recent.forget(own);
      }
    },
    sweep: (limit, ended, call) => sessions.sweep(limit, ended, call),
  };
}
