import type { DirectoryStore, SessionOwner } from "../../ports/directory-store.ts";
import { summedUses } from "../api-key-uses.ts";
import { mailOf, type TierRow, tierColumns, tierOf } from "../people-rows.ts";
import { passwordColumns, qualified, type UserRow, userColumns, userOf } from "../rows.ts";
import { type AuditStatements, auditReads, auditStatements } from "./audit-reads.ts";
import { type CredentialStatements, credentialReads, credentialStatements } from "./credential-reads.ts";
import { type JoinedRow, userIn, userWidth, userWithPasswordOf } from "./joined.ts";
import type { Rows, SqlParts, Statement } from "./queries.ts";
import { sqlRun } from "./run.ts";
import { dropSealed, sealRows } from "./seal.ts";
import { type StatisticsStatements, statistics, statisticsStatements } from "./statistics.ts";
import type { SqlValue } from "./steps.ts";
import { type UserStatements, userReads, userStatements } from "./user-reads.ts";
import { runWrites } from "./writes.ts";

/** Sessions that one statement asks about: more than most users have. */
const askedAtOnce = 8;
const places = Array.from({ length: askedAtOnce }, (_, index) => index + 1);

/** The statements of a directory, in the order in which their values are given. */
export interface DirectoryStatements {
  /** Of an id. */
  readonly user: Statement<UserRow>;
  /** Of the key. */
  readonly withPassword: Readonly<Record<"id" | "email" | "username", Statement<JoinedRow>>>;
  readonly credentials: CredentialStatements;
  /** Of {@link askedAtOnce} ids of sessions and the user's: the user, a session's id and the instant of its end; one row with nulls where none ended. */
  readonly owner: Statement<JoinedRow>;
  /** Of an instant and a limit. */
  readonly revokedBefore: Statement<readonly [id: string]>;
  readonly anyone: Statement<readonly [number]>;
  /** Of an instant and a limit. */
  readonly deletedBefore: Statement<readonly [id: string]>;
  readonly users: UserStatements;
  readonly tiers: Statement<TierRow>;
  readonly audit: AuditStatements;
  readonly statistics: StatisticsStatements;
}

/** Writes the statements; `at` is the placeholder of the first, second, … value, `matched` what of a payload matches a pattern. */
export function directoryStatements(
  statement: <Row extends readonly SqlValue[]>(text: string) => Statement<Row>,
  at: (place: number) => string,
  matched: (pattern: string) => string,
): DirectoryStatements {
  const user = qualified("u", userColumns);
  const joined = `SELECT ${user}, ${qualified("p", passwordColumns)} FROM users u LEFT JOIN passwords p ON p.user_id = u.id`;
  return {
    user: statement(`SELECT ${userColumns} FROM users WHERE id = ${at(1)}`),
    withPassword: {
      id: statement(`${joined} WHERE u.id = ${at(1)}`),
      email: statement(`${joined} WHERE u.email_key = ${at(1)}`),
      username: statement(`${joined} WHERE u.username = ${at(1)}`),
    },
    credentials: credentialStatements(statement, at),
    // In one statement, so that the ends are those of the instant at which the user was read.
    owner: statement(`
      SELECT ${user}, r.session_id, r.revoked_at FROM users u LEFT JOIN session_revocations r
      ON r.user_id = u.id AND r.session_id IN (${places.map(at).join(", ")}) WHERE u.id = ${at(askedAtOnce + 1)}`),
    revokedBefore: statement(`
      SELECT session_id FROM session_revocations WHERE revoked_at < ${at(1)} ORDER BY revoked_at LIMIT ${at(2)}`),
    anyone: statement("SELECT 1 FROM users LIMIT 1"),
    deletedBefore: statement(`
      SELECT id FROM users WHERE status = 'deleted' AND deleted_at < ${at(1)} ORDER BY deleted_at LIMIT ${at(2)}`),
    users: userStatements(statement, at),
    tiers: statement(`SELECT ${tierColumns} FROM tiers ORDER BY name`),
    audit: auditStatements(statement, at),
    statistics: statisticsStatements(statement, at, matched),
  };
}

/** Accounts, credentials and the audit log in a database on a server. */
export function sqlDirectory(
  { connection, steps, ping, close }: SqlParts,
  statements: DirectoryStatements,
): DirectoryStore {
  // A limit is given as text: as a number it would be a fraction to some servers.
  const rows: Rows = (call, statement, ...values) =>
    connection.each(call, (queries) => queries.all(statement, ...values));

  return {
    engine: connection.engine,
    ping,
    close,
    async user(userId, call) {
      const [row] = await rows(call, statements.user, userId);
      return row === undefined ? null : userOf(row);
    },
    async userWithPassword({ kind, key }, call) {
      const [row] = await rows(call, statements.withPassword[kind], key);
      return row === undefined ? null : userWithPasswordOf(row);
    },
    ...credentialReads(rows, statements.credentials),
    recordApiKeyUses: (uses, call) =>
      connection.transaction(call, (queries) => steps(queries).addApiKeyUses(summedUses(uses))),
    async sessionOwner(userId, sessionIds, call) {
      const all: JoinedRow[] = [];
      let from = 0;
      do {
        // What no session is called asks for nothing.
        const ids = places.map((place) => sessionIds[from + place - 1] ?? "");
        const found = await rows(call, statements.owner, ...ids, userId);
        // Gone between two statements.
        if (found.length === 0) return null;
        all.push(...found);
        from += askedAtOnce;
      } while (from < sessionIds.length);
      return sessionOwner(all);
    },
    revokedBefore: async (instant, limit, call) =>
      (await rows(call, statements.revokedBefore, instant.getTime(), `${limit}`)).map(([id]) => id),
    isEmpty: async (call) => (await rows(call, statements.anyone)).length === 0,
    deletedBefore: async (instant, limit, call) =>
      (await rows(call, statements.deletedBefore, instant.getTime(), `${limit}`)).map(([id]) => id),
    ...userReads(rows, statements.users),
    tiers: async (call) => (await rows(call, statements.tiers)).map(tierOf),
    ...auditReads(rows, statements.audit),
    ...statistics(rows, statements.statistics),
    sealAudit: ({ limit, chain }, call) =>
      connection.transaction(call, (queries) => sealRows(steps(queries), limit, chain)),
    dropAudit: ({ throughSeq, limit }, call) =>
      connection.transaction(call, (queries) => dropSealed(steps(queries), throughSeq, limit)),
    async claimMail({ limit, leasedUntil }, call) {
      const claim = { nowMs: call.now.getTime(), limit, leasedUntilMs: leasedUntil.getTime() };
      const rows = await connection.transaction(call, (queries) => steps(queries).claimMail(claim));
      return rows.map(mailOf);
    },
    dropApiKeyUsage: (instant, limit, call) =>
      connection.transaction(call, (queries) => steps(queries).dropApiKeyUsage(instant.getTime(), limit)),
    commit: (writes, call) =>
      connection.transaction(
        call,
        (queries) => runWrites(sqlRun(steps(queries), call.now), writes),
        ({ ok }) => ok,
      ),
    // Nothing is cached.
    forget() {},
  };
}

function sessionOwner(rows: readonly JoinedRow[]): SessionOwner | null {
  const [first] = rows;
  if (first === undefined) return null;
  const revoked = rows.flatMap((row) => {
    const [sessionId, revokedAt] = row.slice(userWidth);
    return sessionId === null
      ? []
      : [{ sessionId: String(sessionId), revokedAt: new Date(Number(revokedAt)) }];
  });
  return { user: userIn(first), revoked };
}
