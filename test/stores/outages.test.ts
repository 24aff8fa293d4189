import { createClient } from "redis";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { anyone } from "../../src/guards/guards.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { redis } from "../../src/stores/redis/redis.ts";
import { split } from "../../src/stores/split.ts";
import { eventually } from "../servers/eventually.ts";
import { type FaultMode, type FaultProxy, openFaultProxy } from "../support/fault-proxy.ts";
import { until } from "../support/until.ts";
import { password, type World, world } from "../support/world.ts";
import { newSchema, postgresUrl } from "./postgres-database.ts";

const redisUrl = inject("redisUrl");
const email = "ana@example.com";
const client = { ip: "192.0.2.10" };
/** Long enough for what works on a busy machine. */
const storeTimeoutMs = 800;
/** How late an answer may be on a busy machine. */
const lateMs = 2_000;

const faults: readonly (readonly [name: string, mode: FaultMode])[] = [
  ["refuses connections", "refuse"],
  ["hangs", "hang"],
  ["resets in the midst of its answers", { resetAfterBytes: 3 }],
  ["is slower than the time that stores have", { delayMs: 1_200 }],
];

interface TwoEngines {
  readonly here: World;
  readonly toPostgres: FaultProxy;
  readonly toRedis: FaultProxy;
  /** Statements that PostgreSQL was sent so far. */
  statements(): number;
}

let opened = 0;

/** Accounts in PostgreSQL, sessions and counters in Redis, a proxy before each. */
async function twoEngines(): Promise<TwoEngines> {
  const [toPostgres, toRedis] = [
    await openFaultProxy(postgresUrl ?? ""),
    await openFaultProxy(redisUrl ?? ""),
  ];
  const schema = await newSchema();
  const pool = schema.pool({
    connectionString: toPostgres.urlOf(postgresUrl ?? ""),
    connectionTimeoutMillis: storeTimeoutMs,
  });
  pool.on("error", () => {});
  const url = toRedis.urlOf(redisUrl ?? "");
  const own = createClient({ url, socket: { reconnectStrategy: 30, connectTimeout: storeTimeoutMs } });
  own.on("error", () => {});
  await own.connect();
  // The first connection of a pool takes the longest.
  await pool.query("SELECT 1");
  let statements = 0;
  const onStatement = (): void => void statements++;
  const stores = split({
    ...postgres({ pool, transactionTimeoutMs: 600, onStatement }),
    ...redis({ client: own, prefix: `outages:${process.pid}:${++opened}:` }),
  });
  const here = world({ stores, storeTimeoutMs });
  onTestFinished(async () => {
    own.destroy();
    // First what resets the connections that hang.
    for (const proxy of [toPostgres, toRedis]) await proxy.end();
    await pool.end();
    await schema.drop();
  });
  return { here, toPostgres, toRedis, statements: () => statements };
}

async function signsIn(here: World): Promise<boolean> {
  return (await here.browser().post("/api/v1/auth/login", { email, password })).status === 200;
}

async function within<T>(work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const answer = await work();
  expect(performance.now() - from).toBeLessThan(storeTimeoutMs + lateMs);
  return answer;
}

describe.skipIf(postgresUrl === null || redisUrl === null)(
  "with accounts in PostgreSQL and sessions in Redis",
  () => {
    test.each(faults)(
      "a Redis that %s is 503: nobody is signed out, let in or unlimited",
      async (_, mode) => {
        const { here, toRedis } = await twoEngines();
        const ana = await here.registered(email);
        await toRedis.set(mode);
        const check = await within(() => ana.get("/api/v1/users/me"));
        expect([check.status, check.cookies]).toEqual([503, []]);
        expect(await within(() => here.auth.check(ana.request("GET", "/x"), client, anyone()))).toMatchObject(
          {
            ok: false,
            error: { code: "store_unavailable" },
            change: undefined,
          },
        );
        for (const typed of [password, "wrong horse battery staple"]) {
          const sent = { email, password: typed };
          expect((await within(() => here.browser().post("/api/v1/auth/login", sent))).status).toBe(503);
        }
        expect((await within(() => ana.post("/api/v1/auth/logout"))).status).toBe(503);
        await toRedis.set("pass");
        await eventually(async () => (await ana.get("/api/v1/users/me")).status === 200);
        await eventually(() => signsIn(here));
      },
    );

    test.each(faults)("a PostgreSQL that %s is 503 for what needs it, and checks go on", async (_, mode) => {
      const { here, toPostgres, statements } = await twoEngines();
      const ana = await here.registered(email);
      // Until Redis answers with its copy of the user.
      await until(async () => {
        const before = statements();
        return (await isAllowed()) && statements() === before;
      });
      await toPostgres.set(mode);
      expect(await within(isAllowed)).toBe(true);
      for (const typed of [password, "wrong horse battery staple"]) {
        const sent = { email, password: typed };
        expect((await within(() => here.browser().post("/api/v1/auth/login", sent))).status).toBe(503);
      }
      expect((await within(() => ana.post("/api/v1/auth/logout"))).status).toBe(503);
      // The sign-out that could not be put on record put up a fence: from here on a check asks the directory.
      expect((await within(() => ana.get("/api/v1/users/me"))).status).toBe(503);
      await toPostgres.set("pass");
      await eventually(async () => (await ana.get("/api/v1/users/me")).status !== 503);
      await eventually(() => signsIn(here));

      async function isAllowed(): Promise<boolean> {
        return (await here.auth.check(ana.request("GET", "/x"), client)).ok;
      }
    });
  },
);
