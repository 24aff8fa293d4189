import { afterAll, inject } from "vitest";
import { startSentinel } from "../servers/start-redis.ts";
import { ioRedisSentinel, nodeRedisSentinel } from "./redis-clients.ts";
import { keepsContracts } from "./redis-contract.ts";

const group = inject("redisBinary") === null ? null : startSentinel({ cleanup: (end) => afterAll(end) });

keepsContracts("Sentinels with node-redis", group, nodeRedisSentinel);
keepsContracts("Sentinels with ioredis", group, ioRedisSentinel);
