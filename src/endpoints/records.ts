import * as z from "zod/mini";
import { type AuditRow, eventOfRow } from "../domain/audit.ts";
import type { EventType } from "../domain/event.ts";
import { wireEvent } from "../domain/event-wire.ts";
import { AuthError } from "../errors.ts";
import { type Statistics, type StatisticsDays, statisticsDays } from "../flows/administration/statistics.ts";
import { mostAuditRows } from "../flows/audit/search-audit.ts";
import type { Route } from "../ports/route.ts";
import { type AdministrationParts, withoutAbsent } from "./administration.ts";
import { queryLimit, queryText, queryTime, readQuery } from "./queries.ts";
import { row } from "./row.ts";

const time = z.iso.datetime();
const text = z.nullable(z.string());

/** A row of the audit log on the wire. */
export const eventShape: z.ZodMiniObject = z.object({
  type: z.string(),
  timestamp: time,
  id: z.uuid(),
  user_id: text,
  session_id: text,
  ip: text,
  user_agent: text,
  request_id: text,
  data: z.record(z.string(), z.unknown()),
});

/** An audit row as the wire spells it. */
export function wireRow(row: AuditRow): Readonly<Record<string, unknown>> {
  return { ...wireEvent(eventOfRow(row)) };
}

const auditQuery = z.object({
  user_id: z.optional(queryText(64)),
  type: z.optional(queryText(1_000)),
  from: z.optional(queryTime),
  to: z.optional(queryTime),
  cursor: z.optional(queryText(64)),
  limit: z.optional(queryLimit(mostAuditRows)),
});

const counts = z.record(z.string(), z.int());
const statisticsShape = z.object({
  users: counts,
  api_keys: z.int(),
  sessions: z.nullable(z.int()),
  sign_ins: z.int(),
  sign_in_failures: counts,
  events: counts,
  from: time,
  counted_at: time,
});

/** What was done, and how much of it. */
export function recordRoutes({ administration, requires }: AdministrationParts): readonly Route[] {
  return [
    row({
      method: "GET",
      path: "/audit",
      summary:
        "The audit log, newest first; `user_id`, `type` (several with commas), `from`, `to`, `limit`, `cursor`",
      guards: [requires("audit:read")],
      answers: { 200: z.object({ items: z.array(eventShape), next_cursor: text }) },
      async handle({ query, ...call }) {
        const { user_id: userId, type, cursor: before, ...rest } = readQuery(auditQuery, query);
        const types = type?.split(",").map((each) => each.trim()) as EventType[] | undefined;
        const { rows, next } = await administration
          .as(call)
          .audit(withoutAbsent({ ...rest, userId, types, before }));
        return { status: 200, body: { items: rows.map(wireRow), next_cursor: next } };
      },
    }),
    row({
      method: "GET",
      path: "/stats",
      summary:
        "Accounts, sessions and keys that there are, and events of the last `days` (1, 7 or 30); at most 30 s old",
      guards: [requires("statistics:read")],
      answers: { 200: statisticsShape },
      async handle({ query, ...call }) {
        const counted = await administration.as(call).statistics(daysOf(query.get("days")));
        return { status: 200, body: wireStatistics(counted) };
      },
    }),
  ];
}

/** Counts as the wire spells them. */
export function wireStatistics(counted: Statistics): Readonly<Record<string, unknown>> {
  return {
    users: counted.users,
    api_keys: counted.apiKeys,
    sessions: counted.sessions,
    sign_ins: counted.signIns,
    sign_in_failures: counted.signInFailures,
    events: counted.events,
    from: counted.from.toISOString(),
    counted_at: counted.countedAt.toISOString(),
  };
}

// Of any other stretch there would be as many counts as there are numbers.
function daysOf(given: string | null): StatisticsDays {
  const days = statisticsDays.find((each) => String(each) === (given ?? "1"));
  if (days !== undefined) return days;
  const message = `One of ${statisticsDays.join(", ")}`;
  throw new AuthError("invalid_input", { fields: [{ field: "days", code: "invalid", message }] });
}
