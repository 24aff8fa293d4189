import { rm } from "node:fs/promises";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { startRedis, startRedisCluster, startSentinel } from "../servers/start-redis.ts";
import { type FaultProxy, openFaultProxy } from "../support/fault-proxy.ts";
import { type ChildServer, eventually, newFolder, run, startServer } from "./support/child-server.ts";
import { newMysql, newPostgres, onPostgres } from "./support/databases.ts";

type Variables = Readonly<Record<string, string>>;

/** Several processes start, on a machine that may be busy. */
const patience = { timeout: 60_000 };
const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const password = "seven green kettles";
const account = { email: "ann@example.com", username: "ann", password };
const canary = "Zq90817263Xj";
const me = "/api/v1/users/me";

async function start(variables: Variables): Promise<ChildServer> {
  const server = await startServer({ SECRET_KEY: secret, STORE_TIMEOUT_MS: "1000", ...variables });
  onTestFinished(() => server.remove());
  return server;
}

async function proxyOf(target: string): Promise<FaultProxy> {
  const proxy = await openFaultProxy(target);
  onTestFinished(() => proxy.end());
  return proxy;
}

/** The process refuses to start; what it says is answered. */
async function refused(variables: Variables): Promise<string> {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const running = run("main.ts", [], folder, { PORT: "0", SECRET_KEY: secret, ...variables });
  expect(await running.ended).toEqual({ code: 1, signal: null });
  expect(running.stdout()).toBe("");
  return running.stderr();
}

const statusOf = async (server: ChildServer, path: string): Promise<number> =>
  (await server.browser().get(path)).status;
const linesWith = (server: ChildServer, text: string): number =>
  server
    .stderr()
    .split("\n")
    .filter((line) => line.includes(text)).length;

interface Backend {
  readonly name: string;
  readonly target: string | null;
  readonly variables: (proxy: FaultProxy) => Variables;
  /** Of what the log says. */
  readonly server: string;
}

const backends: readonly Backend[] = [
  {
    name: "redis",
    target: inject("redisUrl"),
    variables: ({ address }) => ({ SESSION_BACKEND: "redis", REDIS_URL: `redis://${address}` }),
    server: "Redis at",
  },
  {
    name: "memcached",
    target: inject("memcachedAddress"),
    variables: ({ address }) => ({ SESSION_BACKEND: "memcached", MEMCACHED_URL: address }),
    server: "Memcached at",
  },
];

for (const { name, target, variables, server: named } of backends) {
  describe.skipIf(target === null)(`${name} goes away`, patience, () => {
    for (const mode of ["refuse", "hang"] as const) {
      test(`${mode}: requests are refused with 503, nobody is signed out, and it goes on without a restart`, async () => {
        const proxy = await proxyOf(target ?? "");
        const server = await start(variables(proxy));
        const ann = server.browser();
        await ann.post("/api/v1/auth/register", account);
        expect((await ann.get(me)).status).toBe(200);
        await proxy.set(mode);
        await eventually(async () => (await ann.get(me)).status === 503);
        for (let again = 0; again < 5; again++) {
          const { status, body, cookies } = await ann.get(me);
          expect([status, body.code, cookies]).toEqual([503, "store_unavailable", []]);
        }
        expect(await statusOf(server, "/readyz")).toBe(503);
        expect(await statusOf(server, "/healthz")).toBe(200);
        await proxy.set("pass");
        await eventually(async () => (await ann.get(me)).status === 200);
        expect(await statusOf(server, "/readyz")).toBe(200);
        if (mode === "refuse") {
          await server.logged(`${named} ${proxy.address} answers again`);
          expect(linesWith(server, `${named} ${proxy.address} does not answer`)).toBe(1);
        }
        server.child.kill("SIGTERM");
        expect(await server.ended).toEqual({ code: 0, signal: null });
      });
    }

    test("it is not there at the start: the server starts, is not ready, and is once it comes", async () => {
      const proxy = await proxyOf(target ?? "");
      await proxy.set("refuse");
      const server = await start(variables(proxy));
      expect(await statusOf(server, "/readyz")).toBe(503);
      expect((await server.browser().post("/api/v1/auth/register", account)).status).toBe(503);
      await proxy.set("pass");
      await eventually(async () => (await statusOf(server, "/readyz")) === 200);
      expect((await server.browser().post("/api/v1/auth/register", account)).status).toBe(201);
    });

    test("it never comes: the server ends all the same when it is told to", async () => {
      const proxy = await proxyOf(target ?? "");
      await proxy.set("hang");
      const server = await start(variables(proxy));
      server.child.kill("SIGTERM");
      expect(await server.ended).toEqual({ code: 0, signal: null });
    });
  });
}

describe.skipIf(inject("redisBinary") === null)("a replica takes over", patience, () => {
  const killed = { ends: "is killed", how: (node: { kill(): unknown }) => node.kill() };
  const hung = { ends: "hangs", how: (node: { stop(): unknown }) => node.stop() };

  test.each([killed, hung])("from a primary of a cluster that $ends", async ({ how }) => {
    const { urls, primaries } = await startRedisCluster();
    const server = await start({ SESSION_BACKEND: "redis", REDIS_URL: urls.join(",") });
    const people = await registered(server, 12);
    const [first] = primaries;
    if (first !== undefined) await how(first);
    await backInService(server, people);
  });

  test.each([killed, hung])("from the primary of Sentinels that $ends", async ({ how }) => {
    const { ports, name, primary } = await startSentinel();
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(",");
    const server = await start({ SESSION_BACKEND: "redis", REDIS_URL: `redis+sentinel://${hosts}/${name}` });
    const people = await registered(server, 3);
    await how(primary);
    await backInService(server, people);
  });

  async function registered(server: ChildServer, count: number) {
    const people = Array.from({ length: count }, () => server.browser());
    for (const [index, person] of people.entries()) {
      const own = { ...account, email: `p${index}@example.com`, username: `person${index}` };
      expect((await person.post("/api/v1/auth/register", own)).status).toBe(201);
    }
    return people;
  }

  /** Everybody is still signed in, and can sign out, without a restart. */
  async function backInService(server: ChildServer, people: readonly ReturnType<ChildServer["browser"]>[]) {
    const lostAt = performance.now();
    await eventually(async () => (await statusOf(server, "/readyz")) === 503);
    for (const person of people) await eventually(async () => (await person.get(me)).status === 200, 30_000);
    await eventually(async () => (await statusOf(server, "/readyz")) === 200);
    await server.logged("answers again");
    console.log(`back in service after ${Math.round(performance.now() - lostAt)} ms`);
    for (const person of people) {
      expect((await person.post("/api/v1/auth/logout")).status).toBe(200);
      expect((await person.get(me)).status).toBe(401);
    }
  }
});

describe.skipIf(inject("postgresUrl") === null)("PostgreSQL goes away", patience, () => {
  test("while the server runs: 503, then it goes on, and idle connections that break end nothing", async () => {
    const url = await newPostgres();
    const proxy = await proxyOf(url);
    const server = await start({ DATABASE_URL: proxy.urlOf(url) });
    const ann = server.browser();
    await ann.post("/api/v1/auth/register", account);
    await proxy.set("refuse");
    // Not only what lay idle: at this moment each connection may be at work for the server itself.
    await eventually(async () => (await ann.get(me)).status === 503);
    await server.logged(`PostgreSQL at ${proxy.address} does not answer`);
    for (let again = 0; again < 3; again++) expect((await ann.get(me)).status).toBe(503);
    expect(await statusOf(server, "/readyz")).toBe(503);
    await proxy.set("pass");
    await eventually(async () => (await ann.get(me)).status === 200);
    expect(linesWith(server, "PostgreSQL at")).toBe(2);
  });

  test("before the server starts: one line that says where, with exit code 1", async () => {
    const proxy = await proxyOf(inject("postgresUrl") ?? "");
    await proxy.set("refuse");
    const said = await refused({ DATABASE_URL: `postgres://me:${canary}@${proxy.address}/app` });
    expect(said).toMatch(
      new RegExp(`^DATABASE_URL: the database at ${proxy.address} cannot be used: .*ECONNREFUSED.*\n$`),
    );
  });

  test("its connections have a name by which an administrator finds them", async () => {
    const url = await newPostgres();
    await start({ DATABASE_URL: url });
    const names = await onPostgres(
      url,
      "SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    expect(names).toEqual([{ name: "latchkey" }]);
  });
});

test.skipIf(inject("mysqlUrl") === null)(
  "MySQL goes away: 503, then the server goes on",
  patience,
  async () => {
    const url = await newMysql();
    const proxy = await proxyOf(url);
    const server = await start({ DATABASE_URL: proxy.urlOf(url) });
    const ann = server.browser();
    await ann.post("/api/v1/auth/register", account);
    await proxy.set("refuse");
    for (let again = 0; again < 3; again++) expect((await ann.get(me)).status).toBe(503);
    expect(await statusOf(server, "/readyz")).toBe(503);
    await proxy.set("pass");
    await eventually(async () => (await ann.get(me)).status === 200);
    server.child.kill("SIGTERM");
    expect(await server.ended).toEqual({ code: 0, signal: null });
  },
);

describe("what is refused", patience, () => {
  test.skipIf(inject("redisBinary") === null)("a Redis that evicts", async () => {
    const { url } = await startRedis({ settings: ["maxmemory 20mb", "maxmemory-policy allkeys-lru"] });
    const said = await refused({ SESSION_BACKEND: "redis", REDIS_URL: url });
    expect(said).toMatch(/^SESSION_BACKEND=redis: .*maxmemory-policy.*noeviction.*\n$/);
  });

  test.skipIf(inject("redisBinary") === null)(
    "a Redis that evicts and comes after the start: the log says why the server is not ready",
    async () => {
      const { url } = await startRedis({ settings: ["maxmemory 20mb", "maxmemory-policy allkeys-lru"] });
      const proxy = await proxyOf(url);
      await proxy.set("refuse");
      const server = await start({ SESSION_BACKEND: "redis", REDIS_URL: proxy.urlOf(url) });
      await proxy.set("pass");
      await server.logged("SESSION_BACKEND=redis: Redis: maxmemory-policy must be noeviction");
      expect(await statusOf(server, "/readyz")).toBe(503);
    },
  );

  test("a second server on the files of one", async () => {
    const first = await start({ SESSION_BACKEND: "file" });
    const files = `${first.folder}/data/sessions`;
    const said = await refused({ SESSION_BACKEND: "file", SESSION_PATH: files });
    expect(said).toMatch(
      new RegExp(`^SESSION_BACKEND=file: ${files} is in use by process ${first.child.pid}\\b.*\n$`),
    );
    const { ended, stdout, stderr } = run("cli/main.ts", ["session", "list", "nobody"], first.folder, {
      ...{ SECRET_KEY: secret, SESSION_BACKEND: "file" },
    });
    expect((await ended).code).toBe(1);
    expect(stdout()).toBe("");
    expect(stderr()).toContain("Sessions are with the running server (SESSION_BACKEND=file)");
  });
});

describe("passwords of servers", patience, () => {
  test.skipIf(inject("redisBinary") === null)("a Redis with a password, and one with another", async () => {
    const { url } = await startRedis({ settings: [`requirepass ${canary}`] });
    const right = new URL(url);
    right.password = canary;
    const server = await start({ SESSION_BACKEND: "redis", REDIS_URL: right.href });
    expect((await server.browser().post("/api/v1/auth/register", account)).status).toBe(201);
    expect(server.stdout() + server.stderr()).not.toContain(canary);

    right.password = `${canary}0`;
    const other = await start({ SESSION_BACKEND: "redis", REDIS_URL: right.href, LOG_LEVEL: "trace" });
    expect(await statusOf(other, "/readyz")).toBe(503);
    await other.logged("does not answer");
    const command = run("cli/main.ts", ["user", "create", "--email", "bob@example.com"], other.folder, {
      ...{ SECRET_KEY: secret, SESSION_BACKEND: "redis", REDIS_URL: right.href, STORE_TIMEOUT_MS: "1000" },
    });
    expect((await command.ended).code).toBe(1);
    for (const text of [other.stdout(), other.stderr(), command.stdout(), command.stderr()])
      expect(text).not.toContain(canary);
  });

  test.each<Variables>([
    { DATABASE_URL: `postgres://me:${canary}@127.0.0.1:1/app` },
    { DATABASE_URL: `mysql://me:${canary}@127.0.0.1:1/app` },
    {
      SESSION_BACKEND: "mongodb",
      MONGODB_URL: `mongodb://me:${canary}@127.0.0.1:1/?readPreference=${canary}`,
    },
    { SESSION_BACKEND: "mongodb", MONGODB_URL: `mongodb+srv://me:${canary}@127.0.0.1:1/` },
  ])("%j: neither the terminal nor the log has the password", async (variables) => {
    const said = await refused({ LOG_LEVEL: "trace", ...variables });
    expect(said).not.toBe("");
    expect(said).not.toContain(canary);
  });
});
