import { rm } from "node:fs/promises";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { startRedisCluster, startSentinel } from "../servers/start-redis.ts";
import { type ChildServer, newFolder, run, startServer } from "./support/child-server.ts";
import { newMysql, newPostgres } from "./support/databases.ts";

type Variables = Readonly<Record<string, string>>;

/** Several processes start, on a machine that may be busy. */
const patience = { timeout: 60_000 };
const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const password = "seven green kettles";
const account = { email: "ann@example.com", username: "ann", password };

/** What the settings can choose; null where this machine does not have it. */
const databases: readonly (readonly [name: string, open: (() => Promise<Variables>) | null])[] = [
  ["sqlite", async () => ({})],
  ["postgres", given("postgresUrl", async () => ({ DATABASE_URL: await newPostgres() }))],
  ["mysql", given("mysqlUrl", async () => ({ DATABASE_URL: await newMysql() }))],
];

const backends: readonly (readonly [name: string, open: (() => Promise<Variables>) | null])[] = [
  ["memory", async () => ({})],
  ["file", async () => ({})],
  ["redis", given("redisUrl", async (url) => ({ REDIS_URL: url }))],
  ["valkey", given("valkeyUrl", async (url) => ({ VALKEY_URL: url }))],
  ["mongodb", given("mongodbUrl", async (url) => ({ MONGODB_URL: url }))],
  ["memcached", given("memcachedAddress", async (url) => ({ MEMCACHED_URL: url }))],
];

function given(
  key: "postgresUrl" | "mysqlUrl" | "redisUrl" | "valkeyUrl" | "mongodbUrl" | "memcachedAddress",
  open: (found: string) => Promise<Variables>,
): (() => Promise<Variables>) | null {
  const found = inject(key);
  return found === null ? null : () => open(found);
}

async function start(variables: Variables): Promise<ChildServer> {
  const server = await startServer({ SECRET_KEY: secret, ...variables });
  onTestFinished(() => server.remove());
  return server;
}

/** A person's way in and out, and an operator's commands beside it. */
async function comeAndGo(server: ChildServer, variables: Variables): Promise<void> {
  const [laptop, phone] = [server.browser(), server.browser()];
  expect((await laptop.get("/readyz")).status).toBe(200);
  expect((await laptop.post("/api/v1/auth/register", account)).status).toBe(201);
  expect((await laptop.get("/api/v1/users/me")).body).toMatchObject({ username: "ann" });
  const wrong = { username: "ann", password: "seven blue kettles" };
  expect((await phone.post("/api/v1/auth/login", wrong)).status).toBe(401);
  expect((await phone.post("/api/v1/auth/login", { username: "ann", password })).status).toBe(200);
  expect((await phone.get("/api/v1/users/me/sessions")).body.items).toHaveLength(2);

  expect((await phone.post("/api/v1/auth/logout")).body).toEqual({ ended: true });
  expect((await phone.get("/api/v1/users/me")).status).toBe(401);
  expect((await laptop.get("/api/v1/users/me")).status).toBe(200);

  const revoked = run("cli/main.ts", ["session", "revoke", "ann", "--all"], server.folder, variables);
  expect([await revoked.ended, revoked.stderr()]).toMatchObject([{ code: 0 }, expect.any(String)]);
  expect((await laptop.get("/api/v1/users/me")).status).toBe(401);
  expect((await laptop.post("/api/v1/auth/login", { username: "ann", password })).status).toBe(200);

  server.child.kill("SIGTERM");
  expect(await server.ended).toEqual({ code: 0, signal: null });
  expect(server.stderr()).not.toMatch(/"level":"(?:error|warn)"/);
}

describe("accounts, sessions and everything else in one database", patience, () => {
  for (const [name, open] of databases) {
    test.skipIf(open === null)(`${name}: a person comes and goes`, async () => {
      const variables = { SECRET_KEY: secret, ...(await open?.()) };
      await comeAndGo(await start(variables), variables);
    });

    test.skipIf(open === null)(`${name}: migrate makes the schema and takes it back`, async () => {
      const folder = await newFolder();
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const variables = { SECRET_KEY: secret, ...(await open?.()) };
      const latchkey = async (...args: string[]) => {
        const { ended, stdout, stderr } = run("cli/main.ts", args, folder, variables);
        return { code: (await ended).code, out: stdout(), err: stderr() };
      };
      expect((await latchkey("migrate", "status")).code).toBe(1);
      const early = await latchkey("user", "create", "--email", "bob@example.com");
      expect(early).toMatchObject({ code: 1, err: expect.stringContaining("latchkey migrate up") });
      expect((await latchkey("migrate", "up")).out).toMatch(/^Applied 1/);
      expect((await latchkey("migrate", "status")).code).toBe(0);
      expect(await latchkey("user", "create", "--email", "bob@example.com")).toMatchObject({
        code: 0,
        err: "",
      });
      expect((await latchkey("migrate", "down", "0", "--yes")).out).toMatch(/^Took back .*1/);
      expect((await latchkey("migrate", "up")).out).toMatch(/^Applied 1/);
    });
  }
});

describe("sessions where SESSION_BACKEND says", patience, () => {
  for (const [name, open] of backends) {
    test.skipIf(open === null)(`${name}: a person comes and goes`, async () => {
      const variables = { SECRET_KEY: secret, SESSION_BACKEND: name, ...(await open?.()) };
      await comeAndGo(await start(variables), variables);
    });
  }

  test.skipIf(inject("postgresUrl") === null || inject("redisBinary") === null)(
    "PostgreSQL and a Redis cluster: a person comes and goes",
    async () => {
      const { urls } = await startRedisCluster();
      const variables = {
        ...{ SECRET_KEY: secret, SESSION_BACKEND: "redis" },
        ...{ REDIS_URL: urls.join(","), DATABASE_URL: await newPostgres() },
      };
      await comeAndGo(await start(variables), variables);
    },
  );

  test.skipIf(inject("redisBinary") === null)("Sentinels: a person comes and goes", async () => {
    const { ports, name } = await startSentinel();
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(",");
    const variables = {
      ...{ SECRET_KEY: secret, SESSION_BACKEND: "redis" },
      REDIS_URL: `redis+sentinel://${hosts}/${name}`,
    };
    await comeAndGo(await start(variables), variables);
  });
});
