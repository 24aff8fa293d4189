import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import { expiredKeepSeconds, type OwnerRecords } from "../../src/ports/detached-sessions.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import { type Changes, type RedisChannelOptions, redisChannel } from "../../src/stores/cached.ts";
import {
  type NodeRedisClient,
  type RedisStores,
  redis,
  UnfitRedisError,
} from "../../src/stores/redis/redis.ts";
import { testClock } from "../../src/testing/clock.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { type OwnRedis, startRedis } from "../servers/start-redis.ts";
import { until } from "../support/until.ts";
import { type Connected, ioRedis, nodeRedis } from "./redis-clients.ts";

const clock = testClock();
const make = fixtures(clock);
const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });

const isSkipped = inject("redisBinary") === null;
let server: OwnRedis;
let connected: Connected;
let client: NodeRedisClient;
let stores: RedisStores;
let prefix = "";
let opened = 0;

beforeAll(async () => {
  if (isSkipped) return;
  server = await startRedis({ cleanup: () => undefined });
  connected = await nodeRedis(server.url)();
  client = connected.client as NodeRedisClient;
});
afterAll(async () => {
  connected?.close();
  await server?.end();
});
beforeEach(() => {
  prefix = `rules${++opened}:`;
  stores = redis({ client, prefix });
});

const ask = <T>(...words: string[]): Promise<T> => client.sendCommand(words) as Promise<T>;
const keyOf = (letter: string, { id, slotTag }: User): string => `${prefix}{${slotTag}}:${letter}:${id}`;
const ownerKey = ({ id, slotTag }: User) => ({ userId: id, slotTag });
const records = (): OwnerRecords => stores.sessions.owners as OwnerRecords;

async function signedIn(overrides: Partial<Session> = {}): Promise<{ user: User; session: Session }> {
  const user = make.user();
  const session = make.session(user, overrides);
  await stores.sessions.insert(session, 0, call());
  return { user, session };
}

async function found({ id }: Session) {
  const [one] = await stores.sessions.find([id], call());
  if (one == null) throw new Error("the session is not there");
  return one;
}

/** Publishes what a check would: read just now. */
async function publish(user: User, session: Session): Promise<void> {
  const { readAtMs } = await found(session);
  await records().publish(user, { fence: null, readAtMs }, call());
}

/** Another server takes over, as far as this one can tell: it follows nobody for a moment, and leads again. */
async function changeReign(): Promise<void> {
  await ask("REPLICAOF", "127.0.0.1", "1");
  await ask("REPLICAOF", "NO", "ONE");
}

describe.skipIf(isSkipped)("Redis is asked as little as it can be", () => {
  it("a check is one command, whatever it finds", async () => {
    let sent = 0;
    const counting: NodeRedisClient = {
      sendCommand(args, options) {
        sent++;
        return client.sendCommand(args, options);
      },
    };
    stores = redis({ client: counting, prefix });
    const { user, session } = await signedIn();
    await found(session);
    for (const step of [publish, async () => undefined]) {
      sent = 0;
      await found(session);
      expect(sent).toBe(1);
      await step(user, session);
    }
    expect((await found(session)).owner?.id).toBe(user.id);
  });

  it("a server that forgot the scripts is told them again", async () => {
    const { session } = await signedIn();
    await ask("SCRIPT", "FLUSH");
    expect((await found(session)).session.id).toBe(session.id);
  });
});

describe.skipIf(isSkipped)("Redis keeps nothing for ever", () => {
  it("every key expires, and none before what it holds", async () => {
    const { user, session } = await signedIn();
    const other = make.session(user, { idleExpiresAt: new Date(clock.now().getTime() + 60_000) });
    await stores.sessions.insert(other, 5, call());
    await stores.sessions.insert(make.session(null), 0, call());
    const later = new Date(clock.now().getTime() + 3_600_000);
    await stores.sessions.touch(
      [{ sessionId: session.id, usedAt: clock.now(), idleExpiresAt: later }],
      call(),
    );
    await stores.sessions.setData({ sessionId: session.id, dataVersion: 0, data: { a: 1 } }, call());
    const family = make.refreshFamily();
    await stores.sessions.refresh({ sessionId: session.id, from: null, family }, call());
    await publish(user, session);
    await records().fence({ userId: "other", slotTag: user.slotTag }, "fence", call());
    await records().forget("nobody", call());
    const { ephemeral } = stores;
    await ephemeral.put("value", "v", 60, call());
    await ephemeral.add("mark", 60, call());
    const limit = { key: "counter", limit: 3, windowSeconds: 60 };
    await ephemeral.reserve([limit], call());
    await ephemeral.reserve([limit], call());
    await ephemeral.refund(["counter"], call());
    const keys = await ask<string[]>("KEYS", `${prefix}*`);
    expect(keys.length).toBe(11);
    for (const key of keys) expect([key, await ask<number>("PTTL", key)]).toEqual([key, expect.any(Number)]);
    for (const key of keys) expect(await ask<number>("PTTL", key)).toBeGreaterThan(0);
    // The session that was touched ends last, and the index with it.
    const wanted = 3_600_000 + expiredKeepSeconds * 1000 - 10_000;
    expect(await ask<number>("PTTL", keyOf("i", user))).toBeGreaterThan(wanted);
  });

  it("a lifetime beyond any calendar is shortened, not refused", async () => {
    const far = new Date(8.64e15);
    const { session } = await signedIn({ idleExpiresAt: far, expiresAt: far });
    expect((await found(session)).session.expiresAt).toEqual(far);
    for (const ttlSeconds of [1e12, 1e300]) {
      await stores.ephemeral.put("key", "value", ttlSeconds, call());
      expect(await stores.ephemeral.read("key", call())).toBe("value");
      expect(await stores.ephemeral.add(`mark:${ttlSeconds}`, ttlSeconds, call())).toBe(true);
    }
  });

  it("the index of a user lets go of sessions that are gone, at the next sign-in", async () => {
    const { user } = await signedIn({ idleExpiresAt: new Date(clock.now().getTime() + 1_000) });
    clock.advance(1 + expiredKeepSeconds);
    await stores.sessions.insert(make.session(user), 0, call());
    // The other member is the mark of the reign.
    expect(await ask<number>("ZCARD", keyOf("i", user))).toBe(2);
  });
});

describe.skipIf(isSkipped)("Redis holds a thousand sessions of a user", () => {
  it.each([0, 5_000])("whatever the cap (%i): the least recently used go", async (cap) => {
    const user = make.user();
    const at = (index: number): Date => new Date(clock.now().getTime() + index);
    const all = Array.from({ length: 1_003 }, (_, index) => make.session(user, { lastUsedAt: at(index) }));
    const evicted = (
      await Promise.all(all.slice(0, 1_000).map((session) => stores.sessions.insert(session, cap, call())))
    ).flat();
    expect(evicted).toEqual([]);
    for (const session of all.slice(1_000))
      evicted.push(...(await stores.sessions.insert(session, cap, call())));
    expect(evicted).toEqual(all.slice(0, 3));
    expect(await stores.sessions.list(ownerKey(user), call())).toHaveLength(1_000);
  });
});

describe.skipIf(isSkipped)("Redis answers with a copy of a user only while it can be true", () => {
  it("not after another primary took over, until every fence of before is over", async () => {
    const { user, session } = await signedIn();
    await publish(user, session);
    expect((await found(session)).owner).not.toBeNull();
    await changeReign();
    expect((await found(session)).owner).toBeNull();
    await publish(user, session);
    expect((await found(session)).owner, "somebody may have had a fence that was lost").toBeNull();
    // As a minute later.
    await ask("DEL", keyOf("f", user));
    await publish(user, session);
    expect((await found(session)).owner).not.toBeNull();
  });

  it("a fence that another primary took down is no right to publish", async () => {
    // Nothing but the fence tells of the change: the user had no session yet.
    const user = make.user();
    const session = make.session(user);
    await records().fence(ownerKey(user), "mine", call());
    await changeReign();
    await records().publish(user, { fence: "mine", readAtMs: null }, call());
    await stores.sessions.insert(session, 0, call());
    expect((await found(session)).owner).toBeNull();
    const { user: second, session: theirs } = await signedIn();
    await records().fence(ownerKey(second), "mine", call());
    await ask("DEL", keyOf("f", second));
    await records().publish(second, { fence: "mine", readAtMs: null }, call());
    expect((await found(theirs)).owner).toBeNull();
    await publish(second, theirs);
    expect((await found(theirs)).owner, "nor for anybody else, since the change came after").toBeNull();
  });

  it("a fence that stood too long is no right to publish", async () => {
    const { user, session } = await signedIn();
    await records().fence(ownerKey(user), "mine", call());
    const [at = "", reign] = ((await ask<string>("HGET", keyOf("f", user), "f:mine")) ?? "").split(" ");
    await ask("HSET", keyOf("f", user), "f:mine", `${Number(at) - 31_000} ${reign}`);
    await records().publish(user, { fence: "mine", readAtMs: null }, call());
    expect((await found(session)).owner).toBeNull();
  });

  it("a fence whose owner died falls after its time", async () => {
    const { user, session } = await signedIn();
    await records().fence(ownerKey(user), "dead", call());
    const [at = "", reign] = ((await ask<string>("HGET", keyOf("f", user), "f:dead")) ?? "").split(" ");
    const long = String(Number(at) - 61_000);
    await ask("HSET", keyOf("f", user), "f:dead", `${long} ${reign}`, "last", long);
    await publish(user, session);
    expect((await found(session)).owner).not.toBeNull();
  });

  it("what was read before a fence is not published after it", async () => {
    const { user, session } = await signedIn();
    const { readAtMs } = await found(session);
    await records().fence(ownerKey(user), "theirs", call());
    await records().lift(ownerKey(user), "theirs", call());
    await records().publish(user, { fence: null, readAtMs }, call());
    expect((await found(session)).owner).toBeNull();
  });

  it("of two who change a user the earlier version is not published after the later one", async () => {
    const { user, session } = await signedIn();
    await records().fence(ownerKey(user), "one", call());
    await records().fence(ownerKey(user), "two", call());
    await records().publish({ ...user, version: 3 }, { fence: "one", readAtMs: null }, call());
    await records().publish({ ...user, version: 2 }, { fence: "two", readAtMs: null }, call());
    expect((await found(session)).owner).toBeNull();
  });

  it("a user who was forgotten before anybody published them is not published from an earlier reading", async () => {
    const { user, session } = await signedIn();
    const { readAtMs } = await found(session);
    await records().forget(user.id, call());
    await records().publish(user, { fence: null, readAtMs }, call());
    expect((await found(session)).owner).toBeNull();
  });

  it("a primary that has lost the replicas it is set to write with does not answer for users", async () => {
    const { user, session } = await signedIn();
    await publish(user, session);
    await ask("CONFIG", "SET", "min-replicas-to-write", "1");
    try {
      expect((await found(session)).owner).toBeNull();
      await expect(stores.ephemeral.put("key", "value", 60, call())).rejects.toThrow("NOREPLICAS");
    } finally {
      await ask("CONFIG", "SET", "min-replicas-to-write", "0");
    }
    expect((await found(session)).owner).not.toBeNull();
  });
});

describe.skipIf(isSkipped)("Redis says that it failed", () => {
  it("a replica is not asked: neither found nor unknown", async () => {
    const { user, session } = await signedIn();
    await ask("REPLICAOF", "127.0.0.1", "1");
    try {
      await expect(found(session)).rejects.toThrow("READONLY");
      await expect(stores.sessions.find([make.session(null).id], call())).rejects.toThrow("READONLY");
      await expect(stores.sessions.insert(make.session(user), 5, call())).rejects.toThrow("READONLY");
      await expect(stores.sessions.take([session.id], call())).rejects.toThrow("READONLY");
      await expect(stores.ephemeral.take("key", call())).resolves.toBeNull();
      await expect(stores.ephemeral.add("key", 60, call())).rejects.toThrow("READONLY");
      await expect(records().fence(ownerKey(user), "mine", call())).rejects.toThrow("READONLY");
    } finally {
      await ask("REPLICAOF", "NO", "ONE");
    }
  });

  it("a session that is sent twice is added once, and one of another content not at all", async () => {
    const user = make.user();
    const session = make.session(user);
    expect(await stores.sessions.insert(session, 1, call())).toEqual([]);
    expect(await stores.sessions.insert(session, 1, call())).toEqual([]);
    await expect(stores.sessions.insert({ ...session, generation: 9 }, 1, call())).rejects.toThrow("already");
    expect(await stores.sessions.list(ownerKey(user), call())).toEqual([session]);
  });

  it("a value that nobody here wrote is a failure, not a sign-out", async () => {
    const { session } = await signedIn();
    const key = `${prefix}{${session.id.slice(0, 8)}}:s:${session.id.slice(8)}`;
    for (const foreign of ["", "{}", "1 2 3 4 5\n\n[]\n"]) {
      await ask("SET", key, foreign);
      await expect(found(session)).rejects.toThrow();
    }
    await ask("DEL", key);
    await ask("LPUSH", key, "list");
    await expect(found(session)).rejects.toThrow("WRONGTYPE");
  });
});

/** The user that the documentation asks for: its rules, as words. */
function documentedUser(): readonly string[] {
  const page = readFileSync(new URL("../../docs/stores/redis.md", import.meta.url), "utf8");
  const words = /^ACL SETUSER latchkey (.*)$/m.exec(page)?.[1]?.split(" ");
  if (words === undefined) throw new Error("docs/stores/redis.md names no user");
  return words;
}

describe.skipIf(isSkipped).each(Object.entries({ "node-redis": nodeRedis, ioredis: ioRedis }))(
  "with the rights that the documentation names, by %s,",
  (_, connect) => {
    let few: Connected;
    beforeAll(async () => {
      await ask("ACL", "SETUSER", "latchkey", "reset", ...documentedUser());
      few = await connect(server.url.replace("//", "//latchkey:password@"))();
    });
    afterAll(() => few?.close());

    it("everything works", async () => {
      const { sessions, ephemeral } = redis({ client: few.client });
      const owners = sessions.owners as OwnerRecords;
      const user = make.user();
      const [first, second] = [make.session(user), make.session(user)];
      const key = ownerKey(user);
      await sessions.insert(first, 1, call());
      expect(await sessions.insert(second, 1, call())).toEqual([first]);
      await changeReign();
      await owners.fence(key, "lifted", call());
      await owners.lift(key, "lifted", call());
      for (const fence of ["of another reign", "of this one"]) {
        await owners.fence(key, fence, call());
        await owners.publish(user, { fence, readAtMs: null }, call());
        await ask("DEL", `latchkey:{${user.slotTag}}:f:${user.id}`);
      }
      const { readAtMs = 0 } = (await sessions.find([second.id], call()))[0] ?? {};
      await owners.publish(user, { fence: null, readAtMs }, call());
      expect((await sessions.find([second.id], call()))[0]?.owner).toEqual(user);
      const touch = { sessionId: second.id, usedAt: clock.now(), idleExpiresAt: second.idleExpiresAt };
      await sessions.touch([touch], call());
      const data = { sessionId: second.id, dataVersion: 0, data: { a: 1 } };
      expect(await sessions.setData(data, call())).toBe(true);
      const refresh = { sessionId: second.id, from: null, family: make.refreshFamily() };
      expect(await sessions.refresh(refresh, call())).toBe(true);
      expect(await sessions.take([second.id], call())).toHaveLength(1);
      await owners.forget(user.id, call());
      await sessions.ping(call());
      await ephemeral.put("value", "v", 60, call());
      expect(await ephemeral.take("value", call())).toBe("v");
      expect(await ephemeral.add("mark", 60, call())).toBe(true);
      const limit = { key: "counter", limit: 3, windowSeconds: 60 };
      await ephemeral.reserve([limit], call());
      await ephemeral.reserve([limit], call());
      await ephemeral.refund(["counter"], call());
      await ephemeral.remove(["value", "mark", "counter"], call());
    });

    it("the channel is heard", async () => {
      const told: Changes[] = [];
      const log = { warn() {} };
      const client = few.client as unknown as RedisChannelOptions["client"];
      const [listener, teller] = [redisChannel({ client, log }), redisChannel({ client, log })];
      listener.open((changes) => told.push(changes));
      teller.open(() => undefined);
      onTestFinished(() => Promise.all([listener.close(), teller.close()]).then(() => undefined));
      await until(() => {
        teller.tell({ sessions: [], users: ["u"] });
        return told.some((changes) => changes !== "everything" && changes.users.includes("u"));
      });
    });

    it("nothing else is allowed", async () => {
      const stranger = redis({ client: few.client, prefix: "other:" });
      await expect(stranger.ready()).rejects.toThrow(UnfitRedisError);
    });
  },
);

describe.skipIf(isSkipped)("Redis is looked at before it is used", () => {
  it("a server that evicts is refused by every method, and accepted once it is set right", async () => {
    await ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    try {
      await expect(stores.ready()).rejects.toThrow("maxmemory-policy must be noeviction, it is allkeys-lru");
      await expect(stores.sessions.find([make.session(null).id], call())).rejects.toThrow("maxmemory-policy");
      await expect(stores.ephemeral.read("key", call())).rejects.toThrow("maxmemory-policy");
      await expect(stores.ephemeral.ping(call())).rejects.toThrow("maxmemory-policy");
    } finally {
      await ask("CONFIG", "SET", "maxmemory-policy", "noeviction");
    }
    await stores.ready();
    expect(await stores.ephemeral.read("key", call())).toBeNull();
  });

  it.each([
    ["may run no script", "-@scripting"],
    ["may not ask for INFO", "-info"],
    ["may not use these keys", "resetkeys"],
  ])("a user who %s is refused, and let in once they may", async (_, rule) => {
    const acl = (...rules: string[]) => ask("ACL", "SETUSER", "few", ...rules);
    await acl("reset", "on", ">secret", "~*", "+@all", rule);
    const few = await nodeRedis(server.url.replace("//", "//few:secret@"))();
    try {
      const { ready } = redis({ client: few.client, prefix });
      const failure = await ready().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(UnfitRedisError);
      expect(String(failure)).toContain("lacks a right");
      await acl("~*", "+@all");
      await ready();
    } finally {
      few.close();
    }
  });

  it("what cannot be used is a TypeError", async () => {
    for (const wrong of ["{", "a}", "{tag}"])
      expect(() => redis({ client, prefix: wrong })).toThrow(TypeError);
    for (const wrong of [null, {}, "redis://"])
      expect(() => redis({ client: wrong as unknown as NodeRedisClient })).toThrow(TypeError);
    const user = make.user({ slotTag: "a}b{cdef" });
    await expect(records().fence(ownerKey(user), "x", call())).rejects.toThrow(TypeError);
    const short = make.session(null, { id: "{}{}{}{}{}{}{}{}{}{}{}{}" });
    await expect(stores.sessions.insert(short, 0, call())).rejects.toThrow(TypeError);
    const digest = make.session(null, { secretDigest: new Uint8Array(31) });
    await expect(stores.sessions.insert(digest, 0, call())).rejects.toThrow(TypeError);
    for (const userId of ["", "a\nb"]) {
      const session = make.session(null, { userId });
      await expect(stores.sessions.insert(session, 0, call())).rejects.toThrow(TypeError);
    }
    await expect(stores.sessions.find(["a", "b", "c", "d"], call())).rejects.toThrow(TypeError);
  });
});
