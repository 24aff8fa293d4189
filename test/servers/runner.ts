// A process that starts servers as tests do, and is then killed: `node runner.ts <engine>=<binary> …`.

import { unprivilegedAccount } from "./account.ts";
import { addMariadb } from "./mariadb.ts";
import { addMemcached } from "./memcached.ts";
import { addPostgres } from "./postgres.ts";
import { addRedis } from "./redis.ts";
import { openGroup, type ServerGroup, type ServerNode } from "./server-group.ts";

/** What the runner prints, once before the servers are up (without `pids`) and once after. */
export interface RunnerLine {
  readonly directory: string;
  readonly pids: readonly number[];
}

const engines: Readonly<Record<string, (group: ServerGroup, binary: string) => Promise<ServerNode>>> = {
  redis: addRedis,
  memcached: addMemcached,
  postgres: async (group, binary) => (await addPostgres(group, binary)).node,
  mariadb: async (group, binary) => (await addMariadb(group, binary)).node,
};

const group = openGroup("runner", unprivilegedAccount());
print([]);
const nodes = await Promise.all(
  process.argv.slice(2).map(async (argument) => {
    const [engine = "", binary = ""] = argument.split("=");
    return engines[engine]?.(group, binary);
  }),
);
print(nodes.flatMap((node) => node?.pid ?? []));

function print(pids: readonly number[]): void {
  const line: RunnerLine = { directory: group.directory, pids };
  console.log(JSON.stringify(line));
}
