import { rm } from "node:fs/promises";
import { afterAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { startRedisCluster, startSentinel } from "../servers/start-redis.ts";
import { eventually, newFolder, run } from "./support/child-server.ts";
import { command } from "./support/command.ts";
import { newMysql, newPostgres } from "./support/databases.ts";
import { hereVariables, serveHere } from "./support/here-server.ts";
import { shared } from "./support/shared.ts";

type Variables = Readonly<Record<string, string>>;

/** Much starts, on a machine that may be busy. */
const patience = { timeout: 60_000 };
const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const password = "seven green kettles";
const account = { email: "ann@example.com", username: "ann", password };

const all = shared();
afterAll(() => all.end());

/** What the settings can choose. */
interface Choice {
  readonly name: string;
  readonly isHere: boolean;
  /** The same at each call, until the tests of this file have ended. */
  readonly open: () => Promise<Variables>;
  readonly openAnother: () => Promise<Variables>;
}

const databases = [
  choice("sqlite", [], async () => ({})),
  choice("postgres", ["postgresUrl"], async () => ({ DATABASE_URL: await newPostgres(all.cleanup) })),
  choice("mysql", ["mysqlUrl"], async () => ({ DATABASE_URL: await newMysql(all.cleanup) })),
];

const backends = [
  choice("memory", [], async () => ({ SESSION_BACKEND: "memory" })),
  choice("file", [], async () => ({ SESSION_BACKEND: "file" })),
  choice("redis", ["redisUrl"], async (url) => ({ SESSION_BACKEND: "redis", REDIS_URL: url })),
  choice("valkey", ["valkeyUrl"], async (url) => ({ SESSION_BACKEND: "valkey", VALKEY_URL: url })),
  choice("mongodb", ["mongodbUrl"], async (url) => ({ SESSION_BACKEND: "mongodb", MONGODB_URL: url })),
  choice("memcached", ["memcachedAddress"], async (url) => ({
    ...{ SESSION_BACKEND: "memcached", MEMCACHED_URL: url },
  })),
  choice("PostgreSQL and a Redis cluster", ["redisBinary", "postgresUrl"], async () => {
    const { urls } = await startRedisCluster({ cleanup: all.cleanup });
    const DATABASE_URL = await newPostgres(all.cleanup);
    return { SESSION_BACKEND: "redis", REDIS_URL: urls.join(","), DATABASE_URL };
  }),
  choice("Sentinels", ["redisBinary"], async () => {
    const { ports, name } = await startSentinel({ cleanup: all.cleanup });
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(",");
    return { SESSION_BACKEND: "redis", REDIS_URL: `redis+sentinel://${hosts}/${name}` };
  }),
];

type Service =
  | "postgresUrl"
  | "mysqlUrl"
  | "redisUrl"
  | "valkeyUrl"
  | "mongodbUrl"
  | "memcachedAddress"
  | "redisBinary";

/** @param services - what it needs of this machine; the first is handed to `open` */
function choice(
  name: string,
  services: readonly Service[],
  open: (first: string) => Promise<Variables>,
): Choice {
  const [first, ...others] = services.map((service) => inject(service));
  const openAnother = (): Promise<Variables> => open(first ?? "");
  let opened: Promise<Variables> | null = null;
  return {
    ...{ name, isHere: first !== null && !others.includes(null), openAnother },
    open() {
      opened ??= openAnother();
      return opened;
    },
  };
}

async function sharedFolder(): Promise<string> {
  const folder = await newFolder();
  all.cleanup(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A person's way in and out, and an operator's commands beside it. */
async function comeAndGo({ open }: Choice): Promise<void> {
  const server = await serveHere({ SECRET_KEY: secret, ...(await open()) });
  onTestFinished(() => server.remove());
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

  const revoked = await command(server, secret, ["session", "revoke", "ann", "--all"], server.variables);
  expect(revoked).toMatchObject({ code: 0, err: expect.any(String) });
  expect((await laptop.get("/api/v1/users/me")).status).toBe(401);
  expect((await laptop.post("/api/v1/auth/login", { username: "ann", password })).status).toBe(200);

  await server.stop();
  expect(server.stderr()).not.toMatch(/"level":"(?:error|warn)"/);
}

describe("accounts, sessions and everything else in one database", patience, () => {
  for (const database of databases) {
    test.skipIf(!database.isHere)(`${database.name}: a person comes and goes`, () => comeAndGo(database));
  }

  for (const { name, isHere, openAnother } of databases) {
    test.skipIf(!isHere)(`${name}: migrate makes the schema and takes it back`, async () => {
      const [folder, variables] = [await sharedFolder(), await openAnother()];
      const latchkey = (...args: string[]) => command({ folder, port: 3_000 }, secret, args, variables);
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
  for (const backend of backends) {
    test.skipIf(!backend.isHere)(`${backend.name}: a person comes and goes`, () => comeAndGo(backend));
  }

  for (const backend of backends.filter(({ name }) => /^(?:redis|valkey|mongodb|memcached)$/.test(name))) {
    test.skipIf(!backend.isHere)(`${backend.name}: apart under each SESSION_PREFIX`, async () => {
      const variables = { SECRET_KEY: secret, ...(await backend.open()) };
      const shop = await serveHere({ ...variables, SESSION_PREFIX: "shop" });
      onTestFinished(() => shop.remove());
      const ann = shop.browser();
      expect((await ann.post("/api/v1/auth/register", account)).status).toBe(201);
      const statusUnder = async (prefix: string): Promise<number> => {
        const server = await serveHere({ ...variables, SESSION_PREFIX: prefix }, shop.folder);
        const browser = server.browser();
        for (const [name, value] of ann.jar) browser.jar.set(name, value);
        const { status } = await browser.get("/api/v1/users/me");
        await server.stop();
        return status;
      };
      expect([await statusUnder("shop_eu"), await statusUnder("shop")]).toEqual([401, 200]);
    });
  }
});

test(
  "commands leave nothing open, whatever they worked on: their process ends by itself",
  patience,
  async () => {
    const commands = [];
    for (const { isHere, open } of [...databases, ...backends]) {
      if (!isHere) continue;
      const environment = hereVariables({ SECRET_KEY: secret, ...(await open()) }, await sharedFolder());
      for (const args of [["migrate", "up"], ["user", "create", "--email", "eve@example.com"], ["sweep"]])
        commands.push({ environment, args });
    }
    const program = new URL("support/run-each.ts", import.meta.url);
    const input = commands.map((each) => JSON.stringify(each)).join("\n");
    const { ended, stdout, stderr } = run(program, [], await sharedFolder(), {}, input);
    await eventually(() => stdout() === "0\n".repeat(commands.length), 30_000).catch(() => {
      throw new Error(`not all were done: ${stdout()}\n${stderr()}`);
    });
    expect(await ended).toEqual({ code: 0, signal: null });
  },
);
