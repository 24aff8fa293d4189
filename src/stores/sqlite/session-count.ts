import { setImmediate as nextTurn } from "node:timers/promises";
import type { SessionStore } from "../../ports/session-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { countedAtOnce, countFrom } from "./slices.ts";
import type { Prepare, Statement } from "./statement.ts";

/** Expired sessions that are looked at in one go; each is a reading of its own. */
const endedAtOnce = 500;

type OwnedPlace = readonly [userId: string, id: string];
type EndPlace = readonly [endsAt: number, id: string];

interface CountReading {
  readonly nthOwned: Statement<OwnedPlace>;
  readonly ownedFrom: Statement<readonly [count: number]>;
  readonly nthEnded: Statement<EndPlace>;
  readonly endedBetween: Statement<readonly [count: number]>;
}

// In the words of the index, so that SQLite uses it. @see session-writes.ts
const endsAt = "min(idle_expires_at, expires_at)";
const ended = `${endsAt} >= ? AND ${endsAt} <= ? AND (${endsAt} > ? OR id >= ?)`;

function countReading(prepare: Prepare): CountReading {
  const owned = "user_id IS NOT NULL AND (user_id, id) >= (?, ?)";
  return {
    nthOwned: prepare(`
      SELECT user_id, id FROM sessions WHERE ${owned} ORDER BY user_id, id LIMIT 1 OFFSET ${countedAtOnce}`),
    ownedFrom: prepare(`SELECT count(*) FROM sessions WHERE ${owned}`),
    nthEnded: prepare(`
      SELECT ${endsAt}, id FROM sessions WHERE ${ended} ORDER BY ${endsAt}, id LIMIT 1 OFFSET ${endedAtOnce}`),
    endedBetween: prepare(`
      SELECT count(*) FROM sessions INDEXED BY sessions_end WHERE user_id IS NOT NULL AND ${ended} AND (${endsAt} < ? OR id < ?)`),
  };
}

/** Counts sessions on SQLite: those of users, without those that a sweep is about to take. */
export function sessionCount(connection: Connection): Pick<SessionStore, "count"> {
  const reading = connection.prepared(countReading);

  async function endedOf(call: StoreCall): Promise<number> {
    const now = call.now.getTime();
    let count = 0;
    for (let from: EndPlace | null = [Number.MIN_SAFE_INTEGER, ""]; from !== null; await nextTurn()) {
      const first: EndPlace = from;
      const next = await connection.read(() => reading().nthEnded.get(first[0], now, ...first) ?? null, call);
      const until: EndPlace = next ?? [now + 1, ""];
      const values = [first[0], until[0], ...first, ...until] as const;
      count += await connection.read(() => reading().endedBetween.get(...values)?.[0] ?? 0, call);
      from = next;
    }
    return count;
  }

  return {
    async count(call) {
      const owned = await countFrom<OwnedPlace>(["", ""], {
        nth: (place) => connection.read(() => reading().nthOwned.get(...place) ?? null, call),
        rest: (place) => connection.read(() => reading().ownedFrom.get(...place)?.[0] ?? 0, call),
      });
      return owned - (await endedOf(call));
    },
  };
}
