import { describe, expect, onTestFinished, test, vi } from "vitest";
import { AuthError } from "../../src/errors.ts";
import type { CreatedApiKey } from "../../src/flows/api-keys/api-keys.ts";
import { apiKeyUses } from "../../src/flows/api-keys/uses.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { type ApiKeyWorld, apiKeyWorld } from "../support/api-keys.ts";
import { backends } from "../support/backends.ts";
import { bareRequest } from "../support/browser.ts";
import { gate } from "../support/gate.ts";

const client = { ip: "192.0.2.10" };
const hour = new Date("2026-01-01T00:00:00Z");

/** What is on record of a key's uses, after everything counted was written. */
async function onRecord(here: ApiKeyWorld, keyId: string) {
  await here.flushed();
  const query = { keyId, from: new Date(0), limit: 10_000 };
  const rows = await here.services.stores.directory.apiKeyUsage(query, here.call());
  return rows.map(({ hour: at, statusClass, path, count }) => ({ at, statusClass, path, count }));
}

describe.each(backends)("uses of an API key, on $backend", ({ open }) => {
  test("are counted by hour, class of the answer and path without query", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key, id } = await here.key();
    const browser = here.browser();
    const headers = { "X-API-Key": key };
    await browser.get("/api/v1/users/me?secret=1", { headers });
    await browser.get("/api/v1/users/me", { headers });
    await browser.get("/api/v1/users/me/sessions", { headers });
    here.clock.advance(3_600);
    const lastUsedAt = here.clock.now();
    await browser.get("/api/v1/users/me", { headers });
    expect(await onRecord(here, id)).toEqual([
      { at: hour, statusClass: 2, path: "/api/v1/users/me", count: 2 },
      { at: hour, statusClass: 4, path: "/api/v1/users/me/sessions", count: 1 },
      { at: new Date("2026-01-01T01:00:00Z"), statusClass: 2, path: "/api/v1/users/me", count: 1 },
    ]);
    const found = await here.services.stores.directory.apiKey(id, here.call());
    expect(found?.key).toMatchObject({ lastUsedAt, version: 1 });
  });
});

test("the regular sweep drops what is older than it is kept, in batches, and nothing younger", async () => {
  const here = await apiKeyWorld();
  const { key, id } = await here.key();
  const headers = { "X-API-Key": key };
  const old = Array.from({ length: 450 }, (_, path) => ({
    path: `/${path}`,
    hour,
    statusClass: 2 as const,
    count: 1,
  }));
  const { directory } = here.services.stores;
  await directory.recordApiKeyUses([{ keyId: id, lastUsedAt: hour, usage: old }], here.call());
  here.clock.advance(90 * 86_400);
  await here.browser().get("/api/v1/users/me", { headers });
  expect(await onRecord(here, id)).toHaveLength(451);
  await here.auth.sessions.sweep();
  expect(await onRecord(here, id)).toHaveLength(451);
  here.clock.advance(3_600);
  await here.auth.sessions.sweep();
  expect(await onRecord(here, id)).toEqual([
    { at: new Date("2026-04-01T00:00:00Z"), statusClass: 2, path: "/api/v1/users/me", count: 1 },
  ]);
});

describe("a use of an API key", () => {
  test("counts by what `protect` answers: the handler's, the guard's, the failure's", async () => {
    const here = await apiKeyWorld();
    const { key, id } = await here.key();
    const request = (path: string) => new Request(here.origin + path, { headers: { "X-API-Key": key } });
    const answers = here.auth.protect(() => new Response(null, { status: 302 }));
    const breaks = here.auth.protect(() => {
      throw new Error("broken");
    });
    const refuses = here.auth.protect(
      () => new Response("never"),
      guard("no", () => false),
    );
    const lacks = here.auth.protect(() => {
      throw new AuthError("not_found");
    });
    for (const [path, bound] of Object.entries({ answers, breaks, refuses, lacks }))
      await bound(request(`/${path}`), client);
    const rows = await onRecord(here, id);
    expect(Object.fromEntries(rows.map(({ path, statusClass }) => [path, statusClass]))).toEqual({
      "/answers": 3,
      "/breaks": 5,
      "/refuses": 4,
      "/lacks": 4,
    });
    expect(rows.every(({ count }) => count === 1)).toBe(true);
  });

  test("counts by the verdict where nobody knows the answer", async () => {
    const here = await apiKeyWorld();
    const { key, id } = await here.key();
    const headers = { "x-api-key": key };
    const no = guard("no", () => false);
    const page = guard("page", () => ({
      allow: false,
      code: "forbidden",
      because: "",
      redirect: "/upgrade",
    }));
    const broken = guard("broken", () => {
      throw new Error("broken");
    });
    await here.auth.check(bareRequest({ url: "/open", headers }), client, anyone());
    await here.auth.check(bareRequest({ url: "/closed", headers }), client, no);
    await here.auth.check(bareRequest({ url: "/broken", headers }), client, broken);
    await here.auth.check(
      bareRequest({ url: "/page", headers: { ...headers, accept: "text/html" } }),
      client,
      page,
    );
    await here.auth.authenticate(bareRequest({ url: "/who", headers }), client);
    const rows = await onRecord(here, id);
    expect(Object.fromEntries(rows.map(({ path, statusClass }) => [path, statusClass]))).toEqual({
      "/open": 2,
      "/closed": 4,
      "/broken": 5,
      "/page": 3,
      "/who": 2,
    });
  });

  test("counts by the answer where the request can tell it, and not before", async () => {
    const here = await apiKeyWorld();
    const { key, id } = await here.key();
    const told: ((status: number) => void)[] = [];
    const request = {
      ...bareRequest({ url: "/late", headers: { "x-api-key": key } }),
      onAnswered: (tell: (status: number) => void) => void told.push(tell),
    };
    await here.auth.check(request, client);
    expect(told).toHaveLength(1);
    told[0]?.(503);
    expect(await onRecord(here, id)).toMatchObject([{ statusClass: 5, path: "/late", count: 1 }]);
  });

  test("counts once, however often the request is asked who it is from", async () => {
    const here = await apiKeyWorld();
    const { key, id } = await here.key();
    const request = bareRequest({ url: "/twice", headers: { "x-api-key": key } });
    await here.auth.authenticate(request, client);
    await here.auth.check(request, client);
    // A route that asks, and so does its flow.
    await here.browser().patch("/api/v1/users/me", { name: "Eve" }, { headers: { "X-API-Key": key } });
    expect(await onRecord(here, id)).toMatchObject([
      { path: "/twice", statusClass: 2, count: 1 },
      { path: "/api/v1/users/me", statusClass: 4, count: 1 },
    ]);
  });

  test("past its limits counts as refused", async () => {
    const here = await apiKeyWorld();
    const { key, id } = await here.key({ limits: { perDay: 1 } });
    for (let index = 0; index < 3; index++)
      await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": key } });
    expect(await onRecord(here, id)).toMatchObject([
      { statusClass: 2, count: 1 },
      { statusClass: 4, count: 2 },
    ]);
  });

  test("that was refused is none: nobody leaves a mark on a key without its secret", async () => {
    const here = await apiKeyWorld();
    const { key, id } = await here.key({ allowedIps: ["203.0.113.0/24"] });
    await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": key } });
    expect(await onRecord(here, id)).toEqual([]);
    const found = await here.services.stores.directory.apiKey(id, here.call());
    expect(found?.key.lastUsedAt).toBeNull();
  });

  test("is for one of fifty paths an hour, cut after 200 characters; all others are one", async () => {
    const here = await apiKeyWorld();
    const { key, id } = await here.key();
    const use = (path: string) =>
      here.auth.check(bareRequest({ url: path, headers: { "x-api-key": key } }), client);
    for (let index = 0; index < 60; index++) await use(`/${index}`);
    await use("/0");
    here.clock.advance(3_600);
    await use(`/${"x".repeat(500)}`);
    const rows = await onRecord(here, id);
    const first = rows.filter(({ at }) => at.getTime() === hour.getTime());
    expect(first).toHaveLength(51);
    expect(first.find(({ path }) => path === "*")?.count).toBe(10);
    expect(first.find(({ path }) => path === "/0")?.count).toBe(2);
    expect(rows.at(-1)).toMatchObject({ path: `/${"x".repeat(199)}`, count: 1 });
  });
});

describe("counted uses", () => {
  test("are written a few seconds later, all of them at once", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const here = await apiKeyWorld();
    const keys = [await here.key(), await here.key()];
    here.recorder.calls.length = 0;
    for (let index = 0; index < 5; index++) {
      for (const { key } of keys)
        await here.auth.check(bareRequest({ url: "/x", headers: { "x-api-key": key } }), client);
    }
    const writes = () => here.recorder.trace().filter((name) => name === "directory.recordApiKeyUses");
    vi.advanceTimersByTime(4_999);
    await here.settle();
    expect(writes()).toEqual([]);
    vi.advanceTimersByTime(1);
    await here.settle();
    expect(writes()).toHaveLength(1);
    vi.advanceTimersByTime(60_000);
    await here.settle();
    expect(writes()).toHaveLength(1);
  });

  test("that cannot be written are written the next time, and those of then with them", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const state = { isDown: true };
    const here = await apiKeyWorld({
      wrap: (stores) =>
        faulty(stores, ({ method }) => (state.isDown && method === "recordApiKeyUses" ? "refuse" : null)),
    });
    const { key, id } = await here.key();
    const use = () => here.auth.check(bareRequest({ url: "/x", headers: { "x-api-key": key } }), client);
    await use();
    vi.advanceTimersByTime(5_000);
    await here.settle();
    expect(here.log).toMatchObject([{ level: "error", fields: { task: "write uses of API keys" } }]);
    state.isDown = false;
    vi.advanceTimersByTime(5_000);
    await here.settle();
    const query = { keyId: id, from: new Date(0), limit: 10 };
    const first = await here.services.stores.directory.apiKeyUsage(query, here.call());
    expect(first).toMatchObject([{ path: "/x", count: 1 }]);
    await use();
    vi.useRealTimers();
    expect(await onRecord(here, id)).toMatchObject([{ path: "/x", count: 2 }]);
    expect(here.log).toHaveLength(1);
  });

  test("are written one batch at a time, and what came meanwhile after it", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const here = await apiKeyWorld({ storeTimeoutMs: 30_000 });
    const { key, id } = await here.key();
    const use = () => here.auth.check(bareRequest({ url: "/x", headers: { "x-api-key": key } }), client);
    const writes = () => here.recorder.trace().filter((name) => name === "directory.recordApiKeyUses").length;
    const slow = gate();
    here.recorder.before = ({ name }) => (name === "directory.recordApiKeyUses" ? slow.pass() : null);
    await use();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(writes()).toBe(1);
    await use();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(writes()).toBe(1);
    slow.open();
    await here.settle();
    await vi.advanceTimersByTimeAsync(5_000);
    await here.settle();
    expect(writes()).toBe(2);
    vi.useRealTimers();
    expect(await onRecord(here, id)).toMatchObject([{ path: "/x", count: 2 }]);
  });

  test("are complete at the end, also where a batch was under way", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const here = await apiKeyWorld({ storeTimeoutMs: 30_000 });
    const { key, id } = await here.key();
    const use = () => here.auth.check(bareRequest({ url: "/x", headers: { "x-api-key": key } }), client);
    const slow = gate();
    here.recorder.before = ({ name }) => (name === "directory.recordApiKeyUses" ? slow.pass() : null);
    await use();
    await vi.advanceTimersByTimeAsync(5_000);
    await use();
    const closed = here.auth.close();
    slow.open();
    await closed;
    // Whoever answers after the end counts no more: the stores are closed.
    await use();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(here.log).toEqual([]);
    vi.useRealTimers();
    expect(await onRecord(here, id)).toMatchObject([{ path: "/x", count: 2 }]);
  });

  test("hold no process open", async () => {
    const here = await apiKeyWorld();
    const uses = apiKeyUses(here.services);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    uses.note({ keyId: "k", path: "/", status: 200 });
    expect(timers()).toBe(before);
  });

  test("of very many keys are not remembered: the paths of the first are told apart anew", async () => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    const uses = apiKeyUses(here.services);
    const note = (keyId: string, path: string) => uses.note({ keyId, path, status: 0 });
    for (let index = 0; index < 50; index++) note(id, `/${index}`);
    for (let index = 0; index < 10_000; index++) note(`other ${index}`, "/");
    await uses.flush();
    note(id, "/more");
    await uses.close();
    const query = { keyId: id, from: new Date(0), limit: 100 };
    const rows = await here.services.stores.directory.apiKeyUsage(query, here.call());
    expect(rows.map(({ path }) => path)).toContain("/more");
    // No answer has such a status: it counts as a failure.
    expect(new Set(rows.map(({ statusClass }) => statusClass))).toEqual(new Set([5]));
  });

  test("of the last seconds are written at the end, and one that fails says what was lost", async () => {
    const here = await apiKeyWorld({
      wrap: (stores) => faulty(stores, ({ method }) => (method === "recordApiKeyUses" ? "refuse" : null)),
    });
    const { key } = await here.key();
    await here.auth.check(bareRequest({ url: "/x", headers: { "x-api-key": key } }), client);
    await here.auth.close();
    expect(here.log).toMatchObject([{ level: "error", message: "uses of API keys were lost at the end" }]);
  });

  test("are written in short transactions, each key's once", async () => {
    const here = await apiKeyWorld();
    const keys: CreatedApiKey[] = [];
    for (let index = 0; index < 30; index++) keys.push(await here.key());
    here.recorder.calls.length = 0;
    for (const { key } of keys) {
      for (let path = 0; path < 20; path++)
        await here.auth.check(bareRequest({ url: `/${path}`, headers: { "x-api-key": key } }), client);
    }
    await here.flushed();
    const batches = here.recorder.calls.flatMap(({ name, args }) =>
      name === "directory.recordApiKeyUses" ? [args[0] as readonly { usage: readonly unknown[] }[]] : [],
    );
    expect(batches.map((batch) => batch.flatMap(({ usage }) => usage).length)).toEqual([200, 200, 200]);
  });
});

describe("the record of a key's uses", () => {
  test("comes in pages of whole hours", async () => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    const at = (n: number) => new Date(hour.getTime() + n * 3_600_000);
    const usage = [0, 1, 2].flatMap((n) =>
      Array.from({ length: 2_000 }, (_, index) => ({
        hour: at(n),
        statusClass: 2 as const,
        path: `/${index}`,
        count: 1,
      })),
    );
    const uses = [{ keyId: id, lastUsedAt: here.clock.now(), usage }];
    await here.services.stores.directory.recordApiKeyUses(uses, here.call());
    const first = await here.keys.usage(here.principal(), id, { from: hour });
    expect([first.usage.length, first.next]).toEqual([4_000, at(2)]);
    const last = await here.keys.usage(here.principal(), id, { from: first.next ?? hour });
    expect([last.usage.length, last.next]).toEqual([2_000, null]);
  });

  test("begins a week ago where nothing else is said", async () => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    const use = (n: number) => ({
      hour: new Date(hour.getTime() + n * 3_600_000),
      statusClass: 2 as const,
      path: "/",
      count: n,
    });
    const uses = [{ keyId: id, lastUsedAt: here.clock.now(), usage: [use(1), use(2)] }];
    await here.services.stores.directory.recordApiKeyUses(uses, here.call());
    here.clock.advance(7 * 86_400 + 2 * 3_600);
    const { usage } = await here.keys.usage(here.principal(), id);
    expect(usage.map(({ count }) => count)).toEqual([2]);
  });
});
