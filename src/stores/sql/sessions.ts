import type { FoundSession, SessionStore, Touch } from "../../ports/session-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type SessionRow, sessionOf, type UserRow, userOf } from "../rows.ts";
import { type JoinedRow, sessionWidth } from "./joined.ts";
import type { Queries, SqlParts, Statement } from "./queries.ts";
import { sqlRun } from "./run.ts";
import { sweepSessions } from "./writes.ts";

/** What an engine adds to the steps of its transactions. */
export interface SessionStatements {
  /** The sessions of these ids with their owners, `sessionColumns` and then `userColumns`; at most three ids. */
  find(queries: Queries, ids: readonly string[]): Promise<readonly JoinedRow[]>;
  /** Of a user's id and an instant: the user's live sessions, most recently used first. */
  readonly list: Statement<SessionRow>;
  /** Of an instant: how many sessions of users are live. */
  readonly count: Statement<readonly [count: number]>;
  /** Notes at most {@link touchBatch} uses in one statement; one that ended or expired is left as it is. */
  touch(queries: Queries, touches: readonly Touch[], nowMs: number): Promise<void>;
}

/** Ids that one `find` may ask for. */
const findMax = 3;
/** Uses that are noted in one statement, and so locked at one time. */
export const touchBatch = 500;

/** Sessions in a database on a server. A check is one statement, which reads the session and its owner at one instant. */
export function sqlSessions(
  { connection, steps, ping, close }: SqlParts,
  statements: SessionStatements,
): SessionStore {
  async function find(ids: readonly string[], call: StoreCall): Promise<readonly (FoundSession | null)[]> {
    if (ids.length === 0) return [];
    if (ids.length > findMax) throw new TypeError(`find takes at most ${findMax} ids`);
    const rows = await connection.each(call, (queries) => statements.find(queries, ids));
    const byId = new Map(rows.map((row) => [row[0], row]));
    return ids.map((id) => found(byId.get(id), call.now.getTime()));
  }

  async function touch(touches: readonly Touch[], call: StoreCall): Promise<void> {
    for (let from = 0; from < touches.length; from += touchBatch) {
      const batch = touches.slice(from, from + touchBatch);
      await connection.each(call, (queries) => statements.touch(queries, batch, call.now.getTime()));
    }
  }

  return {
    engine: connection.engine,
    ping,
    close,
    find,
    list: (userId, call) =>
      connection.each(call, async (queries) => {
        const rows = await queries.all(statements.list, userId, call.now.getTime());
        return rows.map(sessionOf);
      }),
    touch,
    count: (call) =>
      connection.each(call, async (queries) => {
        const [[count] = [0]] = await queries.all(statements.count, call.now.getTime());
        return count;
      }),
    sweep: (limit, ended, call) =>
      connection.transaction(call, (queries) =>
        sweepSessions(sqlRun(steps(queries), call.now), limit, ended),
      ),
  };
}

function found(row: JoinedRow | undefined, nowMs: number): FoundSession | null {
  if (row === undefined) return null;
  const session = row.slice(0, sessionWidth) as unknown as SessionRow;
  const user = row[sessionWidth] === null ? null : (row.slice(sessionWidth) as unknown as UserRow);
  const [id, , userId] = session;
  if (nowMs >= Math.min(session[9], session[10])) return { expired: true, id, userId };
  if (userId !== null && user === null) return null;
  return { expired: false, session: sessionOf(session), user: user === null ? null : userOf(user) };
}
