import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ServerGroup, ServerNode } from "./server-group.ts";

/** Starts a Memcached with 64 MB; `args` are more of its own. */
export function addMemcached(
  group: ServerGroup,
  binary: string,
  args: readonly string[] = [],
): Promise<ServerNode> {
  return group.add({
    file: binary,
    args: ({ port }) => ["-l", "127.0.0.1", "-p", `${port}`, "-U", "0", "-t", "1", ...args],
    // It writes nothing, but its port to a file once it listens.
    environment: ({ folder }) => ({ MEMCACHED_PORT_FILENAME: portFile(folder) }),
    staleFiles: ["port"],
    isReady: (_, { folder }) => existsSync(portFile(folder)),
  });
}

function portFile(folder: string): string {
  return join(folder, "port");
}
