import { placeholders, type SessionRow, sessionColumns } from "../rows.ts";
import type { Queries, Statement } from "../sql/queries.ts";
import type { SessionSteps, SqlValue } from "../sql/steps.ts";
import { isDuplicate } from "./link.ts";
import { idsGiven, statement } from "./statement.ts";
import { jsonRows } from "./values.ts";

const insert = statement(`INSERT INTO sessions (${sessionColumns}) VALUES (${placeholders(sessionColumns)})`);
/** What MySQL takes for "no limit". */
const endless = "18446744073709551615";

// MySQL answers no deleted rows: they are read and locked, then deleted by their ids. Those of a user are locked in the order of
// their ids, as every statement here locks more than one. By the user's index: where the tables are small the server would rather
// read all of them, and lock other users' rows on its way.
const surplus = statement<SessionRow>(`
  SELECT ${sessionColumns} FROM sessions FORCE INDEX (sessions_user_id)
  WHERE user_id = ? AND id <> ? AND ends_at > ? AND generation = (SELECT u.generation FROM users u WHERE u.id = ?)
  ORDER BY last_used_at DESC, created_at DESC, id LIMIT ${endless} OFFSET ? FOR UPDATE`);
const unexpired = statement<SessionRow>(`
  SELECT ${sessionColumns} FROM sessions WHERE id = ? AND ends_at > ? AND (user_id IS NULL OR user_id = ?) FOR UPDATE`);
const one = statement<SessionRow>(`
  SELECT ${sessionColumns} FROM sessions WHERE id = ? AND user_id <=> IFNULL(?, user_id) FOR UPDATE`);
const ofUser = statement<SessionRow>(`
  SELECT ${sessionColumns} FROM sessions FORCE INDEX (sessions_user_id)
  WHERE user_id = ? AND NOT (id <=> ?) ORDER BY id FOR UPDATE`);
const expired = statement<SessionRow>(`
  SELECT ${sessionColumns} FROM sessions WHERE ends_at <= ? LIMIT ? FOR UPDATE SKIP LOCKED`);
const deleteThese = statement(`
  DELETE s FROM ${idsGiven} STRAIGHT_JOIN sessions s FORCE INDEX (PRIMARY) ON s.id = UNHEX(given.id)`);
const setData = statement(`
  UPDATE sessions SET data = ?, data_version = data_version + 1 WHERE id = ? AND data_version = ? AND ends_at > ?`);
const refresh = statement(`
  UPDATE sessions SET refresh_digest = ?, refresh_number = ?, refreshed_at = ?, last_used_at = GREATEST(last_used_at, ?)
  WHERE id = ? AND refresh_number <=> ? AND ends_at > ?`);
const insertRevocation = statement(
  "INSERT INTO session_revocations (session_id, user_id, revoked_at) VALUES (?, ?, ?)",
);
const deleteRevocations = statement(`
  DELETE r FROM ${idsGiven} STRAIGHT_JOIN session_revocations r FORCE INDEX (PRIMARY) ON r.session_id = UNHEX(given.id)`);

/** The steps about sessions, here and in another engine. */
export function sessionSteps(queries: Queries): SessionSteps {
  async function deleted(
    statement: Statement<SessionRow>,
    ...values: readonly SqlValue[]
  ): Promise<readonly SessionRow[]> {
    const rows = await queries.all(statement, ...values);
    if (rows.length > 0) await queries.run(deleteThese, jsonRows(rows.map(([id]) => [id])));
    return rows;
  }

  return {
    async addSession(row, { cap, nowMs }) {
      await queries.run(insert, ...row);
      const [id, , userId] = row;
      if (cap === 0 || userId === null) return [];
      return (await deleted(surplus, userId, id, nowMs, userId, String(cap - 1))).toReversed();
    },
    takeSession: async (id, userId, nowMs) => (await deleted(unexpired, id, nowMs, userId))[0] ?? null,
    deleteSession: (id, userId) => deleted(one, id, userId),
    deleteSessions: (userId, except) => deleted(ofUser, userId, except),
    // A limit is given as text: as a number it would be a fraction to the server.
    deleteExpired: (nowMs, limit) => deleted(expired, nowMs, String(limit)),
    setData: async ({ sessionId, dataVersion, data, nowMs }) =>
      (await queries.run(setData, data, sessionId, dataVersion, nowMs)) === 1,
    refresh: async ({ sessionId, from, family, nowMs }) =>
      (await queries.run(refresh, ...family, family[2], sessionId, from, nowMs)) === 1,
    async insertRevocations(sessions, nowMs) {
      const fresh: string[] = [];
      // In the order of their ids, so that two transactions that end the same sessions do not wait in a circle.
      for (const { id, userId } of sessions.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
        const isFresh = await queries.run(insertRevocation, id, userId, nowMs).then(
          () => true,
          (error) => {
            if (!isDuplicate(error)) throw error;
            return false;
          },
        );
        if (isFresh) fresh.push(id);
      }
      return fresh;
    },
    async deleteRevocations(sessionIds) {
      await queries.run(deleteRevocations, jsonRows(sessionIds.map((id) => [id])));
    },
  };
}
