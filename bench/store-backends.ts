import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DetachedSessions, memory, type Stores, split, sqlite } from "latchkey";
import { fileSessions } from "latchkey/file";
import { memcachedOptions, memcachedSessions } from "latchkey/memcached";
import { mysql } from "latchkey/mysql";
import { postgres } from "latchkey/postgres";
import { redis } from "latchkey/redis";
import Memcached from "memcached";
import { createPool } from "mysql2/promise";
import pg from "pg";
import { createClient } from "redis";
import { unprivilegedAccount } from "../test/services/account.ts";
import { findEmbeddedPostgres } from "../test/services/embedded-postgres.ts";
import { findProgram } from "../test/services/found.ts";
import { addMariadb } from "../test/services/mariadb.ts";
import { addMemcached } from "../test/services/memcached.ts";
import { addPostgres } from "../test/services/postgres.ts";
import { addRedis } from "../test/services/redis.ts";
import { openGroup } from "../test/services/server-group.ts";

/** Stores over a state that is new and empty. */
export interface OpenedStores {
  readonly stores: Stores;
  /** What sessions take at this moment, in memory or on disk, indexes included. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

/** Stores that are measured. */
export interface Backend {
  readonly name: string;
  /** Why they cannot be measured on this machine, or null. */
  skipped(): string | null;
  /** More than these would take too long to add: each transaction waits for the disk, or each session for its user's others. */
  readonly mostSessions?: number;
  open(): Promise<OpenedStores>;
}

const program = (...names: readonly string[]): string | null => findProgram(names, process.env);
const missing = (name: string) => (): string | null => (program(name) === null ? `no ${name} here` : null);
const never = (): null => null;

/** What {@link stores} compares, the embedded ones first. Where only sessions are kept, users lie in SQLite beside them. */
export const backends: readonly Backend[] = [
  { name: "memory()", skipped: never, open: () => beside(() => memory(), heapBytes) },
  {
    name: "sqlite()",
    skipped: never,
    open: () => inFolder(async (folder) => ({ stores: sqlite({ path: join(folder, "s.db") }), folder })),
  },
  {
    name: "fileSessions()",
    skipped: never,
    mostSessions: 100_000,
    open: () =>
      inFolder(async (folder) => {
        const sessions = join(folder, "sessions");
        return { stores: joined(folder, fileSessions({ path: sessions })), folder: sessions };
      }),
  },
  { name: "postgres()", skipped: never, mostSessions: 100_000, open: onPostgres },
  { name: "mysql()", skipped: missing("mariadbd"), mostSessions: 100_000, open: onMariadb },
  { name: "redis()", skipped: missing("redis-server"), open: onRedis },
  {
    name: "memcachedSessions()",
    skipped: missing("memcached"),
    mostSessions: 100_000,
    open: onMemcached,
  },
];

function joined(folder: string, sessions: DetachedSessions): Stores {
  return split({ ...sqlite({ path: join(folder, "directory.db") }), sessions });
}

async function closeAll({ ephemeral, sessions, directory }: Stores): Promise<void> {
  for (const port of [ephemeral, sessions, directory]) await port.close();
}

async function beside(make: () => Stores, bytes: () => number): Promise<OpenedStores> {
  const stores = make();
  return { stores, bytes: async () => bytes(), close: () => closeAll(stores) };
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

async function inFolder(
  make: (folder: string) => Promise<{ readonly stores: Stores; readonly folder: string }>,
): Promise<OpenedStores> {
  const root = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const { stores, folder } = await make(root);
  return {
    stores,
    bytes: async () => bytesIn(folder),
    async close() {
      await closeAll(stores);
      rmSync(root, { recursive: true });
    },
  };
}

// As the disk counts them: a file takes whole blocks.
function bytesIn(folder: string): number {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).blocks * 512, 0);
}

async function onPostgres(): Promise<OpenedStores> {
  const group = openGroup("bench-postgres", unprivilegedAccount());
  const binary = program("postgres") ?? findEmbeddedPostgres();
  if (binary === null) throw new Error("no PostgreSQL for this platform");
  const { url } = await addPostgres(group, binary, { fsync: "on", full_page_writes: "on" });
  const pool = new pg.Pool({ connectionString: url, max: 16 });
  const stores = postgres({ pool, prepare: true });
  await stores.migrations.up();
  return {
    stores,
    async bytes() {
      const { rows } = await pool.query<{ bytes: string }>(
        "SELECT pg_total_relation_size('sessions') AS bytes",
      );
      return Number(rows[0]?.bytes);
    },
    async close() {
      await closeAll(stores);
      await pool.end();
      await group.end();
    },
  };
}

async function onMariadb(): Promise<OpenedStores> {
  const group = openGroup("bench-mariadb", unprivilegedAccount());
  const { url } = await addMariadb(group, program("mariadbd") ?? "");
  const pool = createPool({ uri: url, connectionLimit: 16 });
  const stores = mysql({ pool });
  await stores.migrations.up();
  return {
    stores,
    async bytes() {
      await pool.query("ANALYZE TABLE sessions");
      const [rows] = await pool.query(
        "SELECT data_length + index_length AS bytes FROM information_schema.tables WHERE table_schema = database() AND table_name = 'sessions'",
      );
      return Number((rows as unknown as readonly { readonly bytes: number }[])[0]?.bytes);
    },
    async close() {
      await closeAll(stores);
      await pool.end();
      await group.end();
    },
  };
}

async function onRedis(): Promise<OpenedStores> {
  const group = openGroup("bench-redis");
  const { port } = await addRedis(group, program("redis-server") ?? "");
  const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
  const opened = await inFolder(async (folder) => ({
    stores: joined(folder, redis({ client }).sessions),
    folder,
  }));
  return {
    stores: opened.stores,
    bytes: async () => Number(/used_memory:(\d+)/.exec(await client.info("memory"))?.[1]),
    async close() {
      await opened.close();
      client.destroy();
      await group.end();
    },
  };
}

async function onMemcached(): Promise<OpenedStores> {
  const group = openGroup("bench-memcached", unprivilegedAccount());
  const { port } = await addMemcached(group, program("memcached") ?? "", ["-m", "4096"]);
  const client = new Memcached(`127.0.0.1:${port}`, { ...memcachedOptions });
  const opened = await inFolder(async (folder) => ({
    stores: joined(folder, memcachedSessions({ client })),
    folder,
  }));
  return {
    stores: opened.stores,
    bytes: () =>
      new Promise((resolve, reject) =>
        client.stats((error, stats) =>
          error ? reject(error) : resolve(Number((stats[0] as { readonly bytes: number }).bytes)),
        ),
      ),
    async close() {
      await opened.close();
      client.end();
      await group.end();
    },
  };
}
