import { inject } from "vitest";
import { addMemcached } from "./memcached.ts";
import { type Cleanup, ownGroup, present } from "./own.ts";
import type { ServerNode } from "./server-group.ts";

/** A Memcached of a test's own. */
export interface OwnMemcached {
  /** `host:port` */
  readonly address: string;
  readonly port: number;
  readonly node: ServerNode;
  end(): Promise<void>;
}

/**
 * Starts a Memcached.
 *
 * @param options.args - of its command line, for instance `["-m", "1"]` for a megabyte
 * @param options.cleanup - `onTestFinished` by default; `afterAll` for a server that a file shares
 */
export async function startMemcached(
  options: { readonly args?: readonly string[]; readonly cleanup?: Cleanup } = {},
): Promise<OwnMemcached> {
  const binary = present(inject("memcachedBinary"), "Memcached");
  return ownGroup("memcached", options.cleanup, async (group) => {
    const node = await addMemcached(group, binary, options.args);
    return { address: `127.0.0.1:${node.port}`, port: node.port, node };
  });
}
