import { join } from "node:path";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { createClient } from "redis";
import type { Stores } from "../../../src/ports/stores.ts";
import { fileSessions } from "../../../src/stores/file/file.ts";
import { mysql } from "../../../src/stores/mysql/mysql.ts";
import { postgres } from "../../../src/stores/postgres/postgres.ts";
import { redis } from "../../../src/stores/redis/redis.ts";
import { split } from "../../../src/stores/split.ts";
import { sqlite } from "../../../src/stores/sqlite/sqlite.ts";
import { sessionsOn } from "../memcached-servers.ts";

/** Where a process finds its stores, as text that can be handed to another. */
export type Place =
  | { readonly engine: "sqlite" | "sqlite+file"; readonly folder: string }
  /** A Memcached that nobody else uses. */
  | { readonly engine: "sqlite+memcached"; readonly folder: string; readonly address: string }
  /** A database that nobody else uses. */
  | { readonly engine: "postgres" | "mysql"; readonly url: string }
  /** And keys that nobody else uses. */
  | { readonly engine: "postgres+redis"; readonly url: string; readonly redis: RedisPlace };

/** Keys on a Redis; the prefix is also the name of each connection, so that those of a killed process can be told. */
export interface RedisPlace {
  readonly url: string;
  readonly prefix: string;
}

/** Stores, and what ends them with all that they opened. */
export interface OpenStores {
  readonly stores: Stores;
  end(): Promise<void>;
}

/** Whether a transaction spans directory and sessions: of a half-done one, nothing is ever seen. */
export function isWhole({ engine }: Place): boolean {
  return !engine.includes("+");
}

/** The file of a place on SQLite. */
export function databaseOf(folder: string): string {
  return join(folder, "app.db");
}

/** Opens the stores of a place. */
export async function openStores(place: Place): Promise<OpenStores> {
  switch (place.engine) {
    case "postgres":
      return onPostgres(place.url);
    case "postgres+redis":
      return besideRedis(onPostgres(place.url), place.redis);
    case "mysql": {
      const pool = createPool({ uri: place.url });
      return ending(mysql({ pool }), () => pool.end());
    }
    case "sqlite":
      return ending(onSqlite(place.folder));
    case "sqlite+file": {
      const sessions = fileSessions({ path: join(place.folder, "sessions") });
      return ending(split({ ...onSqlite(place.folder), sessions }));
    }
    case "sqlite+memcached":
      return ending(split({ ...onSqlite(place.folder), sessions: sessionsOn(place.address) }));
  }
}

function onSqlite(folder: string): Stores {
  return sqlite({ path: databaseOf(folder) });
}

function onPostgres(url: string): OpenStores {
  const pool = new pg.Pool({ connectionString: url });
  return ending(postgres({ pool }), () => pool.end());
}

async function besideRedis({ stores, end }: OpenStores, { url, prefix }: RedisPlace): Promise<OpenStores> {
  const client = createClient({ url, name: prefix });
  await client.connect();
  return ending(split({ ...stores, ...redis({ client, prefix }) }), async () => {
    client.destroy();
    await end();
  });
}

/** Closed in the order that `split` needs, then `last`. Each port takes being closed twice. */
function ending(stores: Stores, last: () => Promise<void> = async () => {}): OpenStores {
  const end = async (): Promise<void> => {
    for (const port of [stores.sessions, stores.ephemeral, stores.directory]) await port.close();
    await last();
  };
  return { stores, end };
}
