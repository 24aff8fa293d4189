import { qualified, type SessionRow, sessionColumns } from "../rows.ts";
import { sessionWidth } from "../sql/joined.ts";
import type { Queries } from "../sql/queries.ts";
import type { SessionSteps } from "../sql/steps.ts";
import { numbered, placeholder, statement } from "./statement.ts";

/** In the words of the index, so that it is used. @see domain/session.ts, isExpired */
export const endsAt = "LEAST(s.idle_expires_at, s.expires_at)";

const own = qualified("s", sessionColumns);

const insert = statement(`INSERT INTO sessions (${sessionColumns}) VALUES (${numbered(sessionColumns)})`);
// All but the `cap - 1` most recently used of the others: a statement does not see what it adds. Chosen first and then locked in the order of their ids, as every
// statement here locks more than one: those who were only just chosen wait for nobody in a circle.
const insertWithin = statement<SessionRow>(`
  WITH added AS (
    INSERT INTO sessions (${sessionColumns}) VALUES (${numbered(sessionColumns)})
  ), surplus AS MATERIALIZED (
    SELECT s.id FROM sessions s
    WHERE s.user_id = $3 AND ${endsAt} > ${placeholder(sessionWidth + 1)}
    AND s.generation = (SELECT u.generation FROM users u WHERE u.id = s.user_id)
    ORDER BY s.last_used_at DESC, s.created_at DESC, s.id OFFSET ${placeholder(sessionWidth + 2)}
  ), locked AS MATERIALIZED (
    SELECT s.id FROM sessions s WHERE s.id IN (SELECT id FROM surplus) ORDER BY s.id FOR UPDATE
  )
  DELETE FROM sessions s USING locked WHERE s.id = locked.id RETURNING ${own}`);
const take = statement<SessionRow>(`
  DELETE FROM sessions s WHERE s.id = $1 AND ${endsAt} > $2 AND (s.user_id IS NULL OR s.user_id = $3)
  RETURNING ${own}`);
const deleteOne = statement<SessionRow>(`
  DELETE FROM sessions s WHERE s.id = $1 AND ($2::text IS NULL OR s.user_id = $2) RETURNING ${own}`);
const deleteAll = statement<SessionRow>(`
  WITH locked AS MATERIALIZED (
    SELECT s.id FROM sessions s WHERE s.user_id = $1 AND s.id IS DISTINCT FROM $2 ORDER BY s.id FOR UPDATE
  )
  DELETE FROM sessions s USING locked WHERE s.id = locked.id RETURNING ${own}`);
const deleteExpired = statement<SessionRow>(`
  WITH locked AS MATERIALIZED (
    SELECT s.id FROM sessions s WHERE ${endsAt} <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
  )
  DELETE FROM sessions s USING locked WHERE s.id = locked.id RETURNING ${own}`);
const setData = statement(`
  UPDATE sessions s SET data = $3, data_version = s.data_version + 1
  WHERE s.id = $1 AND s.data_version = $2 AND ${endsAt} > $4`);
const refresh = statement(`
  UPDATE sessions s SET refresh_digest = $2, refresh_number = $3, refreshed_at = $4, last_used_at = GREATEST(s.last_used_at, $4)
  WHERE s.id = $1 AND s.refresh_number IS NOT DISTINCT FROM $5 AND ${endsAt} > $6`);
const insertRevocations = statement<readonly [id: string]>(`
  INSERT INTO session_revocations (session_id, user_id, revoked_at)
  SELECT ended.id, ended.user_id, $3::bigint FROM unnest($1::text[], $2::text[]) AS ended (id, user_id) ORDER BY ended.id
  ON CONFLICT (session_id) DO NOTHING RETURNING session_id`);
const deleteRevocations = statement("DELETE FROM session_revocations WHERE session_id = ANY($1::text[])");

/** The steps about sessions, here and in another engine. */
export function sessionSteps(queries: Queries): SessionSteps {
  return {
    async addSession(row, { cap, nowMs }) {
      if (cap > 0) {
        const evicted = await queries.all(insertWithin, ...row, nowMs, cap - 1);
        // RETURNING promises no order: least recently used first.
        return evicted.toSorted((a, b) => a[8] - b[8]);
      }
      await queries.run(insert, ...row);
      return [];
    },
    takeSession: async (id, userId, nowMs) => (await queries.all(take, id, nowMs, userId))[0] ?? null,
    deleteSession: (id, userId) => queries.all(deleteOne, id, userId),
    deleteSessions: (userId, except) => queries.all(deleteAll, userId, except),
    deleteExpired: (nowMs, limit) => queries.all(deleteExpired, nowMs, limit),
    setData: async ({ sessionId, dataVersion, data, nowMs }) =>
      (await queries.run(setData, sessionId, dataVersion, data, nowMs)) === 1,
    refresh: async ({ sessionId, from, family, nowMs }) =>
      (await queries.run(refresh, sessionId, ...family, from, nowMs)) === 1,
    async insertRevocations(sessions, nowMs) {
      const [ids, owners] = [sessions.map(({ id }) => id), sessions.map(({ userId }) => userId)];
      return (await queries.all(insertRevocations, ids, owners, nowMs)).map(([id]) => id);
    },
    async deleteRevocations(sessionIds) {
      await queries.run(deleteRevocations, sessionIds);
    },
  };
}
