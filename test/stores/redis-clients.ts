import { Cluster, Redis } from "ioredis";
import { createClient, createCluster, createSentinel } from "redis";
import type { RedisClient } from "../../src/stores/redis/redis.ts";

/** A connected client and its end. */
export interface Connected {
  readonly client: RedisClient;
  close(): void;
}

/** A client over some servers. */
export type Connect = () => Promise<Connected>;

/** Where servers listen on this machine. */
export interface Ports {
  readonly ports: readonly number[];
}

/** As the documentation of `redis()` asks of ioredis. */
const unqueued = { enableOfflineQueue: false, autoResendUnfulfilledCommands: false };
const host = "127.0.0.1";
const quiet = (): void => undefined;
const socket = { reconnectStrategy: 50, connectTimeout: 1_000 };

/** node-redis on one server. */
export const nodeRedis =
  (url: string): Connect =>
  async () => {
    const client = createClient({ url, socket: { reconnectStrategy: 50, connectTimeout: 1_000 } });
    client.on("error", quiet);
    await client.connect();
    return { client, close: () => client.destroy() };
  };

/** ioredis on one server. */
export const ioRedis =
  (url: string): Connect =>
  async () => {
    const client = new Redis(url, { ...unqueued, retryStrategy: () => 50 });
    client.on("error", quiet);
    return { client, close: () => client.disconnect() };
  };

/** node-redis on a cluster. */
export const nodeRedisCluster =
  ({ ports }: Ports): Connect =>
  async () => {
    const client = createCluster({
      rootNodes: ports.map((port) => ({ socket: { host, port } })),
      defaults: { socket },
    });
    client.on("error", quiet);
    await client.connect();
    return { client, close: () => client.destroy() };
  };

/** ioredis on a cluster. */
export const ioRedisCluster =
  ({ ports }: Ports): Connect =>
  async () => {
    const client = new Cluster(
      ports.map((port) => ({ host, port })),
      { enableOfflineQueue: false, redisOptions: unqueued, clusterRetryStrategy: () => 100 },
    );
    client.on("error", quiet);
    return { client, close: () => client.disconnect() };
  };

/** node-redis behind Sentinels. */
export const nodeRedisSentinel =
  ({ ports, name }: Ports & { readonly name: string }): Connect =>
  async () => {
    const client = createSentinel({
      name,
      sentinelRootNodes: ports.map((port) => ({ host, port })),
      nodeClientOptions: { socket },
      sentinelClientOptions: { socket },
    });
    client.on("error", quiet);
    await client.connect();
    return { client, close: () => void client.destroy() };
  };

/** ioredis behind Sentinels. */
export const ioRedisSentinel =
  ({ ports, name }: Ports & { readonly name: string }): Connect =>
  async () => {
    const client = new Redis({
      name,
      sentinels: ports.map((port) => ({ host, port })),
      ...unqueued,
      retryStrategy: () => 50,
    });
    client.on("error", quiet);
    return { client, close: () => client.disconnect() };
  };
