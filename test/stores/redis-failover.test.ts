import { describe, expect, inject, it, onTestFinished } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import type { FoundSession } from "../../src/ports/session-store.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { withDeadline } from "../../src/services/deadline.ts";
import { systemClock } from "../../src/services/system.ts";
import { memory } from "../../src/stores/memory.ts";
import { redis } from "../../src/stores/redis/redis.ts";
import { split } from "../../src/stores/split.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { eventually } from "../servers/eventually.ts";
import { askRedis as ask } from "../servers/redis-ask.ts";
import type { ServerNode } from "../servers/server-group.ts";
import { startRedisCluster, startSentinel } from "../servers/start-redis.ts";
import {
  type Connect,
  ioRedisCluster,
  ioRedisSentinel,
  nodeRedisCluster,
  nodeRedisSentinel,
} from "./redis-clients.ts";

/** Servers of which one takes over where another dies. */
interface Group {
  readonly nodes: readonly ServerNode[];
}

const starts = {
  "Sentinels, node-redis": () =>
    startSentinel().then((group) => ({ group, connect: nodeRedisSentinel(group) })),
  "Sentinels, ioredis": () => startSentinel().then((group) => ({ group, connect: ioRedisSentinel(group) })),
  "a cluster, node-redis": () =>
    startRedisCluster().then((group) => ({ group, connect: nodeRedisCluster(group) })),
  "a cluster, ioredis": () =>
    startRedisCluster().then((group) => ({ group, connect: ioRedisCluster(group) })),
} satisfies Readonly<Record<string, () => Promise<{ readonly group: Group; readonly connect: Connect }>>>;
type Where = keyof typeof starts;

const make = fixtures(systemClock());
const call = (): StoreCall => ({ now: new Date(), signal: new AbortController().signal });
const noRows = () => [];
/** Two processes on one directory, as `createAuth` has their stores. */
async function processes(where: Where): Promise<{ group: Group; stores: readonly [Stores, Stores] }> {
  const { group, connect } = await starts[where]();
  const { directory } = memory();
  const open = async (): Promise<Stores> => {
    const { client, close } = await connect();
    onTestFinished(close);
    const { sessions, ephemeral } = redis({ client });
    return withDeadline(split({ directory, sessions, ephemeral }), 1_000);
  };
  return { group, stores: [await open(), await open()] };
}

function isAccepted(found: FoundSession | null | undefined): boolean {
  if (found == null || found.expired || found.user === null) return false;
  return found.user.status === "active" && found.session.generation === found.user.generation;
}

async function check({ sessions }: Stores, { id }: Session): Promise<boolean> {
  return isAccepted((await sessions.find([id], call()))[0]);
}

async function signUp({ directory }: Stores): Promise<readonly [User, Session]> {
  const user = make.user();
  const session = make.session(user);
  const added = await directory.commit(
    [
      { kind: "user.insert", user },
      { kind: "session.insert", session, cap: 5, evicted: noRows },
    ],
    call(),
  );
  expect(added.ok).toBe(true);
  return [user, session];
}

async function end({ directory }: Stores, { id }: Session): Promise<void> {
  const result = await directory.commit([{ kind: "session.delete", sessionId: id, ended: noRows }], call());
  expect(result.ok).toBe(true);
}

async function primaryOf({ nodes }: Group, { id }: Session): Promise<ServerNode> {
  const key = `latchkey:{${id.slice(0, 8)}}:s:${id.slice(8)}`;
  for (const node of nodes) {
    const told = await Promise.all([ask(node.port, "EXISTS", key), role(node)]).catch(() => null);
    if (told?.[0] === "1" && told[1].includes("role:master")) return node;
  }
  throw new Error("nobody has the session");
}

async function replicasOf({ nodes }: Group, primary: ServerNode): Promise<readonly ServerNode[]> {
  const roles = await Promise.all(nodes.map(role));
  return nodes.filter((_, at) => roles[at]?.includes(`master_port:${primary.port}\r`));
}

function role({ port }: ServerNode): Promise<string> {
  return ask(port, "INFO", "replication");
}

/**
 * Keeps what a primary acknowledges from here on in its own memory: its replicas read nothing, and what the kernel would
 * keep for them is full.
 */
async function cutOff(primary: ServerNode, replicas: readonly ServerNode[], slotTag: string): Promise<void> {
  for (const replica of replicas) replica.stop();
  const megabyte = "x".repeat(1 << 20);
  for (let megabytes = 0; megabytes < 40; megabytes++) {
    await ask(primary.port, "SET", `{${slotTag}}:filling`, megabyte);
  }
}

/** Whether the service answers: somebody can sign in where the session lies, and both processes see it. */
async function isBack(stores: readonly Stores[], { slotTag }: User): Promise<boolean> {
  const [first] = stores as [Stores];
  const user = make.user({ slotTag });
  const session = make.session(user);
  const writes = [
    { kind: "user.insert", user },
    { kind: "session.insert", session, cap: 0, evicted: noRows },
  ] as const;
  if (!(await first.directory.commit(writes, call())).ok) return false;
  return (await Promise.all(stores.map((each) => check(each, session)))).every(Boolean);
}

const everywhere = Object.keys(starts) as readonly Where[];
describe.skipIf(inject("redisBinary") === null).each(everywhere)("a primary that dies, %s", (where) => {
  it("what it had acknowledged and not handed on is not undone", { timeout: 90_000 }, async () => {
    const { group, stores } = await processes(where);
    const [here, there] = stores;
    const [user, first] = await signUp(here);
    const second = make.session(user);
    const insert = { kind: "session.insert", session: second, cap: 5, evicted: noRows } as const;
    await here.directory.commit([insert], call());
    // Until the copy is published, and answers by itself.
    for (const each of stores) expect(await check(each, first)).toBe(true);
    const primary = await primaryOf(group, first);
    const copy = `latchkey:{${user.slotTag}}:o:${user.id}`;
    await eventually(async () => (await ask(primary.port, "EXISTS", copy)).startsWith("1"));
    const replicas = await replicasOf(group, primary);
    expect(replicas.length).toBeGreaterThan(0);
    const everybody = String(replicas.length);
    await eventually(async () => (await ask(primary.port, "WAIT", everybody, "100")) === everybody);

    await cutOff(primary, replicas, user.slotTag);
    await end(here, first);
    for (const each of stores) expect(await check(each, first)).toBe(false);
    await primary.kill();
    for (const replica of replicas) replica.cont();

    await eventually(() => isBack(stores, user), 30_000);
    // The session is there again: nothing but the directory's word keeps it out.
    const now = await primaryOf(group, first);
    expect(now.port).not.toBe(primary.port);
    for (let round = 0; round < 20; round++) {
      for (const each of [here, there]) {
        expect(await check(each, first)).toBe(false);
        expect(await check(each, second)).toBe(true);
      }
    }
  });

  it("under load, no acknowledged end or change of generation is undone, and the service comes back", {
    timeout: 90_000,
  }, async () => {
    const { group, stores } = await processes(where);
    const ended: Session[] = [];
    const outdated: Session[] = [];
    let isOver = false;
    // What fails is not acknowledged; whoever asked tries again with somebody new, after a pause, as clients do.
    const worker = async (number: number): Promise<void> => {
      const [mine, other] = number % 2 === 0 ? stores : [stores[1], stores[0]];
      while (!isOver) {
        await lifeOf(mine, other).catch(() => new Promise((resolve) => setTimeout(resolve, 20)));
      }
    };
    const lifeOf = async (mine: Stores, other: Stores): Promise<void> => {
      const [user, session] = await signUp(mine);
      await check(other, session);
      await check(mine, session);
      if (Math.random() < 0.5) {
        await end(other, session);
        ended.push(session);
        return;
      }
      const advance = { kind: "user.advance", userId: user.id, from: user.generation } as const;
      if ((await other.directory.commit([advance], call())).ok) outdated.push(session);
    };
    const [user, session] = await signUp(stores[0]);
    const primary = await primaryOf(group, session);
    const workers = Array.from({ length: 8 }, (_, number) => worker(number));
    await eventually(async () => ended.length + outdated.length > 300);
    const before = ended.length + outdated.length;
    await primary.kill();
    await eventually(() => isBack(stores, user), 30_000);
    await eventually(async () => ended.length + outdated.length > before + 300, 30_000);
    isOver = true;
    await Promise.all(workers);
    // Twice: the first time publishes copies where it may.
    for (const each of [...stores, ...stores]) {
      const alive = await Promise.all([...ended, ...outdated].map((one) => check(each, one)));
      expect(alive.filter((isAlive) => isAlive)).toEqual([]);
    }
  });
});
