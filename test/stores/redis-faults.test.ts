import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import { type RedisStores, redis } from "../../src/stores/redis/redis.ts";
import { testClock } from "../../src/testing/clock.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { eventually } from "../servers/eventually.ts";
import { askRedis } from "../servers/redis-ask.ts";
import { type OwnRedis, startRedis } from "../servers/start-redis.ts";
import { type FaultProxy, openFaultProxy } from "../support/fault-proxy.ts";
import { type Connect, type Connected, ioRedis, nodeRedis } from "./redis-clients.ts";

const isSkipped = inject("redisBinary") === null;
const clock = testClock();
const make = fixtures(clock);
const patient = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
/** A caller who gives up. */
const hasty = (ms = 150): StoreCall => ({ now: clock.now(), signal: AbortSignal.timeout(ms) });

const drivers: Readonly<Record<string, (url: string) => Connect>> = {
  "node-redis": nodeRedis,
  ioredis: ioRedis,
};

describe.skipIf(isSkipped).each(Object.entries(drivers))("between %s and its server", (_, connect) => {
  let server: OwnRedis;
  let proxy: FaultProxy;
  let connected: Connected;
  let stores: RedisStores;
  let user: User;
  let session: Session;

  beforeAll(async () => {
    server = await startRedis({ cleanup: () => undefined });
    proxy = await openFaultProxy(server.url);
    connected = await connect(proxy.urlOf(server.url))();
    stores = redis({ client: connected.client });
    await stores.ready();
  });
  afterAll(async () => {
    connected?.close();
    await proxy?.end();
    await server?.end();
  });
  beforeEach(async () => {
    user = make.user();
    session = make.session(user);
    await stores.sessions.insert(session, 0, patient());
  });

  /** Every method rejects: nothing reads as unknown, spent, allowed or done. */
  async function everythingFails(call: () => StoreCall): Promise<void> {
    const { sessions, ephemeral } = stores;
    const { id } = session;
    const key = { userId: user.id, slotTag: user.slotTag };
    const touch = { sessionId: id, usedAt: clock.now(), idleExpiresAt: session.idleExpiresAt };
    const calls = [
      sessions.ping(call()),
      sessions.find([id], call()),
      sessions.list(key, call()),
      sessions.insert(make.session(user), 1, call()),
      sessions.take([id], call()),
      sessions.setData({ sessionId: id, dataVersion: 0, data: { a: 1 } }, call()),
      sessions.refresh({ sessionId: id, from: null, family: make.refreshFamily() }, call()),
      sessions.touch([touch], call()),
      sessions.owners?.fence(key, "fence", call()),
      sessions.owners?.lift(key, "fence", call()),
      sessions.owners?.forget(user.id, call()),
      sessions.owners?.publish(user, { fence: "fence", readAtMs: null }, call()),
      ephemeral.put("key", "value", 60, call()),
      ephemeral.read("key", call()),
      ephemeral.take("key", call()),
      ephemeral.add("mark", 60, call()),
      ephemeral.remove(["key"], call()),
      ephemeral.reserve([{ key: "counter", limit: 1, windowSeconds: 60 }], call()),
      ephemeral.refund(["counter"], call()),
    ];
    const settled = await Promise.allSettled(calls);
    expect(settled.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
  }

  async function itWorksAgain(): Promise<void> {
    await eventually(async () => {
      await stores.ephemeral.ping(hasty(500));
      return true;
    });
    const added = make.session(user);
    await stores.sessions.insert(added, 0, patient());
    expect((await stores.sessions.find([added.id], patient()))[0]?.session.id).toBe(added.id);
  }

  it("nobody listens: every call fails with its caller, none runs afterwards, and it recovers", async () => {
    await proxy.set("refuse");
    const startedAt = performance.now();
    await everythingFails(hasty);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await proxy.set("pass");
    await itWorksAgain();
    expect((await stores.sessions.find([session.id], patient()))[0]?.session).toEqual(session);
    expect(await stores.ephemeral.read("key", patient())).toBeNull();
    expect(await stores.ephemeral.add("mark", 60, patient())).toBe(true);
    await stores.ephemeral.remove(["mark"], patient());
  });

  it("nobody listens: nothing is held of a call that was given up", async () => {
    await proxy.set("refuse");
    await expect(stores.ephemeral.read("key", hasty())).rejects.toThrow();
    const held = await givenUp(100);
    // What was given up is gone after a turn or two.
    await eventually(async () => {
      collectGarbage();
      return held.filter((call) => call.deref() !== undefined).length < 10;
    }, 5_000);
    await proxy.set("pass");
    await itWorksAgain();
  });

  /** Calls that wait for the server, and are given up. */
  async function givenUp(count: number): Promise<readonly WeakRef<object>[]> {
    const ends = Array.from({ length: count }, () => new AbortController());
    const limit = (at: number) => ({ key: `counter${at}`, limit: 1, windowSeconds: 60 });
    const calls = ends.map(({ signal }, at) =>
      stores.ephemeral.reserve([limit(at)], { now: clock.now(), signal }),
    );
    await setImmediate();
    for (const end of ends) end.abort(new Error("given up"));
    expect((await Promise.allSettled(calls)).every(({ status }) => status === "rejected")).toBe(true);
    return ends.map(({ signal }) => new WeakRef(signal));
  }

  it("a server that hangs: every call fails with its caller, and it recovers", async () => {
    await proxy.set("hang");
    const startedAt = performance.now();
    await everythingFails(hasty);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await proxy.set("pass");
    await itWorksAgain();
    // What the server ran late is whole: the session that was taken is in no list either.
    const key = { userId: user.id, slotTag: user.slotTag };
    const listed = (await stores.sessions.list(key, patient())).map(({ id }) => id);
    const isThere = (await stores.sessions.find([session.id], patient()))[0] !== null;
    expect(listed.includes(session.id)).toBe(isThere);
  });

  it("a connection that is lost in the middle of an answer: the call fails, and it recovers", async () => {
    for (const resetAfterBytes of [0, 1, 50]) {
      await proxy.set({ resetAfterBytes });
      await expect(stores.sessions.find([session.id], hasty(500))).rejects.toThrow();
      await proxy.set("pass");
      await itWorksAgain();
    }
  });

  it("a slow server is waited for", async () => {
    await proxy.set({ delayMs: 30 });
    expect((await stores.sessions.find([session.id], patient()))[0]?.session).toEqual(session);
    await proxy.set("pass");
  });

  it("a call that was given up before it began is not sent", async () => {
    const call = { now: clock.now(), signal: AbortSignal.abort(new Error("given up")) };
    await expect(stores.ephemeral.put("never", "value", 60, call)).rejects.toThrow("given up");
    expect(await stores.ephemeral.read("never", patient())).toBeNull();
  });

  it("a server that was killed and started again has forgotten, and says so by answers alone", async () => {
    await server.node.kill();
    await expect(stores.sessions.find([session.id], hasty())).rejects.toThrow();
    await server.node.start();
    await itWorksAgain();
    expect((await stores.sessions.find([session.id], patient()))[0]).toBeNull();
  });

  it("a server that lets nobody in fails every call, and is used once it does", async () => {
    await askRedis(server.port, "CONFIG", "SET", "requirepass", "secret");
    try {
      proxy.reset();
      await everythingFails(() => hasty(300));
    } finally {
      await server.node.kill();
      await server.node.start();
    }
    await itWorksAgain();
  });
});

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
