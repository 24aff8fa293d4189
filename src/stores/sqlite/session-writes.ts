import type { Touch } from "../../ports/session-store.ts";
import type { Report } from "../../ports/store.ts";
import { insertAudit } from "./audit.ts";
import { placeholders, type SessionRow, sessionColumns, sessionOf, sessionRow } from "./rows.ts";
import type { Prepare } from "./statement.ts";
import type { Handler, SessionStatements, WriteRun } from "./write-run.ts";

// In the words of the index, so that SQLite uses it. @see domain/session.ts, isExpired
const endsAt = "min(idle_expires_at, expires_at)";

/** Prepares {@link SessionStatements}. */
export function sessionStatements(prepare: Prepare): SessionStatements {
  return {
    insert: prepare(`INSERT INTO sessions (${sessionColumns}) VALUES (${placeholders(sessionColumns)})`),
    // All but the `cap - 1` most recently used of the others.
    evict: prepare(`
      DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions
        WHERE user_id = ?1 AND id <> ?2 AND ${endsAt} > ?3 AND generation = (SELECT generation FROM users WHERE id = ?1)
        ORDER BY last_used_at DESC, created_at DESC, id LIMIT -1 OFFSET ?4
      ) RETURNING ${sessionColumns}`),
    deleteLive: prepare(`DELETE FROM sessions WHERE id = ? AND ${endsAt} > ?`),
    delete: prepare(`
      DELETE FROM sessions WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2) RETURNING ${sessionColumns}`),
    deleteAll: prepare(`
      DELETE FROM sessions WHERE user_id = ?1 AND id IS NOT ?2 RETURNING ${sessionColumns}`),
    deleteExpired: prepare(`
      DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE ${endsAt} <= ? LIMIT ?)
      RETURNING ${sessionColumns}`),
    touch: prepare(`
      UPDATE sessions SET last_used_at = max(last_used_at, ?2), idle_expires_at = max(idle_expires_at, ?3)
      WHERE id = ?1 AND ${endsAt} > ?4`),
    setData: prepare(`
      UPDATE sessions SET data = ?2, data_version = data_version + 1
      WHERE id = ?1 AND data_version = ?3 AND ${endsAt} > ?4`),
  };
}

export const insertSession: Handler<"session.insert"> = ({ session, cap, evicted }, run) => {
  const { insert, evict } = run.statements.sessions;
  insert.run(...sessionRow(session));
  const isCapped = session.userId !== null && cap > 0;
  const rows = isCapped ? evict.all(session.userId, session.id, run.now.getTime(), cap - 1) : [];
  // RETURNING promises no order: least recently used first.
  const leastRecent = rows.toSorted((a, b) => a[8] - b[8]);
  return endSessions(run, leastRecent, evicted);
};

export const rotateSession: Handler<"session.rotate"> = ({ from, session }, run) => {
  const { insert, deleteLive } = run.statements.sessions;
  if (deleteLive.run(from, run.now.getTime()).changes !== 1) return "conflict";
  run.cache?.dropSession(from);
  insert.run(...sessionRow(session));
  return null;
};

export const deleteSession: Handler<"session.delete"> = ({ sessionId, userId, ended }, run) =>
  endSessions(run, run.statements.sessions.delete.all(sessionId, userId ?? null), ended);

export const deleteAllSessions: Handler<"session.delete_all"> = ({ userId, except, ended }, run) =>
  endSessions(run, run.statements.sessions.deleteAll.all(userId, except), ended);

export const setSessionData: Handler<"session.set_data"> = ({ sessionId, dataVersion, data }, run) => {
  const { setData } = run.statements.sessions;
  run.cache?.dropSession(sessionId);
  const { changes } = setData.run(sessionId, JSON.stringify(data), dataVersion, run.now.getTime());
  return changes === 1 ? null : "conflict";
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
  statements.sessions.touch.run(sessionId, usedAt.getTime(), idleExpiresAt.getTime(), now.getTime());
}

function endSessions(run: WriteRun, rows: readonly SessionRow[], report: Report): null {
  const sessions = rows.map(sessionOf);
  for (const { id } of sessions) run.cache?.dropSession(id);
  const reported = report(sessions);
  for (const row of reported) insertAudit(run.statements.audit, row);
  run.ended.push(...sessions);
  run.reported.push(...reported);
  return null;
}
