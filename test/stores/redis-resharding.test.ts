import { beforeEach, describe, expect, inject, it, onTestFinished } from "vitest";
import type { StoreCall } from "../../src/ports/store.ts";
import { type RedisStores, redis } from "../../src/stores/redis/redis.ts";
import { testClock } from "../../src/testing/clock.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { eventually } from "../servers/eventually.ts";
import { askRedis } from "../servers/redis-ask.ts";
import type { ServerNode } from "../servers/server-group.ts";
import { type OwnCluster, startRedisCluster } from "../servers/start-redis.ts";
import { type Connect, ioRedisCluster, nodeRedisCluster } from "./redis-clients.ts";

const clock = testClock();
const make = fixtures(clock);
const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
const drivers: Readonly<Record<string, (cluster: OwnCluster) => Connect>> = {
  "node-redis": nodeRedisCluster,
  ioredis: ioRedisCluster,
};

describe.skipIf(inject("redisBinary") === null).each(Object.entries(drivers))(
  "a cluster that moves slots, %s",
  (_, connect) => {
    let cluster: OwnCluster;
    let stores: RedisStores;

    beforeEach(async () => {
      cluster = await startRedisCluster();
      const { client, close } = await connect(cluster)();
      onTestFinished(close);
      stores = redis({ client });
      await stores.ready();
    });

    const ask = ({ port }: ServerNode, ...words: string[]): Promise<string> => askRedis(port, ...words);

    it("loses no session and no member of an index, and fails what cannot be done in between", async () => {
      const user = make.user();
      const key = { userId: user.id, slotTag: user.slotTag };
      const sessions = Array.from({ length: 4 }, () => make.session(user));
      for (const session of sessions) await stores.sessions.insert(session, 0, call());
      const ids = sessions.map(({ id }) => id);
      const slot = await ask(cluster.nodes[0] as ServerNode, "CLUSTER", "KEYSLOT", `{${user.slotTag}}`);
      const [from, to] = await sides(slot);
      const [fromId, toId] = [await ask(from, "CLUSTER", "MYID"), await ask(to, "CLUSTER", "MYID")];
      await ask(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
      await ask(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toId);
      const move = (name: string): Promise<string> =>
        ask(from, "MIGRATE", "127.0.0.1", String(to.port), name, "0", "2000");
      const base = `latchkey:{${user.slotTag}}:`;

      // The index first, then the sessions one by one: at any time some of what a script needs is elsewhere.
      await move(`${base}i:${user.id}`);
      for (const [moved, id] of ids.entries()) {
        await expect(stores.sessions.insert(make.session(user), 2, call())).rejects.toThrow();
        const listed = await Promise.resolve(stores.sessions.list(key, call())).catch(() => []);
        expect(listed.length).toBeLessThanOrEqual(ids.length);
        for (const each of ids) {
          // Found, or a failure; never unknown.
          const found = await Promise.resolve(stores.sessions.find([each], call())).catch(
            () => "failed" as const,
          );
          expect(found === "failed" || found[0]?.session.id === each, `${moved} ${each}`).toBe(true);
        }
        await move(`${base}s:${id.slice(8)}`);
      }
      for (const node of [to, from, ...cluster.primaries.filter((each) => each !== to && each !== from)]) {
        await ask(node, "CLUSTER", "SETSLOT", slot, "NODE", toId);
      }
      const listed = await stores.sessions.list(key, call());
      expect(listed.map(({ id }) => id).sort()).toEqual([...ids].sort());
      expect((await stores.sessions.insert(make.session(user), 2, call())).length).toBe(3);
      expect((await stores.sessions.list(key, call())).length).toBe(2);

      async function sides(of: string): Promise<readonly [ServerNode, ServerNode]> {
        const owned = await Promise.all(
          cluster.primaries.map(async (node) => (await ask(node, "CLUSTER", "COUNTKEYSINSLOT", of)) !== "0"),
        );
        const owner = cluster.primaries[owned.indexOf(true)] as ServerNode;
        return [owner, cluster.primaries.find((node) => node !== owner) as ServerNode];
      }
    });

    it("a slot that nobody serves is a failure, not an unknown session", { timeout: 30_000 }, async () => {
      const session = make.session(null);
      await stores.sessions.insert(session, 0, call());
      for (const node of [...cluster.replicas, ...cluster.primaries].slice(0, 4)) await node.kill();
      const left = cluster.primaries.slice(1);
      await eventually(async () => {
        const states = await Promise.all(left.map((node) => ask(node, "CLUSTER", "INFO")));
        return states.every((state) => state.includes("cluster_state:fail"));
      });
      const hasty = { now: clock.now(), signal: AbortSignal.timeout(1_000) };
      await expect(stores.sessions.find([session.id], hasty)).rejects.toThrow();
      await expect(stores.ephemeral.read("key", hasty)).rejects.toThrow();
      await expect(stores.ephemeral.ping(hasty)).rejects.toThrow();
    });

    it("counters of different servers: never more than the limit, however calls are made up", async () => {
      const names = ["a", "b", "c", "d", "e"];
      const given = new Map(names.map((name) => [name, 0]));
      const attempts = Array.from({ length: 150 }, async (_, index) => {
        const some = names.filter((_, at) => (((index % 31) + 1) >> at) % 2 === 1);
        if (index % 2 === 0) some.reverse();
        const limits = some.map((key) => ({ key, limit: 12, windowSeconds: 60 }));
        const { ok } = await stores.ephemeral.reserve(limits, call());
        if (ok) for (const name of some) given.set(name, (given.get(name) ?? 0) + 1);
      });
      await Promise.all(attempts);
      for (const [name, count] of given) {
        expect(count).toBeLessThanOrEqual(12);
        // What was given back was given back whole: the rest can still be had.
        let left = 0;
        while ((await stores.ephemeral.reserve([{ key: name, limit: 12, windowSeconds: 60 }], call())).ok)
          left++;
        expect([name, count + left]).toEqual([name, 12]);
      }
    });
  },
);
