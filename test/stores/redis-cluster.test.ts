import { afterAll, inject } from "vitest";
import { startRedisCluster } from "../servers/start-redis.ts";
import { ioRedisCluster, nodeRedisCluster } from "./redis-clients.ts";
import { keepsContracts } from "./redis-contract.ts";

const cluster =
  inject("redisBinary") === null ? null : startRedisCluster({ cleanup: (end) => afterAll(end) });

keepsContracts("a cluster with node-redis", cluster, nodeRedisCluster);
keepsContracts("a cluster with ioredis", cluster, ioRedisCluster);
