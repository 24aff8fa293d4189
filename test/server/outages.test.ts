import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { startRedis, startRedisCluster, startSentinel } from "../servers/start-redis.ts";
import { type FaultProxy, openFaultProxy } from "../support/fault-proxy.ts";
import { type ChildServer, eventually, startServer } from "./support/child-server.ts";
import { command } from "./support/command.ts";
import { newMysql, newPostgres, onPostgres } from "./support/databases.ts";
import { type HereServer, refusedHere, serveHere } from "./support/here-server.ts";
import { refusals } from "./support/refusals.ts";
import { shared } from "./support/shared.ts";

type Variables = Readonly<Record<string, string>>;

/** Several processes start, on a machine that may be busy. */
const patience = { timeout: 60_000 };
const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const password = "seven green kettles";
const account = { email: "ann@example.com", username: "ann", password };
const canary = "Zq90817263Xj";
const me = "/api/v1/users/me";

/** A server in this process. */
async function start(variables: Variables): Promise<HereServer> {
  const server = await serveHere({ SECRET_KEY: secret, STORE_TIMEOUT_MS: "1000", ...variables });
  onTestFinished(() => server.remove());
  return server;
}

/** One as a process, where that is what a test is about. */
async function startProcess(variables: Variables): Promise<ChildServer> {
  const server = await startServer({ SECRET_KEY: secret, STORE_TIMEOUT_MS: "1000", ...variables });
  onTestFinished(() => server.remove());
  return server;
}

async function endsOnSignal(server: ChildServer): Promise<void> {
  server.child.kill("SIGTERM");
  expect(await server.ended).toEqual({ code: 0, signal: null });
}

async function proxyOf(target: string): Promise<FaultProxy> {
  const proxy = await openFaultProxy(target);
  onTestFinished(() => proxy.end());
  return proxy;
}

type Server = ChildServer | HereServer;

const statusOf = async (server: Server, path: string): Promise<number> =>
  (await server.browser().get(path)).status;
const linesWith = (server: Server, text: string): number =>
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
        await server.stop();
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

    test("it never comes: the process ends all the same when it is told to", async () => {
      const proxy = await proxyOf(target ?? "");
      await proxy.set("hang");
      await endsOnSignal(await startProcess(variables(proxy)));
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

  async function registered(server: Server, count: number) {
    const people = Array.from({ length: count }, () => server.browser());
    for (const [index, person] of people.entries()) {
      const own = { ...account, email: `p${index}@example.com`, username: `person${index}` };
      expect((await person.post("/api/v1/auth/register", own)).status).toBe(201);
    }
    return people;
  }

  /** Everybody is still signed in, and can sign out, without a restart. */
  async function backInService(server: Server, people: readonly ReturnType<Server["browser"]>[]) {
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
    const server = await startProcess({ DATABASE_URL: proxy.urlOf(url) });
    const ann = server.browser();
    await ann.post("/api/v1/auth/register", account);
    // Heard of is a connection that breaks while it lies idle; at this moment each may be at work for the server itself.
    await eventually(async () => {
      await proxy.set("pass");
      await eventually(async () => (await ann.get(me)).status === 200);
      await proxy.set("refuse");
      const heard = server.logged(`PostgreSQL at ${proxy.address} does not answer`, 1_000);
      return heard.then(
        () => true,
        () => false,
      );
    }, 20_000);
    await eventually(async () => (await ann.get(me)).status === 503);
    for (let again = 0; again < 3; again++) expect((await ann.get(me)).status).toBe(503);
    expect(await statusOf(server, "/readyz")).toBe(503);
    await proxy.set("pass");
    await eventually(async () => (await ann.get(me)).status === 200);
    expect(linesWith(server, "PostgreSQL at")).toBe(2);
    await endsOnSignal(server);
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
    const server = await startProcess({ DATABASE_URL: proxy.urlOf(url) });
    const ann = server.browser();
    await ann.post("/api/v1/auth/register", account);
    await proxy.set("refuse");
    for (let again = 0; again < 3; again++) expect((await ann.get(me)).status).toBe(503);
    expect(await statusOf(server, "/readyz")).toBe(503);
    await proxy.set("pass");
    await eventually(async () => (await ann.get(me)).status === 200);
    await endsOnSignal(server);
  },
);

/** Nobody listens there. */
const nowhere = "127.0.0.1:1";
const refusedUrls: readonly Variables[] = [
  { DATABASE_URL: `postgres://me:${canary}@${nowhere}/app` },
  { DATABASE_URL: `mysql://me:${canary}@${nowhere}/app` },
  {
    SESSION_BACKEND: "mongodb",
    MONGODB_URL: `mongodb://me:${canary}@${nowhere}/?readPreference=${canary}`,
  },
  { SESSION_BACKEND: "mongodb", MONGODB_URL: `mongodb+srv://me:${canary}@${nowhere}/` },
];

describe("what ends the start of a process with 1, by what its terminal says", patience, () => {
  let said: ReadonlyMap<Variables, string>;

  beforeAll(async () => {
    const starts = refusedUrls.map((urls) => ({ SECRET_KEY: secret, LOG_LEVEL: "trace", ...urls }));
    const told = await refusals(starts);
    said = new Map(refusedUrls.map((urls, index) => [urls, told[index] ?? ""]));
  });

  test.each(refusedUrls)("%j: neither the terminal nor the log has the password", (variables) => {
    expect(said.get(variables)).not.toBe("");
    expect(said.get(variables)).not.toContain(canary);
  });

  test.each(["postgres", "mysql"])("%s that is not there: one line that says where", (engine) => {
    const [url] = refusedUrls.filter(({ DATABASE_URL = "" }) => DATABASE_URL.startsWith(engine));
    expect(url && said.get(url)).toMatch(
      new RegExp(`^DATABASE_URL: the database at ${nowhere} cannot be used: .*ECONNREFUSED.*\n$`),
    );
  });
});

describe("what is refused", patience, () => {
  const evicting = { settings: ["maxmemory 20mb", "maxmemory-policy allkeys-lru"] };
  const all = shared();
  let evictingUrl = "";

  beforeAll(async () => {
    if (inject("redisBinary") === null) return;
    evictingUrl = (await startRedis({ ...evicting, cleanup: all.cleanup })).url;
  });
  afterAll(() => all.end());

  test.skipIf(inject("redisBinary") === null)("a Redis that evicts", async () => {
    const [said] = await refusals([{ SECRET_KEY: secret, SESSION_BACKEND: "redis", REDIS_URL: evictingUrl }]);
    expect(said).toMatch(/^SESSION_BACKEND=redis: .*maxmemory-policy.*noeviction.*\n$/);
  });

  test.skipIf(inject("redisBinary") === null)(
    "a Redis that evicts and comes after the start: the log says why the server is not ready",
    async () => {
      const proxy = await proxyOf(evictingUrl);
      await proxy.set("refuse");
      const server = await start({ SESSION_BACKEND: "redis", REDIS_URL: proxy.urlOf(evictingUrl) });
      await proxy.set("pass");
      await server.logged("SESSION_BACKEND=redis: Redis: maxmemory-policy must be noeviction");
      expect(await statusOf(server, "/readyz")).toBe(503);
    },
  );

  test("a second server on the files of one", async () => {
    const first = await startProcess({ SESSION_BACKEND: "file" });
    const files = `${first.folder}/data/sessions`;
    expect(await refusedHere({ SESSION_BACKEND: "file", SESSION_PATH: files })).toMatch(
      new RegExp(`^SESSION_BACKEND=file: ${files} is in use by process ${first.child.pid}\\b.*$`),
    );
    const { code, out, err } = await command(first, secret, ["session", "list", "nobody"], {
      SESSION_BACKEND: "file",
      SESSION_PATH: files,
    });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("Sessions are with the running server (SESSION_BACKEND=file)");
    await endsOnSignal(first);
  });
});

test.skipIf(inject("redisBinary") === null)(
  "a Redis with a password, and one with another: nowhere does it stand in the clear",
  patience,
  async () => {
    const { url } = await startRedis({ settings: [`requirepass ${canary}`] });
    const right = new URL(url);
    right.password = canary;
    const server = await start({ SESSION_BACKEND: "redis", REDIS_URL: right.href, LOG_LEVEL: "trace" });
    expect((await server.browser().post("/api/v1/auth/register", account)).status).toBe(201);
    expect(server.stderr()).not.toContain(canary);

    right.password = `${canary}0`;
    const variables = { SESSION_BACKEND: "redis", REDIS_URL: right.href, STORE_TIMEOUT_MS: "1000" };
    const other = await startProcess({ ...variables, LOG_LEVEL: "trace" });
    expect(await statusOf(other, "/readyz")).toBe(503);
    await other.logged("does not answer");
    const ran = await command(other, secret, ["user", "create", "--email", "bob@example.com"], variables);
    expect(ran.code).toBe(1);
    for (const text of [other.stdout(), other.stderr(), ran.out, ran.err]) expect(text).not.toContain(canary);
  },
);
