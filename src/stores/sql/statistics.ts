import type { EventType } from "../../domain/event.ts";
import type { UserStatus } from "../../domain/user.ts";
import type { DirectoryStatistics, DirectoryStore } from "../../ports/directory-store.ts";
import type { Rows, Statement } from "./queries.ts";
import type { SqlValue } from "./steps.ts";

/** The statements that count, in the order in which their values are given. */
export interface StatisticsStatements {
  readonly users: Statement<readonly [status: string, count: number]>;
  readonly apiKeys: Statement<readonly [count: number]>;
  /** Of {@link reasonPattern} and an instant. `reason` is what of the payload it matches, or null. */
  readonly events: Statement<readonly [type: string, reason: string | null, count: number]>;
}

/**
 * A payload's `reason`. Its JSON is ours, flat and without blanks, and a quote within a text has a backslash before it: nothing
 * else matches; a longer one is none. The servers' own readers of JSON refuse texts that it may hold, a NUL or half a surrogate pair.
 */
const reasonPattern = String.raw`[{,]"reason":"(?:[^"\\]|\\.){0,200}"`;
/** More characters than {@link reasonPattern} matches. */
export const reasonLength = 420;

/** Writes the statements; `at` is the placeholder of the first, second, … value, `matched` what of a payload matches a pattern. */
export function statisticsStatements(
  statement: <Row extends readonly SqlValue[]>(text: string) => Statement<Row>,
  at: (place: number) => string,
  matched: (pattern: string) => string,
): StatisticsStatements {
  return {
    users: statement("SELECT status, COUNT(*) FROM users GROUP BY status"),
    apiKeys: statement("SELECT COUNT(*) FROM api_keys"),
    events: statement(`
      SELECT type, reason, COUNT(*) FROM (
        SELECT type, CASE WHEN payload LIKE '%"reason":%' THEN ${matched(at(1))} END AS reason
        FROM audit_events WHERE created_at >= ${at(2)}
      ) AS told GROUP BY type, reason`),
  };
}

/** Counts in a database on a server. */
export function statistics(rows: Rows, statements: StatisticsStatements): Pick<DirectoryStore, "statistics"> {
  return {
    async statistics(from, call) {
      const byStatus = new Map(await rows(call, statements.users));
      const count = (status: UserStatus): number => byStatus.get(status) ?? 0;
      const [[apiKeys] = [0]] = await rows(call, statements.apiKeys);
      const events = await rows(call, statements.events, reasonPattern, from.getTime());
      return {
        users: {
          active: count("active"),
          disabled: count("disabled"),
          deleted: count("deleted"),
          anonymized: count("anonymized"),
        },
        apiKeys,
        events: events.map(eventCount),
      };
    },
  };
}

function eventCount([type, match, count]: readonly [
  string,
  string | null,
  number,
]): DirectoryStatistics["events"][number] {
  const reason = match === null ? null : JSON.parse(match.slice(match.indexOf(":") + 1));
  return { type: type as EventType, reason, count };
}
