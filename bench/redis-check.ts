import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { split, sqlite } from "latchkey";
import { redis } from "latchkey/redis";
import { createClient } from "redis";
import { findProgram } from "../test/servers/found.ts";
import { addRedis } from "../test/servers/redis.ts";
import { openGroup } from "../test/servers/server-group.ts";
import { contender, contest } from "./contest.ts";
import type { Effort } from "./effort.ts";
import { seededToken, seedStores } from "./seed.ts";
import { checkRequest } from "./session-check.ts";
import type { Row } from "./table.ts";

const sessions = 1_000;

/** Session checks per second where sessions are in Redis, as a share of a server that checks nothing. */
export async function redisCheck(effort: Effort): Promise<readonly Row[]> {
  const binary = findProgram(["redis-server", "valkey-server"], process.env);
  if (binary === null)
    return [{ "session check": "skipped: neither redis-server nor valkey-server is here" }];
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "directory.db");
  const group = openGroup("bench-redis");
  try {
    const url = `redis://127.0.0.1:${(await addRedis(group, binary)).port}`;
    const client = await createClient({ url }).connect();
    await seedStores(split({ ...sqlite({ path }), ...redis({ client }) }), sessions);
    client.destroy();
    const requests = Array.from({ length: sessions }, (_, index) => checkRequest(seededToken(index)));
    return await contest(
      effort,
      await Promise.all([
        contender("bare node:http", ["bare.ts"], requests),
        contender("Latchkey on Redis, 1,000 sessions", ["latchkey-redis.ts", path, url], requests),
        contender("the same, cached()", ["latchkey-redis.ts", path, url, "cached"], requests),
      ]),
    );
  } finally {
    await group.end();
    await rm(folder, { recursive: true });
  }
}
