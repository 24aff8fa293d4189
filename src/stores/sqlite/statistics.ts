import { setImmediate as nextTurn } from "node:timers/promises";
import type { EventType } from "../../domain/event.ts";
import type { DirectoryStatistics, DirectoryStore } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { countedAtOnce, countFrom } from "./slices.ts";
import type { Prepare, Statement } from "./statement.ts";

/** Events that are counted at a time, some milliseconds; other work comes in between. */
const eventsAtOnce = 2_000;

type Place = readonly [createdAt: number, position: number];
type UserPlace = readonly [createdAt: number, id: string];

const oldest: UserPlace = [Number.MIN_SAFE_INTEGER, ""];

interface StatisticsReading {
  readonly nthUser: Statement<UserPlace>;
  readonly usersFrom: Statement<readonly [count: number]>;
  readonly inactive: Statement<readonly [status: string, count: number]>;
  readonly apiKeys: Statement<readonly [count: number]>;
  readonly nth: Statement<Place>;
  readonly events: Statement<readonly [type: string, reason: string | null, count: number]>;
}

function statisticsReading(prepare: Prepare): StatisticsReading {
  return {
    // Of the active ones, who are the most, no more than their number is looked at.
    nthUser: prepare(`
      SELECT created_at, id FROM users WHERE (created_at, id) >= (?, ?) ORDER BY created_at, id LIMIT 1 OFFSET ${countedAtOnce}`),
    usersFrom: prepare("SELECT count(*) FROM users WHERE (created_at, id) >= (?, ?)"),
    inactive: prepare("SELECT status, count(*) FROM users WHERE status <> 'active' GROUP BY status"),
    apiKeys: prepare("SELECT count(*) FROM api_keys"),
    nth: prepare(`
      SELECT created_at, position FROM audit_events WHERE (created_at, position) >= (?, ?)
      ORDER BY created_at, position LIMIT 1 OFFSET ?`),
    events: prepare(`
      SELECT type, iif(json_type(payload, '$.reason') = 'text', payload -> '$.reason', NULL), count(*) FROM audit_events
      WHERE (created_at, position) >= (?, ?) AND (created_at, position) < (?, ?) GROUP BY 1, 2`),
  };
}

/** Counts on SQLite. */
export function statistics(connection: Connection): Pick<DirectoryStore, "statistics"> {
  const reading = connection.prepared(statisticsReading);

  async function eventCounts(from: Date, call: StoreCall): Promise<DirectoryStatistics["events"]> {
    const counts = new Map<string, number>();
    for (let start: Place | null = [from.getTime(), 0]; start !== null; await nextTurn()) {
      const first: Place = start;
      start = await connection.read(() => reading().nth.get(...first, eventsAtOnce) ?? null, call);
      const end = start ?? [Number.MAX_SAFE_INTEGER, 0];
      for (const [type, reason, count] of await connection.read(
        () => reading().events.all(...first, ...end),
        call,
      )) {
        const name = `[${JSON.stringify(type)},${reason}]`;
        counts.set(name, (counts.get(name) ?? 0) + count);
      }
    }
    return [...counts].map(([name, count]) => {
      const [type, reason]: [EventType, string | null] = JSON.parse(name);
      return { type, reason, count };
    });
  }

  async function usersByStatus(call: StoreCall): Promise<DirectoryStatistics["users"]> {
    const all = await countFrom(oldest, {
      nth: (place) => connection.read(() => reading().nthUser.get(...place) ?? null, call),
      rest: (place) => connection.read(() => reading().usersFrom.get(...place)?.[0] ?? 0, call),
    });
    const of = new Map(await connection.read(() => reading().inactive.all(), call));
    const [disabled, deleted, anonymized] = [
      of.get("disabled") ?? 0,
      of.get("deleted") ?? 0,
      of.get("anonymized") ?? 0,
    ];
    return { active: all - disabled - deleted - anonymized, disabled, deleted, anonymized };
  }

  return {
    async statistics(from, call) {
      const users = await usersByStatus(call);
      const apiKeys = await connection.read(() => reading().apiKeys.get()?.[0] ?? 0, call);
      return { users, apiKeys, events: await eventCounts(from, call) };
    },
  };
}
