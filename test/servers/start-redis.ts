import { inject } from "vitest";
import { type Cleanup, ownGroup, present } from "./own.ts";
import { addCluster, addRedis, addSentinels, type SentinelNodes, sentinelName } from "./redis.ts";
import type { ServerNode } from "./server-group.ts";

/** How Redis servers of a test's own are to be. */
export interface RedisOptions {
  /** Path of a `redis-server` or `valkey-server`; the Redis of the tests by default. */
  readonly binary?: string | null;
  /** Lines of redis.conf, for all of them. */
  readonly settings?: readonly string[];
  /** `onTestFinished` by default; `afterAll` for servers that a file shares. */
  readonly cleanup?: Cleanup;
}

/** A Redis of a test's own. */
export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  readonly node: ServerNode;
  readonly nodes: readonly ServerNode[];
  end(): Promise<void>;
}

/** Starts one Redis. */
export function startRedis(options: RedisOptions = {}): Promise<OwnRedis> {
  return ownGroup("redis", options.cleanup, async (group) => {
    const node = await addRedis(group, binaryOf(options), options.settings);
    return { url: urlOf(node), port: node.port, node, nodes: [node] };
  });
}

/** A Redis Cluster of a test's own. */
export interface OwnCluster {
  /** Primaries first, then their replicas in the same order. */
  readonly nodes: readonly ServerNode[];
  readonly primaries: readonly ServerNode[];
  readonly replicas: readonly ServerNode[];
  readonly urls: readonly string[];
  readonly ports: readonly number[];
  end(): Promise<void>;
}

/** Starts three primaries with a replica each; a silent one is replaced after 1.5 s. Resolves when all are in step. */
export function startRedisCluster(options: RedisOptions = {}): Promise<OwnCluster> {
  return ownGroup("redis-cluster", options.cleanup, async (group) => {
    const nodes = await addCluster(group, binaryOf(options), options.settings);
    const half = nodes.length / 2;
    return {
      nodes,
      primaries: nodes.slice(0, half),
      replicas: nodes.slice(half),
      urls: nodes.map(urlOf),
      ports: nodes.map(({ port }) => port),
    };
  });
}

/** A Sentinel set of a test's own. */
export interface OwnSentinel extends SentinelNodes {
  /** By which the Sentinels know the primary. */
  readonly name: string;
  /** Of the Sentinels. */
  readonly ports: readonly number[];
  readonly nodes: readonly ServerNode[];
  end(): Promise<void>;
}

/** Starts a primary, two replicas and three Sentinels; a primary silent for 0.8 s is replaced. Resolves when all are in step. */
export function startSentinel(options: RedisOptions = {}): Promise<OwnSentinel> {
  return ownGroup("redis-sentinel", options.cleanup, async (group) => {
    const started = await addSentinels(group, binaryOf(options), options.settings);
    const { primary, replicas, sentinels } = started;
    return {
      ...started,
      name: sentinelName,
      ports: sentinels.map(({ port }) => port),
      nodes: [primary, ...replicas, ...sentinels],
    };
  });
}

function binaryOf({ binary = inject("redisBinary") }: RedisOptions): string {
  return present(binary, "Redis");
}

function urlOf({ port }: ServerNode): string {
  return `redis://127.0.0.1:${port}`;
}
