import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, Redis, type RedisOptions } from "ioredis";
import { Client } from "pg";
import { createClient, createCluster, type createSentinel } from "redis";
import { afterAll, describe, expect, expectTypeOf, inject, it, onTestFinished } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import {
  type Changes,
  type ChannelLog,
  cached,
  type InvalidationChannel,
  type ListeningClient,
  postgresChannel,
  type RedisChannelOptions,
  redisChannel,
} from "../../src/stores/cached.ts";
import { memory } from "../../src/stores/memory.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { fixtures, type StoreHarness, sessionContract } from "../../src/testing/testing.ts";
import { askRedis } from "../servers/redis-ask.ts";
import { startRedis, startRedisCluster } from "../servers/start-redis.ts";
import { type FaultProxy, openFaultProxy } from "../support/fault-proxy.ts";
import { until } from "../support/until.ts";
import { newSchema, type Schema } from "./postgres-database.ts";
import { sqliteFile } from "./sqlite-file.ts";

const { postgresUrl, redisUrl } = { postgresUrl: inject("postgresUrl"), redisUrl: inject("redisUrl") };
const wallClock = { now: () => new Date(), sleep };
const make = fixtures(wallClock);
const call = (): StoreCall => ({ now: new Date(), signal: new AbortController().signal });
const insert = (session: Session): Write => ({ kind: "session.insert", session, cap: 0, evicted: () => [] });
const end = ({ id }: Session): Write => ({ kind: "session.delete", sessionId: id, ended: () => [] });

/** How a process opens a channel over the server at `url`. */
interface Kind {
  readonly url: string | null;
  open(url: string, log?: ChannelLog): Promise<InvalidationChannel>;
}

let named = 0;
/** A name that no other test hears. */
const ownName = (): string => `test_${process.pid}_${++named}`;

/** Cuts that a test makes itself are told to nobody. */
const quiet: ChannelLog = { warn() {} };

/** As the documentation asks of ioredis. */
async function connectedIoRedis(url: string, options: RedisOptions = {}): Promise<Redis> {
  const client = new Redis(url, {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    ...options,
  });
  client.on("error", () => undefined);
  onTestFinished(() => client.disconnect());
  if (options.lazyConnect) await client.connect();
  else await once(client, "ready");
  return client;
}

const kinds: Readonly<Record<string, (name: string) => Kind>> = {
  PostgreSQL: (name) => ({
    url: postgresUrl,
    open: async (url, log = quiet) =>
      postgresChannel({
        client: () => new Client({ connectionString: url, connectionTimeoutMillis: 1_000 }),
        name,
        log,
      }),
  }),
  "Redis by node-redis": (name) => ({
    url: redisUrl,
    async open(url, log = quiet) {
      const client = createClient({ url, disableOfflineQueue: true });
      client.on("error", () => undefined);
      await client.connect();
      onTestFinished(() => client.destroy());
      return redisChannel({ client, name, log });
    },
  }),
  "Redis by ioredis": (name) => ({
    url: redisUrl,
    async open(url, log = quiet) {
      return redisChannel({ client: await connectedIoRedis(url), name, log });
    },
  }),
};

/** Two processes on one database that hear each other. */
async function two(
  openA: () => Promise<InvalidationChannel>,
  openB: () => Promise<InvalidationChannel>,
  maxStalenessSeconds?: number,
) {
  const base = memory();
  const a = cached(base, { channel: await openA(), maxStalenessSeconds });
  const b = cached(base, { channel: await openB(), maxStalenessSeconds });
  onTestFinished(async () => {
    for (const { sessions } of [a, b]) await sessions.close();
  });
  const user = make.user();
  await a.directory.commit([{ kind: "user.insert", user }], call());
  const isThere = async (at: Stores, { id }: Session): Promise<boolean> =>
    (await at.sessions.find([id], call()))[0] !== null;
  /** Milliseconds from the acknowledged end of a session at `from` to its refusal at `at`. */
  const refusedAfter = async (from: Stores, at: Stores): Promise<number> => {
    const session = make.session(user);
    await from.directory.commit([insert(session)], call());
    expect(await isThere(at, session)).toBe(true);
    await from.directory.commit([end(session)], call());
    const since = performance.now();
    while (await isThere(at, session)) await sleep(1);
    return performance.now() - since;
  };
  const hearEachOther = async (): Promise<void> => {
    // A driver whose connection was cut for long tries again in its own time.
    const both = async () => Math.max(await refusedAfter(a, b), await refusedAfter(b, a));
    await expect.poll(both, { timeout: 15_000 }).toBeLessThan(50);
  };
  return { a, b, user, isThere, refusedAfter, hearEachOther };
}

function report(what: string, times: readonly number[]): void {
  const [median, max] = [quantile(times, 0.5), Math.max(...times)];
  console.log(`${what}: median ${median.toFixed(1)} ms, at most ${max.toFixed(1)} ms`);
}

function quantile(times: readonly number[], part: number): number {
  return [...times].sort((x, y) => x - y)[Math.floor(times.length * part)] ?? Number.NaN;
}

/** Told, and not merely grown old; a machine that is busy with something else may be late now and then. */
function expectTold(times: readonly number[]): void {
  expect(quantile(times, 0.9)).toBeLessThan(50);
  expect(Math.max(...times)).toBeLessThan(1_000);
}

for (const [title, kindNamed] of Object.entries(kinds)) {
  describe.skipIf(kindNamed("").url === null)(`a channel over ${title}`, () => {
    it("brings the end of a session to another process within 50 ms", async () => {
      const kind = kindNamed(ownName());
      const open = () => kind.open(kind.url ?? "");
      const { a, b, refusedAfter, hearEachOther } = await two(open, open);
      await hearEachOther();
      const times: number[] = [];
      for (let round = 0; round < 100; round++) {
        times.push(round % 2 === 0 ? await refusedAfter(a, b) : await refusedAfter(b, a));
      }
      report(title, times);
      expectTold(times);
    });

    it.each(["refuse", "hang"] as const)(
      "where the listener is cut off (%s), refuses within the bound, and at once after it is back",
      async (fault) => {
        const kind = kindNamed(ownName());
        const proxy = await proxied(kind);
        const { a, b, refusedAfter, hearEachOther } = await two(
          () => kind.open(kind.url ?? ""),
          () => kind.open(proxy.urlOf(kind.url ?? "")),
          2,
        );
        await hearEachOther();
        await proxy.set(fault);
        const cut = await refusedAfter(a, b);
        report(`${title}, listener cut off (${fault})`, [cut]);
        expect(cut).toBeLessThan(2_050);
        expect(cut).toBeGreaterThan(100);
        await proxy.set("pass");
        await hearEachOther();
        expect(await refusedAfter(a, b)).toBeLessThan(50);
      },
      40_000,
    );

    it.each(["refuse", "hang"] as const)(
      "where the one who ends is cut off (%s), refuses within the bound, and at once after it is back",
      async (fault) => {
        const kind = kindNamed(ownName());
        const proxy = await proxied(kind);
        const { a, b, user, isThere, refusedAfter, hearEachOther } = await two(
          () => kind.open(proxy.urlOf(kind.url ?? "")),
          () => kind.open(kind.url ?? ""),
        );
        await hearEachOther();
        await proxy.set(fault);
        const cut = await refusedAfter(a, b);
        report(`${title}, teller cut off (${fault})`, [cut]);
        expect(cut).toBeLessThan(5_050);
        // What could not be told is made up for when it is back, long before the bound.
        const session = make.session(user);
        await a.directory.commit([insert(session)], call());
        expect(await isThere(b, session)).toBe(true);
        await a.directory.commit([end(session)], call());
        expect(await isThere(b, session)).toBe(true);
        await proxy.set("pass");
        const since = performance.now();
        while (await isThere(b, session)) await sleep(1);
        report(`${title}, teller back after ${fault}`, [performance.now() - since]);
        expect(performance.now() - since).toBeLessThan(3_500);
        await hearEachOther();
      },
      40_000,
    );

    it("tells of an end that comes before it is connected, and before it is closed", async () => {
      const kind = kindNamed(ownName());
      const told: Changes[] = [];
      const listener = await kind.open(kind.url ?? "");
      listener.open((changes) => told.push(changes));
      onTestFinished(() => listener.close());
      await until(() => told.includes("everything"));
      const teller = await kind.open(kind.url ?? "");
      teller.open(() => undefined);
      teller.tell({ sessions: ["one"], users: [] });
      await teller.close();
      await until(() => told.some((changes) => changes !== "everything" && changes.sessions.includes("one")));
    });

    it("tells its log that it stays cut, and that it is whole again", async () => {
      const kind = kindNamed(ownName());
      const proxy = await proxied(kind);
      const told: string[] = [];
      const listener = await kind.open(proxy.urlOf(kind.url ?? ""), { warn: (text) => told.push(text) });
      const heard: Changes[] = [];
      listener.open((changes) => heard.push(changes));
      onTestFinished(() => listener.close());
      await until(() => heard.length > 0);
      await proxy.set("refuse");
      await expect.poll(() => told, { timeout: 10_000 }).toEqual([expect.stringContaining("is cut")]);
      await proxy.set("pass");
      await expect.poll(() => told.slice(1), { timeout: 10_000 }).toEqual([expect.stringContaining("whole")]);
    }, 30_000);

    it("tells whoever may have missed something to forget everything", async () => {
      const kind = kindNamed(ownName());
      const proxy = await proxied(kind);
      const told: Changes[] = [];
      const listener = await kind.open(proxy.urlOf(kind.url ?? ""));
      listener.open((changes) => told.push(changes));
      onTestFinished(() => listener.close());
      await until(() => told.length > 0);
      told.length = 0;
      proxy.reset();
      await until(() => told.includes("everything"));
    });

    it("carries any id, and more ids than one message holds", async () => {
      const kind = kindNamed(ownName());
      const [teller, listener] = [await kind.open(kind.url ?? ""), await kind.open(kind.url ?? "")];
      const told: Changes[] = [];
      listener.open((changes) => told.push(changes));
      teller.open(() => undefined);
      onTestFinished(() => teller.close());
      onTestFinished(() => listener.close());
      await until(() => told.includes("everything"));
      // The first that is heard of a process may be told as everything.
      const isTold = (user: string) => told.some((one) => one !== "everything" && one.users.includes(user));
      await until(() => {
        teller.tell({ sessions: [], users: ["first"] });
        return isTold("first");
      });
      teller.tell({ sessions: [], users: ["last"] });
      await until(() => isTold("last"));
      told.length = 0;
      const users = ["a b", 'quote"', "'; DROP TABLE users; --", "\u0000", "\ud800", "\u{1f511}"];
      teller.tell({ sessions: [], users });
      await until(() => told.length > 0);
      expect(told).toEqual([{ sessions: [], users }]);
      teller.tell({ sessions: Array.from({ length: 1_000 }, (_, index) => `session-${index}`), users: [] });
      await until(() => told.length > 1);
      expect(told[1]).toBe("everything");
    });
  });
}

async function proxied(kind: Kind): Promise<FaultProxy> {
  const proxy = await openFaultProxy(kind.url ?? "");
  onTestFinished(() => proxy.end());
  return proxy;
}

describe.skipIf(redisUrl === null)("a channel over ioredis", () => {
  it.each([{}, { lazyConnect: true }, { enableOfflineQueue: true }])(
    "is heard whatever its client is set to: %o",
    async (options) => {
      const name = ownName();
      const open = async () =>
        redisChannel({ client: await connectedIoRedis(redisUrl ?? "", options), name });
      const { hearEachOther } = await two(open, open, 300);
      await hearEachOther();
    },
  );
});

describe.skipIf(inject("redisBinary") === null)("a channel that the ACL of Redis keeps out", () => {
  it.each(["node-redis", "ioredis"])(
    "says so by %s, and is heard once it is let in",
    async (driver) => {
      const { port } = await startRedis();
      const acl = (...rules: string[]) => askRedis(port, "ACL", "SETUSER", "app", ...rules);
      await acl("on", ">secret", "resetchannels", "+@all");
      const url = `redis://app:secret@127.0.0.1:${port}`;
      const told: unknown[] = [];
      const log: ChannelLog = { warn: (_, fields) => told.push(fields) };
      const open = async () => {
        if (driver === "ioredis") return redisChannel({ client: await connectedIoRedis(url), log });
        return redisChannel({ client: await connectedClient(url), log });
      };
      const { hearEachOther } = await two(open, open, 300);
      await expect.poll(() => told.length, { timeout: 10_000 }).toBe(2);
      expect(told).toEqual(Array(2).fill({ reason: expect.stringContaining("NOPERM") }));
      await acl("&latchkey:changes");
      await hearEachOther();
      expect(told.slice(2)).toEqual(Array(2).fill({ failures: expect.any(Number) }));
    },
    40_000,
  );
});

describe.skipIf(inject("redisBinary") === null)("a channel over Redis Cluster", () => {
  it("brings the end of a session to a process that listens at any node", async () => {
    const cluster = await startRedisCluster();
    const open = async () => {
      const client = createCluster({ rootNodes: cluster.urls.map((url) => ({ url })) });
      client.on("error", () => undefined);
      await client.connect();
      onTestFinished(() => client.destroy());
      return redisChannel({ client });
    };
    const { a, b, refusedAfter, hearEachOther } = await two(open, open);
    await hearEachOther();
    const times: number[] = [];
    for (let round = 0; round < 50; round++) times.push(await refusedAfter(a, b));
    report("Redis Cluster", times);
    expectTold(times);
    await cluster.primaries[0]?.kill();
    expect(await refusedAfter(a, b)).toBeLessThan(5_050);
    await expect.poll(() => refusedAfter(a, b), { timeout: 20_000 }).toBeLessThan(50);
  }, 60_000);
});

describe("two processes", () => {
  for (const [title, url] of Object.entries({ PostgreSQL: postgresUrl, Redis: redisUrl })) {
    it.skipIf(url === null)(`hear each other over ${title}`, async () => {
      const { path } = sqliteFile();
      const channel =
        title === "Redis"
          ? redisChannel({ client: await connectedClient(url ?? "") })
          : postgresChannel({ client: () => new Client(url ?? "") });
      const stores = cached(sqlite({ path }), { channel });
      onTestFinished(async () => {
        for (const { close } of [stores.sessions, stores.directory]) await close();
      });
      const child = spawn(
        process.execPath,
        [new URL("cached-process.ts", import.meta.url).pathname, path, url ?? ""],
        {
          stdio: ["pipe", "pipe", "inherit"],
        },
      );
      onTestFinished(() => void child.kill("SIGKILL"));
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const line = async (): Promise<string> => (await lines.next()).value ?? "";
      expect(await line()).toBe("ready");
      const times: number[] = [];
      for (let round = 0; round < 40; round++) {
        const session = make.session(null);
        await stores.directory.commit([insert(session)], call());
        child.stdin.write(`${session.id}\n`);
        expect(await line()).toBe("cached");
        await stores.directory.commit([end(session)], call());
        const since = performance.timeOrigin + performance.now();
        times.push(Number(await line()) - since);
      }
      // Until both are connected it may take longer.
      report(`two processes over ${title}`, times.slice(10));
      expectTold(times.slice(10));
    });
  }
});

const connected: { destroy(): void }[] = [];
afterAll(() => connected.forEach((client) => void client.destroy()));

async function connectedClient(url: string) {
  const client = createClient({ url });
  client.on("error", () => undefined);
  await client.connect();
  connected.push(client);
  return client;
}

describe.skipIf(postgresUrl === null)("stores on PostgreSQL, cached over a channel of its own,", () => {
  let schema: Schema | undefined;
  afterAll(() => schema?.drop());
  let opened = 0;
  const harness: StoreHarness = {
    async open() {
      if (schema === undefined) schema = await newSchema();
      else await schema.empty();
      const stores = postgres({ pool: schema.pool(), ownsPool: true });
      const client = (): Client => new Client(postgresUrl ?? "");
      return cached(stores, { channel: postgresChannel({ client, name: `${schema.name}_${++opened}` }) });
    },
  };
  // What answers at once is proven over memory and SQLite; here every reading takes a while.
  const races = sessionContract(harness).filter(({ section }) => section === "concurrency");
  for (const { name, run } of races) it(name, run);
});

describe("the types of the channels", () => {
  it("take the clients of the drivers as they are", () => {
    type Publisher = RedisChannelOptions["client"];
    expectTypeOf<ReturnType<typeof createClient>>().toExtend<Publisher>();
    expectTypeOf<ReturnType<typeof createCluster>>().toExtend<Publisher>();
    expectTypeOf<ReturnType<typeof createSentinel>>().toExtend<Publisher>();
    expectTypeOf<Redis>().toExtend<Publisher>();
    expectTypeOf<Cluster>().toExtend<Publisher>();
    expectTypeOf<Client>().toExtend<ListeningClient>();
  });
});
