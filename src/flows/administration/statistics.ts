import type { EventType } from "../../domain/event.ts";
import type { DirectoryStatistics } from "../../ports/directory-store.ts";
import type { Services } from "../../ports/services.ts";

/** Stretches that can be asked for, in days. */
export const statisticsDays = [1, 7, 30] as const;

/** One of {@link statisticsDays}. */
export type StatisticsDays = (typeof statisticsDays)[number];

/** Counts of what there is, and of what happened from `from` on. */
export interface Statistics extends Pick<DirectoryStatistics, "users" | "apiKeys"> {
  /** Live sessions of users; null where the engine could only tell by reading them all. */
  readonly sessions: number | null;
  readonly signIns: number;
  /** Failed sign-ins by reason. */
  readonly signInFailures: Readonly<Record<string, number>>;
  /** Every type of event that happened. */
  readonly events: Readonly<Partial<Record<EventType, number>>>;
  readonly from: Date;
  /** When it was counted. */
  readonly countedAt: Date;
}

/** Counting reads a great deal: what was counted is answered for this long. */
export const statisticsAgeSeconds = 30;

/** Makes what counts, at most once in {@link statisticsAgeSeconds} for each stretch, however many ask. */
export function statistics(services: Services): (days?: StatisticsDays) => Promise<Statistics> {
  const { clock } = services;
  const counted = new Map<StatisticsDays, { readonly at: number; readonly result: Promise<Statistics> }>();
  return (days = 1) => {
    const now = clock.now().getTime();
    const last = counted.get(days);
    const ageMs = last === undefined ? Number.POSITIVE_INFINITY : now - last.at;
    if (last !== undefined && ageMs >= 0 && ageMs < statisticsAgeSeconds * 1000) return last.result;
    const result = count(services, days);
    counted.set(days, { at: now, result });
    // What failed is nobody's answer but that of those who are waiting for it.
    result.catch(() => counted.get(days)?.result === result && counted.delete(days));
    return result;
  };
}

async function count({ stores, clock, call }: Services, days: StatisticsDays): Promise<Statistics> {
  const countedAt = clock.now();
  const from = new Date(countedAt.getTime() - days * 86_400_000);
  const [{ users, apiKeys, events }, sessions] = await Promise.all([
    stores.directory.statistics(from, call()),
    stores.sessions.count(call()),
  ]);
  const byType: Partial<Record<EventType, number>> = {};
  const signInFailures: Record<string, number> = {};
  for (const { type, reason, count } of events) {
    byType[type] = (byType[type] ?? 0) + count;
    if (type !== "user.login_failed") continue;
    signInFailures[reason ?? "other"] = (signInFailures[reason ?? "other"] ?? 0) + count;
  }
  const signIns = byType["user.logged_in"] ?? 0;
  return { users, apiKeys, sessions, signIns, signInFailures, events: byType, from, countedAt };
}
