import { join } from "node:path";
import { type Stores, split, sqlite } from "latchkey";
import { fileSessions } from "latchkey/file";
import { redis } from "latchkey/redis";
import { createClient } from "redis";
import { number, setting } from "./settings.ts";

/** Where state lives, and what to end after it. */
export interface Opened {
  readonly stores: Stores;
  close(): Promise<void>;
}

/** Accounts lie in SQLite; sessions where `SESSION_BACKEND` says. */
export async function openStores(folder: string): Promise<Opened> {
  const backend = setting("SESSION_BACKEND", "database");
  const database = sqlite({ path: join(folder, "app.db") });
  if (backend === "database") return { stores: database, close: async () => {} };
  if (backend === "file") {
    const sessions = fileSessions({ path: join(folder, "sessions") });
    return { stores: split({ ...database, sessions }), close: async () => {} };
  }
  if (backend !== "redis" && backend !== "valkey")
    throw new Error(`SESSION_BACKEND: database, file, redis or valkey, not "${backend}"`);
  const socket = { host: setting("SESSION_HOST", "localhost"), port: number("SESSION_PORT", 6379) };
  const client = createClient({ socket, disableOfflineQueue: true }).on("error", console.error);
  await client.connect();
  return {
    stores: split({ ...database, ...redis({ client }) }),
    close: async () => client.destroy(),
  };
}
