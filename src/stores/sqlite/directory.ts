import { kept } from "../../domain/kept.ts";
import type { DirectoryStore } from "../../ports/directory-store.ts";
import { type TierRow, tierColumns, tierOf } from "../people-rows.ts";
import { passwordColumns, qualified, type UserRow, userColumns, userOf } from "../rows.ts";
import { userWithPasswordOf } from "../sql/joined.ts";
import { type AuditReading, auditReading, readAudit } from "./audit.ts";
import { credentialReads } from "./credential-reads.ts";
import { recordUses } from "./credential-writes.ts";
import type { Parts } from "./parts.ts";
import { claimMail, dropUsage } from "./people-writes.ts";
import { type RevocationReading, revocationReading } from "./revocations.ts";
import { dropAudit, sealAudit, sealReads } from "./sealed-audit.ts";
import type { Prepare, Statement } from "./statement.ts";
import { runWrites } from "./writes.ts";

interface DirectoryReading {
  readonly user: Statement<UserRow>;
  readonly withPassword: Readonly<Record<"id" | "email" | "username", Statement>>;
  readonly anyone: Statement;
  readonly deletedBefore: Statement<readonly [id: string]>;
  readonly revocations: RevocationReading;
  readonly audit: AuditReading;
  readonly tiers: Statement<TierRow>;
}

function directoryReading(prepare: Prepare): DirectoryReading {
  const joined = `
    SELECT ${qualified("u", userColumns)}, ${qualified("p", passwordColumns)}
    FROM users u LEFT JOIN passwords p ON p.user_id = u.id`;
  return {
    user: prepare(`SELECT ${userColumns} FROM users WHERE id = ?`),
    withPassword: {
      id: prepare(`${joined} WHERE u.id = ?`),
      email: prepare(`${joined} WHERE u.email_key = ?`),
      username: prepare(`${joined} WHERE u.username = ?`),
    },
    anyone: prepare("SELECT 1 FROM users LIMIT 1"),
    deletedBefore: prepare(
      "SELECT id FROM users WHERE status = 'deleted' AND deleted_at < ? ORDER BY deleted_at LIMIT ?",
    ),
    revocations: revocationReading(prepare),
    audit: auditReading(prepare),
    tiers: prepare(`SELECT ${tierColumns} FROM tiers ORDER BY name`),
  };
}

/** Accounts, credentials and the audit log on SQLite. */
export function directoryStore({ connection, cache, run, ping, close }: Parts): DirectoryStore {
  const reading = connection.prepared(directoryReading);
  const listing = kept(async () => (await import("./user-reads.ts")).userReads(connection));
  const counting = kept(async () => (await import("./statistics.ts")).statistics(connection));
  return {
    engine: connection.engine,
    ping,
    close,
    user: (userId, call) =>
      connection.read(() => {
        const row = reading().user.get(userId);
        return row === undefined ? null : userOf(row);
      }, call),
    userWithPassword: ({ kind, key }, call) =>
      connection.read(() => {
        const row = reading().withPassword[kind].get(key);
        return row === undefined ? null : userWithPasswordOf(row);
      }, call),
    ...credentialReads(connection),
    recordApiKeyUses: (uses, call) => run(call, (on) => recordUses(on, uses)),
    sessionOwner: (userId, sessionIds, call) =>
      connection.read(() => {
        const row = reading().user.get(userId);
        if (row === undefined) return null;
        // After the user, so that another process's commit in between is seen in the ends at least.
        const revoked = [...new Set(sessionIds)].flatMap((sessionId) => {
          const [at] = reading().revocations.one.get(sessionId, userId) ?? [];
          return at === undefined ? [] : [{ sessionId, revokedAt: new Date(at) }];
        });
        return { user: userOf(row), revoked };
      }, call),
    revokedBefore: (instant, limit, call) =>
      connection.read(
        () =>
          reading()
            .revocations.before.all(instant.getTime(), limit)
            .map(([id]) => id),
        call,
      ),
    isEmpty: (call) => connection.read(() => reading().anyone.get() === undefined, call),
    deletedBefore: (instant, limit, call) =>
      connection.read(
        () =>
          reading()
            .deletedBefore.all(instant.getTime(), limit)
            .map(([id]) => id),
        call,
      ),
    users: async (query, call) => (await listing()).users(query, call),
    tiers: (call) => connection.read(() => reading().tiers.all().map(tierOf), call),
    ...sealReads(connection),
    statistics: async (from, call) => (await counting()).statistics(from, call),
    sealAudit: (sealing, call) => run(call, (on) => sealAudit(on, sealing)),
    dropAudit: (dropping, call) => run(call, (on) => dropAudit(on, dropping)),
    claimMail: (claim, call) => run(call, (on) => claimMail(on, claim)),
    dropApiKeyUsage: (instant, limit, call) => run(call, (on) => dropUsage(on, instant, limit)),
    auditRows: (query, call) => connection.read(() => readAudit(reading().audit, query), call),
    commit: (writes, call) =>
      run(
        call,
        (on) => runWrites(on, writes),
        ({ ok }) => ok,
      ),
    forget: (userId) => cache?.dropUser(userId),
  };
}
