import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { eventually } from "./eventually.ts";
import { sharedMemoryOf } from "./postgres.ts";
import { isRunning } from "./process-tree.ts";
import { askRedis } from "./redis-ask.ts";
import type { ServerNode } from "./server-group.ts";
import { startMariadb } from "./start-mariadb.ts";
import { startMemcached } from "./start-memcached.ts";
import { startPostgres } from "./start-postgres.ts";
import { startRedis, startRedisCluster, startSentinel } from "./start-redis.ts";

/** Sends a line over a connection of its own; the first thing that comes back. */
async function say(port: number, line: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  socket.write(`${line}\r\n`);
  return String((await once(socket, "data"))[0]);
}

async function postgres<T>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function mariadb(url: string, sql: string): Promise<unknown> {
  const connection = await createConnection({ uri: url, multipleStatements: true });
  try {
    return (await connection.query(sql))[0];
  } finally {
    await connection.end();
  }
}

/** A stopped server holds a question, and answers it after `cont`. */
async function holdsWhileStopped(node: ServerNode, ask: () => Promise<unknown>): Promise<void> {
  node.stop();
  const answer = ask().then(
    () => "answered",
    (error: unknown) => error,
  );
  // That nothing comes is seen by time alone.
  expect(await Promise.race([answer, sleep(50, "held")])).toBe("held");
  node.cont();
  expect(await answer).toBe("answered");
}

/** A killed server is gone with all its processes, and comes back where it was. */
async function comesBack(node: ServerNode, ask: () => Promise<unknown>): Promise<void> {
  const { pid, port } = node;
  await node.kill();
  expect(isRunning(pid)).toBe(false);
  await expect(ask()).rejects.toThrow();
  await node.start();
  expect(node.port).toBe(port);
  expect(node.pid).not.toBe(pid);
  await ask();
}

function sharedMemoryIds(): (string | undefined)[] {
  const [, ...lines] = readFileSync("/proc/sysvipc/shm", "utf8").trim().split("\n");
  return lines.map((line) => line.trim().split(/ +/)[1]);
}

describe.skipIf(inject("redisBinary") === null)("a Redis of a test's own", () => {
  test("answers, holds while stopped, is killed and comes back empty", async () => {
    const { node, url, port, end } = await startRedis({ settings: ["maxmemory-policy noeviction"] });
    expect(url).toBe(`redis://127.0.0.1:${port}`);
    const ask = () => askRedis(port, "PING");
    expect(await ask()).toBe("PONG");
    expect(await askRedis(port, "INFO", "memory")).toContain("maxmemory_policy:noeviction");
    await askRedis(port, "SET", "a", "1");
    await holdsWhileStopped(node, ask);
    await comesBack(node, ask);
    expect(await askRedis(port, "GET", "a")).toBe("");
    await end();
    expect([isRunning(node.pid), existsSync(node.folder)]).toEqual([false, false]);
  });

  test("that refuses its settings says so, and leaves nothing", async () => {
    const ending = startRedis({ settings: ["no-such-setting 1"] });
    await expect(ending).rejects.toThrow(/redis-server ended with code 1:.*no-such-setting/s);
  });

  test("takes another port where one is taken", async () => {
    const taken = await startRedis();
    const ports = [taken.port, taken.port, taken.port + 1_000];
    const random = vi
      .spyOn(Math, "random")
      .mockImplementation(() => ((ports.shift() ?? 0) - 12_000 + 0.5) / 10_700);
    onTestFinished(() => void random.mockRestore());
    const other = await startRedis();
    expect([other.port, ports]).toEqual([taken.port + 1_000, []]);
  });

  test("in a cluster: three primaries, each replaced by its replica when it dies", async () => {
    const { nodes, primaries, replicas, ports } = await startRedisCluster();
    expect(new Set(ports).size).toBe(6);
    const [primary, replica] = [primaries[0], replicas[0]];
    if (primary === undefined || replica === undefined) throw new Error("no nodes");
    await primary.kill();
    await eventually(async () =>
      (await askRedis(replica.port, "INFO", "replication")).includes("role:master"),
    );
    const others = nodes.filter((node) => node !== primary);
    await eventually(async () => {
      const states = await Promise.all(others.map(({ port }) => askRedis(port, "CLUSTER", "INFO")));
      return states.every((state) => state.includes("cluster_state:ok"));
    });
    await primary.start();
    await eventually(async () =>
      (await askRedis(primary.port, "INFO", "replication")).includes("master_link_status:up"),
    );
  });

  test("under Sentinels: the primary is replaced when it dies", async () => {
    const { primary, replicas, sentinels, name } = await startSentinel();
    await primary.kill();
    await eventually(async () => {
      const infos = await Promise.all(replicas.map(({ port }) => askRedis(port, "INFO", "replication")));
      return infos.some((info) => info.includes("role:master"));
    });
    const asked = await Promise.all(sentinels.map(({ port }) => askRedis(port, "INFO", "sentinel")));
    expect(asked.every((info) => info.includes(`name=${name}`))).toBe(true);
  });
});

describe.skipIf(inject("valkeyBinary") === null)("a Valkey of a test's own", () => {
  test("is one", async () => {
    const { port } = await startRedis({ binary: inject("valkeyBinary") });
    expect(await askRedis(port, "INFO", "server")).toContain("server_name:valkey");
  });

  test("in a cluster is in step", async () => {
    const { ports } = await startRedisCluster({ binary: inject("valkeyBinary") });
    const states = await Promise.all(ports.map((port) => askRedis(port, "CLUSTER", "INFO")));
    expect(states.filter((state) => state.includes("cluster_state:ok"))).toHaveLength(6);
  });
});

describe.skipIf(inject("memcachedBinary") === null)("a Memcached of a test's own", () => {
  test("answers, holds while stopped, is killed and comes back", async () => {
    const { node, port, address } = await startMemcached({ args: ["-m", "8"] });
    expect(address).toBe(`127.0.0.1:${port}`);
    const ask = () => say(port, "version");
    expect(await ask()).toMatch(/^VERSION /);
    await holdsWhileStopped(node, ask);
    await comesBack(node, ask);
  });
});

describe.skipIf(inject("postgresBinary") === null)("a PostgreSQL of a test's own", () => {
  test("answers, holds while stopped, is killed and keeps what it acknowledged", async () => {
    const { node, url, end } = await startPostgres({ settings: { max_connections: "17" } });
    const ask = () => postgres(url, "SHOW max_connections");
    expect(await ask()).toEqual([{ max_connections: "17" }]);
    await postgres(url, "CREATE TABLE a AS SELECT 1 AS b");
    const client = new pg.Client(url);
    const hasLost = new Promise((resolve) => client.once("end", resolve));
    client.on("error", () => {});
    await client.connect();
    // A connection has a process of its own, which is stopped and killed like the first.
    await holdsWhileStopped(node, () => client.query("SELECT 1"));
    await comesBack(node, ask);
    await hasLost;
    expect(await postgres(url, "SELECT b FROM a")).toEqual([{ b: 1 }]);
    const segment = sharedMemoryOf(node.folder) ?? "none";
    expect(sharedMemoryIds()).toContain(segment);
    await node.kill();
    await end();
    expect(sharedMemoryIds()).not.toContain(segment);
  });

  test("lets nobody in without the password", async () => {
    const { url } = await startPostgres();
    const guess = new URL(url);
    guess.password = "postgres";
    await expect(postgres(guess.href, "SELECT 1")).rejects.toMatchObject({ code: "28P01" });
  });
});

describe.skipIf(inject("mariadbBinary") === null)("a MariaDB of a test's own", () => {
  test("answers, holds while stopped, is killed and keeps what it acknowledged", async () => {
    const { node, url } = await startMariadb({ args: ["--max-connections=17"] });
    const ask = () => mariadb(url, "SELECT @@max_connections AS n");
    expect(await ask()).toEqual([{ n: 17 }]);
    await mariadb(
      url,
      "CREATE DATABASE a; CREATE TABLE a.b (c INT) ENGINE = InnoDB; INSERT INTO a.b VALUES (1)",
    );
    await holdsWhileStopped(node, ask);
    await comesBack(node, ask);
    expect(await mariadb(url, "SELECT c FROM a.b")).toEqual([{ c: 1 }]);
  });

  test("lets nobody in without the password, root included", async () => {
    const { url } = await startMariadb();
    for (const user of ["root:", "latchkey:", ":"]) {
      const guess = url.replace(/latchkey:[^@]+/, user);
      await expect(mariadb(guess, "SELECT 1")).rejects.toMatchObject({ code: "ER_ACCESS_DENIED_ERROR" });
    }
  });
});

describe("the servers that all tests share", () => {
  const probe = `probe_${process.pid}`;

  test.skipIf(inject("postgresUrl") === null)("PostgreSQL: tests create databases", async () => {
    const url = inject("postgresUrl") ?? "";
    await postgres(url, `CREATE DATABASE ${probe}`);
    await postgres(url, `DROP DATABASE ${probe}`);
  });

  test.skipIf(inject("mysqlUrl") === null)("MariaDB: tests create databases", async () => {
    await mariadb(inject("mysqlUrl") ?? "", `CREATE DATABASE ${probe}; DROP DATABASE ${probe}`);
  });

  for (const key of ["redisUrl", "valkeyUrl"] as const) {
    test.skipIf(inject(key) === null)(`${key}: answers`, async () => {
      expect(await askRedis(Number(new URL(inject(key) ?? "").port), "PING")).toBe("PONG");
    });
  }

  test.skipIf(inject("memcachedAddress") === null)("Memcached: answers", async () => {
    expect(await say(Number(inject("memcachedAddress")?.split(":")[1]), "version")).toMatch(/^VERSION /);
  });
});
