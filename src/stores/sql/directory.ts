import type { DirectoryStore, SessionOwner } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { summedUses } from "../api-key-uses.ts";
import {
  type AuditEventRow,
  auditColumns,
  auditOf,
  passwordColumns,
  qualified,
  type UserRow,
  userColumns,
  userOf,
} from "../rows.ts";
import { type CredentialStatements, credentialReads, credentialStatements } from "./credential-reads.ts";
import { type JoinedRow, userIn, userWidth, userWithPasswordOf } from "./joined.ts";
import type { Parameter, SqlParts, Statement } from "./queries.ts";
import { sqlRun } from "./run.ts";
import type { SqlValue } from "./steps.ts";
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
  /** Of a limit. */
  readonly auditOfAll: Statement<AuditEventRow>;
  /** Of a user's id and a limit. */
  readonly auditOfUser: Statement<AuditEventRow>;
}

/** Writes the statements; `at` is the placeholder of the first, second, … value. */
export function directoryStatements(
  statement: <Row extends readonly SqlValue[]>(text: string) => Statement<Row>,
  at: (place: number) => string,
): DirectoryStatements {
  const user = qualified("u", userColumns);
  const joined = `SELECT ${user}, ${qualified("p", passwordColumns)} FROM users u LEFT JOIN passwords p ON p.user_id = u.id`;
  const audit = `
    SELECT ${qualified("e", auditColumns)}, ip.value, ip.salt, agent.value, agent.salt FROM audit_events e
    LEFT JOIN audit_personal ip ON ip.event_id = e.id AND ip.field = 'ip'
    LEFT JOIN audit_personal agent ON agent.event_id = e.id AND agent.field = 'user_agent'`;
  // Rows of one millisecond come in the order in which they were written.
  const newest = "ORDER BY e.created_at DESC, e.position DESC";
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
    auditOfAll: statement(`${audit} ${newest} LIMIT ${at(1)}`),
    auditOfUser: statement(`${audit} WHERE e.user_id = ${at(1)} ${newest} LIMIT ${at(2)}`),
  };
}

/** Accounts, credentials and the audit log in a database on a server. */
export function sqlDirectory(
  { connection, steps, ping, close }: SqlParts,
  statements: DirectoryStatements,
): DirectoryStore {
  // A limit is given as text: as a number it would be a fraction to some servers.
  const rows = <Row extends readonly SqlValue[]>(
    call: StoreCall,
    statement: Statement<Row>,
    ...values: readonly Parameter[]
  ): Promise<readonly Row[]> => connection.each(call, (queries) => queries.all(statement, ...values));

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
    async auditRows({ userId, limit }, call) {
      const found = await (userId === null
        ? rows(call, statements.auditOfAll, `${limit}`)
        : rows(call, statements.auditOfUser, userId, `${limit}`));
      return found.map(auditOf);
    },
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
