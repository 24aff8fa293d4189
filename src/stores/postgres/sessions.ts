import { qualified, type SessionRow, sessionColumns, userColumns } from "../rows.ts";
import type { SessionStatements } from "../sql/sessions.ts";
import type { SqlValue } from "../sql/steps.ts";
import { endsAt } from "./session-steps.ts";
import { statement } from "./statement.ts";

const find = statement<readonly SqlValue[]>(`
  SELECT ${qualified("s", sessionColumns)}, ${qualified("u", userColumns)}
  FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE s.id = ANY($1::text[])`);
const list = statement<SessionRow>(`
  SELECT ${qualified("s", sessionColumns)} FROM sessions s JOIN users u ON u.id = s.user_id
  WHERE s.user_id = $1 AND ${endsAt} > $2 AND s.generation = u.generation
  ORDER BY s.last_used_at DESC, s.created_at DESC, s.id`);
const count = statement<readonly [count: number]>(`
  SELECT count(*) FROM sessions s WHERE ${endsAt} > $1 AND s.user_id IS NOT NULL`);
// Locked in the order of their ids: of two processes that note uses of the same sessions, one waits for the other.
const touch = statement(`
  WITH used AS (
    SELECT u.id, max(u.used_at) AS used_at, max(u.idle_expires_at) AS idle_expires_at
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS u (id, used_at, idle_expires_at) GROUP BY u.id
  ), locked AS MATERIALIZED (
    SELECT s.id FROM sessions s WHERE s.id = ANY($1::text[]) AND ${endsAt} > $4 ORDER BY s.id FOR NO KEY UPDATE
  )
  UPDATE sessions s SET
    last_used_at = GREATEST(s.last_used_at, used.used_at),
    idle_expires_at = GREATEST(s.idle_expires_at, used.idle_expires_at)
  FROM locked JOIN used ON used.id = locked.id WHERE s.id = locked.id`);

/** How sessions are found and their uses noted. */
export const sessionStatements: SessionStatements = {
  find: (queries, ids) => queries.all(find, ids),
  list,
  count,
  async touch(queries, touches, nowMs) {
    const ids = touches.map(({ sessionId }) => sessionId);
    const used = touches.map(({ usedAt }) => usedAt.getTime());
    const limits = touches.map(({ idleExpiresAt }) => idleExpiresAt.getTime());
    await queries.run(touch, ids, used, limits, nowMs);
  },
};
