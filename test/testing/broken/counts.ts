import type { DirectoryStatistics } from "../../../src/ports/directory-store.ts";
import { type Broken, brokenDirectory as broken, brokenSessions } from "./broken.ts";

const events = "events are counted from an instant on, by type and reason";
const usage = "usage of API keys is deleted by hour, up to the limit, and the newer stays";
const sessions = "all unexpired sessions of users are counted, or none are";

/** Statistics that are changed. */
function counting(
  mistake: string,
  caughtBy: string,
  change: (counts: DirectoryStatistics) => DirectoryStatistics,
): Broken {
  return broken(mistake, caughtBy, ({ statistics }) => ({
    statistics: async (from, call) => change(await statistics(from, call)),
  }));
}

export const brokenCounts: readonly Broken[] = [
  counting(
    "erased accounts count as deleted",
    "accounts are counted by status, API keys all together",
    (counts) => ({
      ...counts,
      users: { ...counts.users, deleted: counts.users.deleted + counts.users.anonymized, anonymized: 0 },
    }),
  ),
  counting(
    "users are counted, not their keys",
    "accounts are counted by status, API keys all together",
    (counts) => ({
      ...counts,
      apiKeys: Math.min(2, counts.apiKeys),
    }),
  ),
  counting("reasons are left out", events, (counts) => ({
    ...counts,
    events: counts.events.map((each) => ({ ...each, reason: null })),
  })),
  broken("the first instant is left out", events, ({ statistics }) => ({
    statistics: (from, call) => statistics(new Date(from.getTime() + 1), call),
  })),
  broken("all events ever are counted", events, ({ statistics }) => ({
    statistics: (_, call) => statistics(new Date(0), call),
  })),
  broken("usage is deleted without a limit", usage, ({ dropApiKeyUsage }) => ({
    dropApiKeyUsage: (instant, limit, call) => dropApiKeyUsage(instant, limit === 0 ? 0 : 1_000, call),
  })),
  broken("the hour itself goes too", usage, ({ dropApiKeyUsage }) => ({
    dropApiKeyUsage: (instant, limit, call) => dropApiKeyUsage(new Date(instant.getTime() + 1), limit, call),
  })),
  broken(
    "a deletion of usage always took what it might",
    "of many who delete usage at once each row is counted once",
    ({ dropApiKeyUsage }) => ({
      dropApiKeyUsage: async (instant, limit, call) =>
        Math.max(limit, await dropApiKeyUsage(instant, limit, call)),
    }),
  ),
  brokenSessions("visitors count", sessions, ({ count }) => ({
    count: async (call) => ((await count(call)) ?? 0) + 1,
  })),
  brokenSessions("expired sessions count", sessions, ({ count }) => ({
    count: (call) => count({ ...call, now: new Date(call.now.getTime() - 2_000) }),
  })),
];
