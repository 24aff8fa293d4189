import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
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
import { unprivilegedAccount } from "../test/servers/account.ts";
import { findEmbeddedPostgres } from "../test/servers/embedded-postgres.ts";
import { findProgram } from "../test/servers/found.ts";
import { addMariadb } from "../test/servers/mariadb.ts";
import { addMemcached } from "../test/servers/memcached.ts";
import { addPostgres } from "../test/servers/postgres.ts";
import { addRedis } from "../test/servers/redis.ts";
import { openGroup } from "../test/servers/server-group.ts";
import { type Add, committing, inserting } from "./bulk.ts";
import { gatheringMysql, gatheringPostgres } from "./gathered-inserts.ts";
import { gatheringMemcached } from "./gathered-items.ts";

/** Stores over a state that is new and empty. */
export interface OpenedStores {
  readonly stores: Stores;
  /** Hands `work` what adds many sessions in little time. When it resolves they are there, and nothing is left to be tidied up. */
  filled(work: (add: Add) => Promise<void>): Promise<void>;
  /** What sessions take at this moment, in memory or on disk, indexes included. */
  bytes(): Promise<number>;
  close(): Promise<void>;
}

/** Stores that are measured. */
export interface Backend {
  /** As applications call it, without the brackets. */
  readonly name: string;
  /** Why they cannot be measured on this machine, or null. */
  skipped(): string | null;
  open(): Promise<OpenedStores>;
}

const program = (...names: readonly string[]): string | null => findProgram(names, process.env);
const missing = (name: string) => (): string | null => (program(name) === null ? `no ${name} here` : null);
const never = (): null => null;

/** What {@link stores} compares, the embedded ones first. Where only sessions are kept, users lie in SQLite beside them. */
export const backends: readonly Backend[] = [
  { name: "memory", skipped: never, open: inMemory },
  { name: "sqlite", skipped: never, open: onSqlite },
  { name: "fileSessions", skipped: never, open: inFiles },
  { name: "postgres", skipped: never, open: onPostgres },
  { name: "mysql", skipped: missing("mariadbd"), open: onMariadb },
  { name: "redis", skipped: missing("redis-server"), open: onRedis },
  { name: "memcachedSessions", skipped: missing("memcached"), open: onMemcached },
];

async function inMemory(): Promise<OpenedStores> {
  const stores = memory();
  return {
    stores,
    filled: (work) => work(committing(stores.directory)),
    bytes: async () => heapBytes(),
    close: () => closeAll(stores),
  };
}

async function onSqlite(): Promise<OpenedStores> {
  const folder = newFolder();
  const path = join(folder, "s.db");
  const stores = sqlite({ path });
  return {
    stores,
    filled: (work) => work(committing(stores.directory)),
    async bytes() {
      // What lies in the log and in the file would count twice.
      const file = new DatabaseSync(path, { timeout: 10_000 });
      const emptied = file.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
      // Two at a time do not wait for each other: the store may be at one itself.
      while (emptied.get()?.busy !== 0) await sleep(20);
      file.close();
      return bytesIn(folder);
    },
    async close() {
      await closeAll(stores);
      rmSync(folder, { recursive: true });
    },
  };
}

async function inFiles(): Promise<OpenedStores> {
  const path = newFolder();
  const opened = withUsersBeside(fileSessions({ path }));
  return {
    ...opened,
    async filled(work) {
      // Each session waits for the disk, which takes an hour for a million. In memory the same files take minutes.
      const draft = newFolder(memoryFolder());
      const sessions = fileSessions({ path: draft });
      await work(inserting(opened.directory, sessions));
      await sessions.close();
      cpSync(join(draft, "slots"), join(path, "slots"), { recursive: true, preserveTimestamps: true });
      rmSync(draft, { recursive: true });
      // Where there is no such program, the system writes while checks are measured.
      spawnSync("sync");
    },
    bytes: async () => bytesIn(path),
    async close() {
      await opened.close();
      rmSync(path, { recursive: true });
    },
  };
}

/** Users in SQLite, sessions where they are. */
function withUsersBeside(sessions: DetachedSessions) {
  const folder = newFolder();
  const own = sqlite({ path: join(folder, "directory.db") });
  const stores = split({ ...own, sessions });
  return {
    stores,
    directory: own.directory,
    async close() {
      await closeAll(stores);
      rmSync(folder, { recursive: true });
    },
  };
}

function newFolder(parent: string = tmpdir()): string {
  return mkdtempSync(join(parent, "latchkey-bench-"));
}

/** Room that a million sessions in files take, and some. */
const roomBytes = 2 ** 31;

// Where Linux has it, if a million sessions find room there.
function memoryFolder(): string {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    return bavail * bsize > roomBytes ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}

async function closeAll({ ephemeral, sessions, directory }: Stores): Promise<void> {
  for (const port of [ephemeral, sessions, directory]) await port.close();
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
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
  const { url } = await addPostgres(group, binary, {
    fsync: "on",
    full_page_writes: "on",
    shared_buffers: "1GB",
  });
  const pool = new pg.Pool({ connectionString: url, max: 16 });
  const stores = postgres({ pool, prepare: true });
  await stores.migrations.up();
  return {
    stores,
    async filled(work) {
      await work(committing(postgres({ pool: gatheringPostgres(pool) }).directory));
      // What the server would do some time later, while checks are measured.
      await pool.query("VACUUM (ANALYZE) users, sessions");
      await pool.query("CHECKPOINT");
    },
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
  const { url } = await addMariadb(group, program("mariadbd") ?? "", [
    "--innodb-buffer-pool-size=1G",
    "--innodb-log-file-size=512M",
  ]);
  const pool = createPool({ uri: url, connectionLimit: 16 });
  const stores = mysql({ pool });
  await stores.migrations.up();
  return {
    stores,
    filled: (work) => work(committing(mysql({ pool: gatheringMysql(pool) }).directory)),
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
  const { sessions } = redis({ client });
  const opened = withUsersBeside(sessions);
  return {
    ...opened,
    filled: (work) => work(inserting(opened.directory, sessions)),
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
  const opened = withUsersBeside(memcachedSessions({ client }));
  return {
    ...opened,
    filled: (work) =>
      work(async (addition, call) => {
        const gathering = gatheringMemcached(client);
        await inserting(opened.directory, memcachedSessions({ client: gathering }))(addition, call);
        await gathering.send();
      }),
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
