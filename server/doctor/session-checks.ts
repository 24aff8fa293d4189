import { type Check, checksOf, found, type Outcome, ok, skipped } from "./check.ts";
import { sameClock } from "./database-checks.ts";
import type { RedisFacts, SessionServerFacts } from "./facts.ts";

/** The oldest Redis whose scripts and commands are enough. */
const oldestRedis = [6, 2] as const;

/** Checks of the server of the sessions. */
export const sessionChecks: readonly Check[] = checksOf("sessions", [
  {
    id: "redis-version",
    title: "Redis is new enough",
    severity: "error",
    check: ofRedis(({ version }) => {
      const [major = 0, minor = 0] = version.split(".").map(Number);
      return major > oldestRedis[0] || (major === oldestRedis[0] && minor >= oldestRedis[1])
        ? ok
        : found(`Redis ${version}`, `Run Redis ${oldestRedis.join(".")} or newer, or Valkey.`);
    }),
  },
  {
    id: "redis-evicts-nothing",
    title: "Redis forgets nothing when its memory is full",
    severity: "error",
    check: ofRedis(({ policy }) =>
      policy === "noeviction"
        ? ok
        : found(
            `maxmemory-policy ${policy}`,
            "Run: CONFIG SET maxmemory-policy noeviction. Else spent tokens and counted attempts are forgotten.",
          ),
    ),
  },
  {
    id: "redis-clock",
    title: "Redis' clock is this machine's",
    severity: "warning",
    check: ofRedis(({ clockSkewMs }) => sameClock(clockSkewMs)),
  },
  {
    id: "redis-persistent",
    title: "Redis keeps what it has on disk",
    severity: "warning",
    scope: "production",
    check: ofRedis(({ isPersistent }) =>
      isPersistent
        ? ok
        : found(
            "neither appendonly nor save",
            "Set appendonly yes: else a restart ends the sessions in it and forgets attempts.",
          ),
    ),
  },
  {
    id: "redis-saves",
    title: "Redis' last write to disk went well",
    severity: "error",
    check: ofRedis(({ hasFailedToSave }) =>
      hasFailedToSave
        ? found("it failed", "Look into Redis' log: the disk may be full or not writable.")
        : ok,
    ),
  },
  {
    id: "redis-memory",
    title: "Redis has memory left",
    severity: "warning",
    check: ofRedis(({ memoryShare }) => {
      if (memoryShare === null) return skipped("it has no limit");
      return memoryShare < 0.85
        ? ok
        : found(
            `${Math.round(memoryShare * 100)} % taken`,
            "Raise maxmemory: full, it refuses sign-ins, refreshes and every counted attempt. Sessions can still be ended.",
          );
    }),
  },
  {
    id: "redis-replicas-heard",
    title: "Redis confirms what a replica has heard of",
    severity: "note",
    scope: "production",
    check: ofRedis(({ replicas, minReplicas }) => {
      if (replicas === 0) return skipped("it has no replicas");
      return minReplicas === null || minReplicas > 0
        ? ok
        : found(
            "min-replicas-to-write 0",
            "Set it to 1: else a primary that was cut off goes on answering for up to 15 minutes.",
          );
    }),
  },
]);

function ofRedis(check: (redis: RedisFacts) => Outcome) {
  return ({ redis, backend }: SessionServerFacts): Outcome =>
    redis === null ? skipped(`sessions are in ${backend}`) : check(redis);
}
