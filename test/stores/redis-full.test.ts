import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import type { DirectoryStore } from "../../src/ports/directory-store.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { type RedisStores, redis } from "../../src/stores/redis/redis.ts";
import { split } from "../../src/stores/split.ts";
import { write } from "../../src/testing/contract/steps.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";
import { askRedis } from "../servers/redis-ask.ts";
import { type OwnRedis, startRedis } from "../servers/start-redis.ts";
import { type Connected, nodeRedis } from "./redis-clients.ts";

const isSkipped = inject("redisBinary") === null;
const clock = testClock();
const make = fixtures(clock);
const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });

let server: OwnRedis;
let connected: Connected;
let engines: RedisStores;
let directory: DirectoryStore;
let stores: Stores;
let user: User;
let sessions: readonly Session[];
let opened = 0;

beforeAll(async () => {
  if (isSkipped) return;
  server = await startRedis({ cleanup: () => undefined });
  connected = await nodeRedis(server.url)();
});
afterAll(async () => {
  connected?.close();
  await server?.end();
});

/** 0 is no limit; 1 is less than any server takes. */
const setMaxMemory = (bytes: number): Promise<string> =>
  askRedis(server.port, "CONFIG", "SET", "maxmemory", String(bytes));

beforeEach(async () => {
  if (isSkipped) return;
  await setMaxMemory(0);
  engines = redis({ client: connected.client, prefix: `full${++opened}:` });
  ({ directory } = memory());
  stores = split({ directory, ...engines });
  user = make.user();
  sessions = [make.session(user), make.session(user), make.session(user)];
  await stores.directory.commit(
    [write.user(user), ...sessions.map((session) => write.session(session))],
    call(),
  );
  await live();
  // A copy of the user is kept in the background; `close` waits for that, and the client is the test's own.
  await stores.sessions.close();
  await setMaxMemory(1);
});

/** Places of the sessions that a check finds. */
async function live(): Promise<readonly number[]> {
  const found = await stores.sessions.find(
    sessions.map(({ id }) => id),
    call(),
  );
  return found.flatMap((one, at) => (one === null ? [] : at));
}

async function commit(...writes: readonly Write[]): Promise<void> {
  expect(await stores.directory.commit(writes, call())).toMatchObject({ ok: true });
}

describe.skipIf(isSkipped)("a Redis whose memory is full", () => {
  it("takes no session, no token and no attempt", async () => {
    const { ephemeral } = stores;
    await expect(commit(write.session(make.session(user)))).rejects.toThrow("OOM");
    await expect(ephemeral.put("key", "value", 60, call())).rejects.toThrow("OOM");
    await expect(ephemeral.add("mark", 60, call())).rejects.toThrow("OOM");
    const limit = { key: "attempts", limit: 5, windowSeconds: 60 };
    await expect(ephemeral.reserve([limit], call())).rejects.toThrow("OOM");
    const refresh = { sessionId: sessions[0]?.id ?? "", from: null, family: make.refreshFamily() };
    await expect(engines.sessions.refresh(refresh, call())).rejects.toThrow("OOM");
    expect(await live()).toEqual([0, 1, 2]);
  });

  it("keeps those signed in who use their sessions", async () => {
    const [{ id, idleExpiresAt }] = sessions as [Session];
    const later = new Date(idleExpiresAt.getTime() + 60_000);
    await stores.sessions.touch([{ sessionId: id, usedAt: clock.now(), idleExpiresAt: later }], call());
    expect((await engines.sessions.find([id], call()))[0]?.session.idleExpiresAt).toEqual(later);
  });

  it("ends sessions: one, those besides one, all", async () => {
    const [first, second] = sessions as [Session, Session];
    await commit(write.end(first.id));
    expect(await live()).toEqual([1, 2]);
    await commit(write.endAll(user.id, second.id));
    expect(await live()).toEqual([1]);
    await commit(write.endAll(user.id));
    expect(await live()).toEqual([]);
  });

  it.each([
    ["another generation", write.advance, { generation: 2 }],
    ["another status", (of: User) => write.update(of, { status: "disabled" }), { status: "disabled" }],
  ])("answers with no user of before a change: %s", async (_, change, changed) => {
    await commit(change(user));
    const found = await stores.sessions.find([sessions[0]?.id ?? ""], call());
    expect(found).toMatchObject([{ user: changed }]);
  });

  it("forgets a user, and takes no copy of them that was read before", async () => {
    const { owners, find } = engines.sessions;
    const [{ id }] = sessions as [Session];
    const [before] = await find([id], call());
    expect(before?.owner).not.toBeNull();
    await owners?.forget(user.id, call());
    expect((await find([id], call()))[0]?.owner).toBeNull();
    await setMaxMemory(0);
    await owners?.publish(user, { fence: null, readAtMs: before?.readAtMs ?? 0 }, call());
    expect((await find([id], call()))[0]?.owner).toBeNull();
  });

  it("keeps no copy that only a check would make", async () => {
    const { owners, find } = engines.sessions;
    const [{ id }] = sessions as [Session];
    const before = await askRedis(server.port, "DBSIZE");
    const other = make.user();
    const { readAtMs = 0 } = (await find([id], call()))[0] ?? {};
    await expect(owners?.publish(other, { fence: null, readAtMs }, call())).rejects.toThrow("OOM");
    expect(await askRedis(server.port, "DBSIZE")).toBe(before);
  });
});
