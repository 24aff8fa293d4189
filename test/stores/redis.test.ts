import { inject } from "vitest";
import { ioRedis, nodeRedis } from "./redis-clients.ts";
import { keepsContracts } from "./redis-contract.ts";

const redisUrl = inject("redisUrl");
const valkeyUrl = inject("valkeyUrl");

keepsContracts("Redis with node-redis", redisUrl, nodeRedis);
keepsContracts("Redis with ioredis", redisUrl, ioRedis);
keepsContracts("Valkey with node-redis", valkeyUrl, nodeRedis);
