import { qualified, type SessionRow, sessionColumns, userColumns } from "../rows.ts";
import type { SessionStatements } from "../sql/sessions.ts";
import type { SqlValue } from "../sql/steps.ts";
import { statement } from "./statement.ts";
import { jsonRows } from "./values.ts";

const find = statement<readonly SqlValue[]>(`
  SELECT ${qualified("s", sessionColumns)}, ${qualified("u", userColumns)}
  FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE s.id IN (?, ?, ?)`);
const list = statement<SessionRow>(`
  SELECT ${qualified("s", sessionColumns)} FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.user_id = ? AND s.ends_at > ? AND s.generation = u.generation
  ORDER BY s.last_used_at DESC, s.created_at DESC, s.id`);
const count = statement<readonly [count: number]>(
  "SELECT COUNT(*) FROM sessions WHERE ends_at > ? AND user_id IS NOT NULL",
);
// One row after the other in the order that is given, and locked in it.
const touch = statement(`
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (
    id VARCHAR(255) PATH '$[0]', used_at BIGINT PATH '$[1]', idle_expires_at BIGINT PATH '$[2]'
  )) AS used STRAIGHT_JOIN sessions s FORCE INDEX (PRIMARY) ON s.id = UNHEX(used.id)
  SET s.last_used_at = GREATEST(s.last_used_at, used.used_at),
    s.idle_expires_at = GREATEST(s.idle_expires_at, used.idle_expires_at)
  WHERE s.ends_at > ?`);

/** How sessions are found and their uses noted. */
export const sessionStatements: SessionStatements = {
  find: (queries, [first = "", second = first, third = first]) => queries.all(find, first, second, third),
  list,
  count,
  async touch(queries, touches, nowMs) {
    const latest = new Map<string, readonly [usedAt: number, idleExpiresAt: number]>();
    for (const { sessionId, usedAt, idleExpiresAt } of touches) {
      const [used, limit] = latest.get(sessionId) ?? [0, 0];
      // A row that is joined twice is changed once: each session is named once.
      latest.set(sessionId, [Math.max(used, usedAt.getTime()), Math.max(limit, idleExpiresAt.getTime())]);
    }
    const rows = [...latest].toSorted(([a], [b]) => (a < b ? -1 : 1));
    await queries.run(touch, jsonRows(rows.map(([id, times]) => [id, ...times])), nowMs);
  },
};
