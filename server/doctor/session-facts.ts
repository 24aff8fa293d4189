import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "latchkey";
import type { DriverOptions } from "../drivers/driver-options.ts";
import { redisClient } from "../drivers/redis.ts";
import type { RedisAddress } from "../settings/session-urls.ts";
import type { Settings } from "../settings/settings.ts";
import { openSessions } from "../stores/sessions.ts";
import { FilesInUse } from "../stores/unfit-backend.ts";
import { skewOf } from "./database-probe.ts";
import type { Looked, RedisFacts, SessionServerFacts } from "./facts.ts";
import { reason } from "./reason.ts";

/** Looks at where sessions are, where that is another engine than the database. */
export async function sessionFacts(settings: Settings, log: Log): Promise<Looked<SessionServerFacts>> {
  const { sessions: place, storeTimeoutMs } = settings;
  if (place.backend === "database" || place.backend === "memory")
    return {
      state: "absent",
      why: `sessions are in ${place.backend === "memory" ? "memory" : "the database"}`,
    };
  const patience = AbortSignal.timeout(storeTimeoutMs);
  try {
    if (place.backend === "redis" || place.backend === "valkey") {
      const options: DriverOptions = { asked: `SESSION_BACKEND=${place.backend}`, log, storeTimeoutMs };
      const redis = await redisFacts(place.address, options, patience);
      return { state: "known", value: { backend: place.backend, redis } };
    }
    await answering(settings, log, patience);
    return { state: "known", value: { backend: place.backend, redis: null } };
  } catch (error) {
    // A running server has them, which is an answer.
    if (error instanceof FilesInUse) return { state: "known", value: { backend: "file", redis: null } };
    return { state: "unknown", why: `${place.backend} does not answer: ${reason(error)}` };
  }
}

async function answering(settings: Settings, log: Log, signal: AbortSignal): Promise<void> {
  const backend = await openSessions(settings, log);
  if (backend === null) return;
  try {
    await within(signal, Promise.resolve(backend.sessions.ping({ now: new Date(), signal })));
  } finally {
    await backend.sessions.close();
    await backend.end();
  }
}

type Command = (...args: readonly string[]) => Promise<unknown>;

async function redisFacts(
  address: RedisAddress,
  options: DriverOptions,
  patience: AbortSignal,
): Promise<RedisFacts> {
  const { client, connected, close } = await redisClient(address, options);
  const send = commandsOf(client, address.topology);
  try {
    await within(patience, connected);
    return await within(patience, factsBy(send));
  } finally {
    await close();
  }
}

async function factsBy(send: Command): Promise<RedisFacts> {
  const fields = new Map(
    String(await send("INFO"))
      .split(/\r?\n/)
      .map((line) => line.split(":", 2) as [string, string]),
  );
  const number = (name: string): number => Number(fields.get(name) ?? 0);
  const save = await configured(send, "save");
  const minReplicas = await configured(send, "min-replicas-to-write");
  const most = number("maxmemory");
  return {
    version: fields.get("redis_version") ?? "0",
    policy: fields.get("maxmemory_policy") ?? "unknown",
    clockSkewMs: await skewOf(async () => {
      const [seconds, micros] = (await send("TIME")) as readonly string[];
      return Number(seconds) * 1_000 + Number(micros) / 1_000;
    }),
    // A server that keeps its settings to itself is believed to keep its data as well.
    isPersistent: number("aof_enabled") === 1 || save === null || save !== "",
    hasFailedToSave:
      fields.get("rdb_last_bgsave_status") === "err" || fields.get("aof_last_write_status") === "err",
    memoryShare: most === 0 ? null : number("used_memory") / most,
    replicas: number("connected_slaves"),
    minReplicas: minReplicas === null ? null : Number(minReplicas),
  };
}

/** One setting of the server; null where it tells none. */
async function configured(send: Command, name: string): Promise<string | null> {
  try {
    const answer = (await send("CONFIG", "GET", name)) as
      | readonly unknown[]
      | Readonly<Record<string, unknown>>;
    const value = Array.isArray(answer) ? answer[1] : (answer as Readonly<Record<string, unknown>>)[name];
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}

// Of a cluster one of its servers answers.
function commandsOf(client: unknown, topology: RedisAddress["topology"]): Command {
  const { sendCommand } = client as {
    readonly sendCommand: (...args: readonly unknown[]) => Promise<unknown>;
  };
  const send = sendCommand.bind(client);
  if (topology === "cluster") return (...args) => send(undefined, true, args);
  return topology === "sentinel" ? (...args) => send(false, args) : (...args) => send(args);
}

/** @throws Error where it takes longer */
async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = delay(2 ** 31 - 1, undefined, { signal: AbortSignal.any([signal, done.signal]) }).catch(() => {
    throw new Error("it took too long");
  });
  try {
    return await Promise.race([work, late as Promise<never>]);
  } finally {
    done.abort();
    late.catch(() => {});
  }
}
