import { inject } from "vitest";
import { addMariadb, type MariadbNode } from "./mariadb.ts";
import { type Cleanup, ownGroup, present } from "./own.ts";

/** A MariaDB of a test's own. */
export interface OwnMariadb extends MariadbNode {
  readonly port: number;
  end(): Promise<void>;
}

/**
 * Starts a MariaDB.
 *
 * @param options.args - of its command line, for instance `["--max-connections=3"]`
 * @param options.cleanup - `onTestFinished` by default; `afterAll` for a server that a file shares
 */
export async function startMariadb(
  options: { readonly args?: readonly string[]; readonly cleanup?: Cleanup } = {},
): Promise<OwnMariadb> {
  const binary = present(inject("mariadbBinary"), "MariaDB");
  return ownGroup("mariadb", options.cleanup, async (group) => {
    const started = await addMariadb(group, binary, options.args);
    return { ...started, port: started.node.port };
  });
}
