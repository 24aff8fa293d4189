import { randomUUID } from "node:crypto";
import Memcached from "memcached";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import {
  type MemcachedClient,
  memcachedOptions,
  memcachedSessions,
} from "../../src/stores/memcached/memcached.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";
import { eventually } from "../servers/eventually.ts";
import { startMemcached } from "../servers/start-memcached.ts";
import { type FaultMode, openFaultProxy } from "../support/fault-proxy.ts";
import { memcachedClient, sessionsOn } from "./memcached-servers.ts";

const address = inject("memcachedAddress");
const isMissing = address === null || inject("memcachedBinary") === null;
const clock = testClock();
const make = fixtures(clock);
const patienceMs = 300;
const call = (): StoreCall => ({ now: clock.now(), signal: AbortSignal.timeout(5_000) });
const hasty = (): StoreCall => ({ now: clock.now(), signal: AbortSignal.timeout(patienceMs) });

function opened(servers: string | string[], prefix = `${randomUUID()}:`): DetachedSessions {
  const sessions = sessionsOn(servers, { prefix });
  onTestFinished(() => sessions.close());
  return sessions;
}

/** Every way to ask for something. */
function calls(sessions: DetachedSessions, user = make.user()): readonly (() => Promise<unknown>)[] {
  const { id } = make.session(user);
  const key = { userId: user.id, slotTag: user.slotTag };
  const touch = { sessionId: id, usedAt: clock.now(), idleExpiresAt: clock.now() };
  return [
    () => sessions.ping(hasty()),
    async () => sessions.find([id], hasty()),
    async () => sessions.list(key, hasty()),
    () => sessions.insert(make.session(user), 1, hasty()),
    () => sessions.take([id], hasty()),
    () => sessions.setData({ sessionId: id, dataVersion: 0, data: {} }, hasty()),
    () => sessions.refresh({ sessionId: id, from: null, family: make.refreshFamily() }, hasty()),
    () => sessions.touch([touch], hasty()),
  ];
}

const modes: readonly (readonly [name: string, mode: FaultMode])[] = [
  ["refuses", "refuse"],
  ["hangs", "hang"],
  ["resets at the first byte of its answers", { resetAfterBytes: 0 }],
  ["resets within its answers", { resetAfterBytes: 3 }],
  ["is slower than the caller's patience", { delayMs: 3_000 }],
];

describe.skipIf(isMissing)("a Memcached", () => {
  it.each(modes)("that %s fails every call in time, and works again as soon as it does", async (_, mode) => {
    const proxy = await openFaultProxy(address ?? "");
    onTestFinished(() => proxy.end());
    const prefix = `${randomUUID()}:`;
    const [sessions, direct] = [opened(proxy.address, prefix), opened(address ?? "", prefix)];
    const user = make.user();
    const session = make.session(user);
    await sessions.insert(session, 0, call());
    await proxy.set(mode);
    const startedAt = performance.now();
    const outcomes = await Promise.allSettled(calls(sessions, user).map((work) => work()));
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => "rejected"));
    expect(performance.now() - startedAt).toBeLessThan(patienceMs + 1_500);
    await proxy.set("pass");
    await eventually(async () => {
      const [found] = await sessions.find([session.id], hasty());
      return found?.session.id === session.id;
    }, 8_000);
    await sessions.take([session.id], call());
    expect(await direct.find([session.id], call())).toEqual([null]);
  });

  it("that is stopped fails calls, and has what it had when it goes on", async () => {
    const { address: own, node } = await startMemcached();
    const sessions = opened(own);
    const session = make.session(null);
    await sessions.insert(session, 0, call());
    node.stop();
    for (const work of calls(sessions)) await expect(work()).rejects.toThrow();
    node.cont();
    await eventually(async () => (await sessions.find([session.id], hasty()))[0] !== null);
  });

  it("that was restarted has signed everybody out, and takes new sessions", async () => {
    const { address: own, node } = await startMemcached();
    const sessions = opened(own);
    const user = make.user();
    const session = make.session(user);
    await sessions.insert(session, 0, call());
    await node.kill();
    for (const work of calls(sessions, user)) await expect(work()).rejects.toThrow();
    await node.start();
    await eventually(async () => (await sessions.find([session.id], hasty()))[0] === null);
    const next = make.session(user);
    expect(await sessions.insert(next, 1, call())).toEqual([]);
    const [found] = await sessions.find([next.id], call());
    expect(found?.session.id).toBe(next.id);
  });

  it("without cas is an error, since every swap would succeed there", async () => {
    const { address: own } = await startMemcached({ args: ["-C"] });
    const sessions = opened(own);
    const user = make.user();
    await sessions.insert(make.session(user), 0, call()).catch(() => undefined);
    await expect(sessions.insert(make.session(user), 0, call())).rejects.toThrow("-C");
    await expect(sessions.list({ userId: user.id, slotTag: user.slotTag }, call())).rejects.toThrow("-C");
  });

  it("that has no room for an item is an error, not a session that is there already", async () => {
    const { address: own } = await startMemcached({ args: ["-I", "16k", "-o", "slab_chunk_max=8"] });
    const alone = make.session(null, { data: { long: "x".repeat(20_000) } });
    await expect(opened(own).insert(alone, 0, call())).rejects.toThrow("failed at add");
  });

  it("that evicted a user's sessions has signed them out, and a sign-in brings none back", async () => {
    const prefix = `${randomUUID()}:`;
    const sessions = opened(address ?? "", prefix);
    const client = memcachedClient(address ?? "");
    onTestFinished(() => client.end());
    const user = make.user();
    const lost = [make.session(user), make.session(user)];
    for (const session of lost) await sessions.insert(session, 0, call());
    await new Promise((resolve) => client.del(prefix + user.slotTag, resolve));
    const added = make.session(user);
    await sessions.insert(added, 0, call());
    const left = await sessions.list({ userId: user.id, slotTag: user.slotTag }, call());
    expect(left.map(({ id }) => id)).toEqual([added.id]);
    for (const { id } of lost) expect(await sessions.find([id], call())).toEqual([null]);
  });
});

describe.skipIf(isMissing)("of two nodes", () => {
  it("the one that is down takes its users along and no others, and their keys stay with it", async () => {
    const nodes = [await startMemcached(), await startMemcached()];
    const servers = nodes.map((node) => node.address);
    const sessions = opened(servers);
    const all = Array.from({ length: 40 }, () => make.session(make.user()));
    for (const session of all) await sessions.insert(session, 0, call());
    await nodes[1]?.node.kill();
    const outcomes = await Promise.allSettled(
      all.map(async ({ id }) => (await sessions.find([id], hasty()))[0]),
    );
    const alive = outcomes.filter(({ status }) => status === "fulfilled").length;
    expect(alive).toBeGreaterThan(5);
    expect(alive).toBeLessThan(35);
    // None of those that are answered is a "no".
    expect(outcomes.filter((one) => one.status === "fulfilled" && one.value === null)).toEqual([]);
    await nodes[1]?.node.start();
    await eventually(async () => {
      const found = await Promise.all(all.map(async ({ id }) => (await sessions.find([id], hasty()))[0]));
      return found.filter((one) => one !== null).length === alive;
    });
  });
});

describe("a client that would lose sessions", () => {
  const unfit: readonly (readonly [option: string, options: Memcached.options])[] = [
    ["remove", { ...memcachedOptions, remove: true }],
    ["redundancy", { ...memcachedOptions, redundancy: 1 } as Memcached.options],
    ["failures", { ...memcachedOptions, failures: 5 }],
  ];
  it.each(unfit)("by its option `%s` is refused", (option, options) => {
    const client = new Memcached("127.0.0.1:1", options);
    expect(() => memcachedSessions({ client })).toThrow(option);
  });

  it("or is none is refused, as is a prefix that is no part of a key", () => {
    expect(() => memcachedSessions({ client: {} as MemcachedClient })).toThrow(TypeError);
    const client = memcachedClient("127.0.0.1:1");
    for (const prefix of ["", "a b", "a\r\nflush_all", "é", "$&", "x".repeat(201)])
      expect(() => memcachedSessions({ client, prefix })).toThrow(TypeError);
  });
});
