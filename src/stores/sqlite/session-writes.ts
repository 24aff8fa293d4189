import { isExpired, type Session } from "../../domain/session.ts";
import type { Touch } from "../../ports/session-store.ts";
import type { Report, Write } from "../../ports/store.ts";
import { familyRow } from "../refresh.ts";
import { placeholders, type SessionRow, sessionColumns, sessionOf, sessionRow } from "../rows.ts";
import { insertAudit } from "./audit.ts";
import type { Prepare } from "./statement.ts";
import type { Handlers, SessionStatements, WriteRun } from "./write-run.ts";

// In the words of the index, so that SQLite uses it. @see domain/session.ts, isExpired
const endsAt = "min(idle_expires_at, expires_at)";

/** Prepares {@link SessionStatements}. */
export function sessionStatements(prepare: Prepare): SessionStatements {
  return {
    insert: prepare(`INSERT INTO sessions (${sessionColumns}) VALUES (${placeholders(sessionColumns)})`),
    // All but the `cap - 1` most recently used of the others.
    evict: prepare(`
      DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions s
        WHERE user_id = ? AND id <> ? AND ${endsAt} > ?
        AND generation = (SELECT u.generation FROM users u WHERE u.id = s.user_id)
        ORDER BY last_used_at DESC, created_at DESC, id LIMIT -1 OFFSET ?
      ) RETURNING ${sessionColumns}`),
    rotateAway: prepare(`
      DELETE FROM sessions WHERE id = ? AND ${endsAt} > ? AND (user_id IS NULL OR user_id = ?)
      RETURNING ${sessionColumns}`),
    delete: prepare(`
      DELETE FROM sessions WHERE id = ? AND user_id IS ifnull(?, user_id) RETURNING ${sessionColumns}`),
    deleteAll: prepare(`
      DELETE FROM sessions WHERE user_id = ? AND id IS NOT ? RETURNING ${sessionColumns}`),
    deleteExpired: prepare(`
      DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ${endsAt} <= ? LIMIT ?)
      RETURNING ${sessionColumns}`),
    touch: prepare(`
      UPDATE sessions SET last_used_at = max(last_used_at, ?), idle_expires_at = max(idle_expires_at, ?)
      WHERE id = ? AND ${endsAt} > ?`),
    setData: prepare(`
      UPDATE sessions SET data = ?, data_version = data_version + 1
      WHERE id = ? AND data_version = ? AND ${endsAt} > ?`),
    refresh: prepare(`
      UPDATE sessions SET refresh_digest = ?, refresh_number = ?, refreshed_at = ?, last_used_at = max(last_used_at, ?)
      WHERE id = ? AND refresh_number IS ? AND ${endsAt} > ?`),
  };
}

type NewSession = Pick<Extract<Write, { kind: "session.insert" }>, "session" | "cap" | "evicted">;

/** The writes about sessions; what each promises stands at `Write`. */
export const sessionHandlers: Pick<
  Handlers,
  | "session.insert"
  | "session.replace"
  | "session.rotate"
  | "session.delete"
  | "session.delete_all"
  | "session.set_data"
  | "session.refresh"
> = {
  "session.insert": (write, run) => insertSession(run, write),

  "session.replace": ({ replaces, ended, session, ...rest }, run) => {
    const [before] = endSessions(run, run.statements.sessions.delete.all(replaces, null), ended);
    const data = before !== undefined && handsOver(before, session, run) ? before.data : session.data;
    return insertSession(run, { ...rest, session: { ...session, data } });
  },

  "session.rotate": ({ from, session }, run) => {
    const { insert, rotateAway } = run.statements.sessions;
    const [row] = rotateAway.all(from, run.now.getTime(), session.userId);
    if (row === undefined) return "conflict";
    run.cache?.dropSession(from);
    insert.run(...sessionRow({ ...session, data: sessionOf(row).data }));
    return null;
  },

  "session.delete": ({ sessionId, userId, ended }, run) => {
    endSessions(run, run.statements.sessions.delete.all(sessionId, userId ?? null), ended);
    return null;
  },

  "session.delete_all": ({ userId, except, ended }, run) => {
    endSessions(run, run.statements.sessions.deleteAll.all(userId, except), ended);
    return null;
  },

  "session.set_data": ({ sessionId, dataVersion, data }, run) => {
    const { setData } = run.statements.sessions;
    run.cache?.dropSession(sessionId);
    const { changes } = setData.run(JSON.stringify(data), sessionId, dataVersion, run.now.getTime());
    return changes === 1 ? null : "conflict";
  },

  "session.refresh": ({ sessionId, from, family }, run) => {
    const { refresh } = run.statements.sessions;
    const row = familyRow(family);
    run.cache?.dropSession(sessionId);
    const { changes } = refresh.run(...row, row[2], sessionId, from, run.now.getTime());
    return changes === 1 ? null : "conflict";
  },
};

/** Deletes at most `limit` expired sessions and reports them. */
export function sweepSessions(run: WriteRun, limit: number, ended: Report): void {
  endSessions(run, run.statements.sessions.deleteExpired.all(run.now.getTime(), limit), ended);
}

/** Moves a session's last use and idle limit forward, never back; one that ended meanwhile stays ended. */
export function touchSession(
  { statements, cache, now }: WriteRun,
  { sessionId, usedAt, idleExpiresAt }: Touch,
): void {
  cache?.dropSession(sessionId);
  statements.sessions.touch.run(usedAt.getTime(), idleExpiresAt.getTime(), sessionId, now.getTime());
}

function insertSession(run: WriteRun, { session, cap, evicted }: NewSession): null {
  const { insert, evict } = run.statements.sessions;
  insert.run(...sessionRow(session));
  const rows = cap === 0 ? [] : evict.all(session.userId, session.id, run.now.getTime(), cap - 1);
  // RETURNING promises no order: least recently used first.
  const leastRecent = rows.toSorted((a, b) => a[8] - b[8]);
  endSessions(run, leastRecent, evicted);
  return null;
}

// Whether a session's data is for the one that comes after it: never another user's.
function handsOver(before: Session, { userId }: Session, { now }: WriteRun): boolean {
  return !isExpired(before, now) && (before.userId === null || before.userId === userId);
}

function endSessions(run: WriteRun, rows: readonly SessionRow[], report: Report): readonly Session[] {
  const sessions = rows.map(sessionOf);
  for (const { id } of sessions) run.cache?.dropSession(id);
  reportEnds(run, sessions, report);
  return sessions;
}

/** Writes the rows of a report and remembers what ended, for the answer. */
export function reportEnds(run: WriteRun, sessions: readonly Session[], report: Report): void {
  const reported = report(sessions);
  for (const row of reported) insertAudit(run.statements.audit, row);
  run.ended.push(...sessions);
  run.reported.push(...reported);
}
