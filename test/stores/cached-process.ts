import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { createClient } from "redis";
import { cached, type InvalidationChannel, postgresChannel, redisChannel } from "../../src/stores/cached.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";

// A process that answers checks from a cache: for each session id on standard input it says `cached` once it has it, and
// the time at which it refuses it.
const [path = "", url = ""] = process.argv.slice(2);

async function channel(): Promise<InvalidationChannel> {
  if (url.startsWith("postgres")) return postgresChannel({ client: () => new Client(url) });
  return redisChannel({ client: await createClient({ url }).connect() });
}

// Without SQLite's own cache, which is never stale.
const stores = cached(sqlite({ path, cacheSessions: 0 }), { channel: await channel() });
console.log("ready");

for await (const id of createInterface({ input: process.stdin })) {
  const isThere = async (): Promise<boolean> => {
    const call = { now: new Date(), signal: new AbortController().signal };
    return (await stores.sessions.find([id], call))[0] !== null;
  };
  if (!(await isThere())) throw new Error("no such session");
  console.log("cached");
  while (await isThere()) await delay(1);
  console.log(`${performance.timeOrigin + performance.now()}`);
}
await stores.sessions.close();
process.exit();
