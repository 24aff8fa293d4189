import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { reachableBinaries } from "./embedded-postgres.ts";
import type { Place, ServerGroup, ServerNode } from "./server-group.ts";

/** Settings that trade what a test does not need, a machine that loses its power, for speed. */
const SETTINGS = {
  fsync: "off",
  full_page_writes: "off",
  max_connections: "200",
  // Kept in the data folder, so that a killed server leaves nothing elsewhere.
  dynamic_shared_memory_type: "mmap",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
};

/** A PostgreSQL, and how its superuser reaches it. */
export interface PostgresNode {
  readonly node: ServerNode;
  readonly url: string;
}

/** Creates and starts a PostgreSQL; `binary` is the path of `postgres`, with `initdb` beside it. */
export async function addPostgres(
  group: ServerGroup,
  binary: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresNode> {
  const bin = reachableBinaries(dirname(binary), group.directory);
  const password = randomBytes(12).toString("hex");
  const folder = await createData(group, join(bin, "initdb"), password);
  const all = Object.entries({ ...SETTINGS, ...settings }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const node = await group.add({
    file: join(bin, "postgres"),
    folder,
    args: ({ port }) => ["-D", folder, "-p", `${port}`, ...all],
    // One that follows another says that they are read-only.
    isReady: (log) => /database system is ready to accept (read-only )?connections/.test(log),
    // Ends without a checkpoint, yet gives its shared memory back.
    endSignal: "SIGQUIT",
    clearAfterKill: releaseSharedMemory,
  });
  return { node, url: `postgresql://postgres:${password}@127.0.0.1:${node.port}/postgres` };
}

async function createData(group: ServerGroup, initdb: string, password: string): Promise<string> {
  const name = `postgres-${randomBytes(4).toString("hex")}`;
  const data = join(group.directory, name);
  const passwordFile = group.write(`${name}.password`, password);
  // The plain password costs a connection no hashing; it does not leave the loopback interface.
  const access = ["-U", "postgres", "-A", "password", "--pwfile", passwordFile];
  await group.run(initdb, [
    "-D",
    data,
    ...access,
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
  ]);
  return data;
}

/** A killed one leaves a segment of shared memory, which the system keeps until somebody removes it. */
function releaseSharedMemory({ folder }: Place): void {
  try {
    const id = sharedMemoryOf(folder);
    if (id !== null) spawnSync("ipcrm", ["-m", id]);
  } catch {
    // It ended in order.
  }
}

/** The segment of a PostgreSQL, which its lock file names behind the key: the one line of two numbers. Null: none. */
export function sharedMemoryOf(folder: string): string | null {
  return /^ *\d+ +(\d+) *$/m.exec(readFileSync(join(folder, "postmaster.pid"), "utf8"))?.[1] ?? null;
}
