import { setImmediate as nextTurn } from "node:timers/promises";
import { kept } from "../../domain/kept.ts";
import type { FoundSession, SessionStore, Touch } from "../../ports/session-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import {
  qualified,
  type SessionRow,
  sessionColumns,
  sessionOf,
  type UserRow,
  userColumns,
  userOf,
} from "../rows.ts";
import { type JoinedRow, sessionWidth } from "../sql/joined.ts";
import type { Parts } from "./parts.ts";
import { sweepSessions, touchSession } from "./session-writes.ts";
import type { Prepare, Statement } from "./statement.ts";

/** Ids that one `find` may ask for. */
const findMax = 3;
/** Uses that are noted in one transaction, about 5 ms; a longer list lets other work in between. */
const touchBatch = 200;

interface SessionReading {
  readonly version: Statement<readonly [version: number]>;
  readonly findOne: Statement;
  readonly findThree: Statement;
  readonly list: Statement<SessionRow>;
}

function sessionReading(prepare: Prepare): SessionReading {
  const joined = `
    SELECT ${qualified("s", sessionColumns)}, ${qualified("u", userColumns)}
    FROM sessions s LEFT JOIN users u ON u.id = s.user_id`;
  return {
    version: prepare("PRAGMA data_version"),
    findOne: prepare(`${joined} WHERE s.id = ?`),
    findThree: prepare(`${joined} WHERE s.id IN (?, ?, ?)`),
    list: prepare(`
      SELECT ${sessionColumns} FROM sessions s
      WHERE user_id = ? AND min(idle_expires_at, expires_at) > ?
      AND generation = (SELECT u.generation FROM users u WHERE u.id = s.user_id)
      ORDER BY last_used_at DESC, created_at DESC, id`),
  };
}

/**
 * Sessions on SQLite, with a cache that is never stale: every `find` first asks for `PRAGMA data_version`, which has changed
 * where any other connection wrote anything, and then forgets all it knew. Own writes drop what they touch.
 *
 * @see https://sqlite.org/pragma.html#pragma_data_version
 */
export function sessionStore({ connection, cache, run, close, ping }: Parts): SessionStore {
  const reading = connection.prepared(sessionReading);
  const counting = kept(async () => (await import("./session-count.ts")).sessionCount(connection));
  let seenVersion = -1;

  function find(ids: readonly string[], nowMs: number): readonly (FoundSession | null)[] {
    if (cache === null) return read(ids, nowMs);
    // Before the rows, so that what they hold is at least as new as what they are remembered under.
    const version = reading().version.get()?.[0] ?? -1;
    if (version !== seenVersion) cache.clear();
    seenVersion = version;
    const known = ids.map((id) => cache.get(id, nowMs));
    return known.includes(null) ? read(ids, nowMs) : known;
  }

  function read(ids: readonly string[], nowMs: number): readonly (FoundSession | null)[] {
    if (ids.length > findMax) throw new TypeError(`find takes at most ${findMax} ids`);
    const [first = "", second = "", third = ""] = ids;
    if (ids.length === 1) {
      const row = reading().findOne.get(first);
      return [row === undefined ? null : found(row, nowMs)];
    }
    const rows = reading().findThree.all(first, second, third);
    return ids.map((id) => {
      const row = rows.find((each) => each[0] === id);
      return row === undefined ? null : found(row, nowMs);
    });
  }

  function found(row: JoinedRow, nowMs: number): FoundSession | null {
    const session = row.slice(0, sessionWidth) as unknown as SessionRow;
    const user = row[sessionWidth] === null ? null : (row.slice(sessionWidth) as unknown as UserRow);
    const [id, , userId] = session;
    if (nowMs >= Math.min(session[9], session[10])) return { expired: true, id, userId };
    if (userId !== null && user === null) return null;
    cache?.put(session, user);
    return { expired: false, session: sessionOf(session), user: user === null ? null : userOf(user) };
  }

  async function touch(touches: readonly Touch[], call: StoreCall): Promise<void> {
    for (let from = 0; from < touches.length; from += touchBatch) {
      if (from > 0) await nextTurn();
      const batch = touches.slice(from, from + touchBatch);
      await run(call, (on) => {
        for (const one of batch) touchSession(on, one);
      });
    }
  }

  return {
    engine: connection.engine,
    ping,
    close,
    find: (ids, call) => connection.read(() => find(ids, call.now.getTime()), call),
    list: (userId, call) =>
      connection.read(() => reading().list.all(userId, call.now.getTime()).map(sessionOf), call),
    count: async (call) => (await counting()).count(call),
    touch,
    sweep: (limit, ended, call) =>
      run(call, (on) => {
        sweepSessions(on, limit, ended);
        return on.ended;
      }),
  };
}
