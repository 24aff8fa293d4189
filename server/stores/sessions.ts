import { type DetachedSessions, type EphemeralStore, type Log, memorySessions } from "latchkey";
import type { DriverOptions } from "../drivers/driver-options.ts";
import { memcachedClient } from "../drivers/memcached.ts";
import { mongoClient } from "../drivers/mongodb.ts";
import { redisClient } from "../drivers/redis.ts";
import type { SessionPlace } from "../settings/session-urls.ts";
import type { Settings } from "../settings/settings.ts";
import { FilesInUse, UnfitBackend } from "./unfit-backend.ts";

/** Sessions in another engine than the database of the accounts. */
export interface SessionBackend {
  readonly sessions: DetachedSessions;
  /** Where one-time tokens and counters go along; null: they stay in the database. */
  readonly ephemeral: EphemeralStore | null;
  /**
   * Resolves once the backend was found fit; it may never, and nothing waits for ever. Null where there is nothing to find out.
   *
   * @throws UnfitBackend - it answers and is unfit
   */
  readonly ready: (() => Promise<void>) | null;
  /** Ends what the driver opened, once the stores are closed. */
  end(): Promise<void>;
}

/** Where the server of a backend is. */
type Place<Backend> = Extract<SessionPlace, { readonly backend: Backend }>;

/** Opens the backend that SESSION_BACKEND names; null where sessions are in the database. @throws DriverMissing, UnfitBackend */
export async function openSessions(settings: Settings, log: Log): Promise<SessionBackend | null> {
  const { sessions: place, storeTimeoutMs } = settings;
  const options: DriverOptions = { asked: `SESSION_BACKEND=${place.backend}`, log, storeTimeoutMs };
  switch (place.backend) {
    case "database":
      return null;
    case "memory":
      return alone(memorySessions());
    case "file":
      return openFiles(place.path);
    case "redis":
    case "valkey":
      return openRedis(place, options);
    case "mongodb":
      return openMongodb(place, options);
    case "memcached":
      return openMemcached(place, options);
  }
}

function alone(sessions: DetachedSessions): SessionBackend {
  return { sessions, ephemeral: null, ready: null, end: async () => {} };
}

async function openFiles(path: string): Promise<SessionBackend> {
  const { fileSessions } = await import("latchkey/file");
  try {
    return alone(fileSessions({ path }));
  } catch (error) {
    const text = `SESSION_BACKEND=file: ${error instanceof Error ? error.message : String(error)}`;
    throw isLocked(error) ? new FilesInUse(text, { cause: error }) : new UnfitBackend(text, { cause: error });
  }
}

/** SQLITE_BUSY: the lock of the folder is another process's. */
function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return cause instanceof Error && "errcode" in cause && cause.errcode === 5;
}

async function openRedis(
  { address, prefix }: Place<"redis" | "valkey">,
  options: DriverOptions,
): Promise<SessionBackend> {
  const { client, connected, close } = await redisClient(address, options);
  const { redis, UnfitRedisError } = await import("latchkey/redis");
  const { sessions, ephemeral, ready } = redis({ client, prefix: `${prefix}:` });
  const fit = (): Promise<void> =>
    ready().catch((error: unknown) => {
      if (!(error instanceof UnfitRedisError)) throw error;
      throw new UnfitBackend(`${options.asked}: ${error.message}`, { cause: error });
    });
  return { sessions, ephemeral, ready: () => connected.then(fit), end: close };
}

async function openMongodb(
  { address, prefix }: Place<"mongodb">,
  options: DriverOptions,
): Promise<SessionBackend> {
  const client = await mongoClient(address, options);
  const { mongodb } = await import("latchkey/mongodb");
  const { sessions, ephemeral } = mongodb({ database: client.db(address.database), prefix: `${prefix}_` });
  return { sessions, ephemeral, ready: null, end: () => client.close() };
}

async function openMemcached(
  { nodes, prefix }: Place<"memcached">,
  options: DriverOptions,
): Promise<SessionBackend> {
  const { client, close } = await memcachedClient(nodes, options);
  const { memcachedSessions } = await import("latchkey/memcached");
  const sessions = memcachedSessions({ client, prefix: `${prefix}:` });
  return { sessions, ephemeral: null, ready: null, end: async () => close() };
}
