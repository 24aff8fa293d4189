import { Cluster, Redis } from "ioredis";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";
import { expect, it } from "vitest";
import { senderOf } from "../../src/stores/redis/client.ts";
import type { RedisClient } from "../../src/stores/redis/redis.ts";

// That this compiles is half of the test.
const clients = {
  "node-redis": createClient(),
  "node-redis, RESP 2": createClient({ RESP: 2 }),
  "node-redis, a pool": createClientPool(),
  "node-redis, Sentinels": createSentinel({
    name: "latchkey",
    sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }],
  }),
  "node-redis, a cluster": createCluster({ rootNodes: [{ url: "redis://127.0.0.1:1" }] }),
  ioredis: new Redis({ lazyConnect: true }),
  "ioredis, a cluster": new Cluster([{ host: "127.0.0.1", port: 1 }], { lazyConnect: true }),
} satisfies Readonly<Record<string, RedisClient>>;

it.each(Object.entries(clients))("%s is a client as it is, and known for what it is", (name, client) => {
  expect(senderOf(client).isCluster).toBe(name.includes("cluster"));
});
