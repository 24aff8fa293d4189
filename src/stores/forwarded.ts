import type { DirectoryStore } from "../ports/directory-store.ts";

/** A directory that hands every call to another: what a wrapper begins with, before it writes its own methods over some. */
export function forwarded(directory: DirectoryStore): DirectoryStore {
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
    commit: (writes, call) => directory.commit(writes, call),
    forget: (userId, call) => directory.forget(userId, call),
  };
}
