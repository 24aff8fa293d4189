import { inject } from "vitest";
import { type Cleanup, ownGroup, present } from "./own.ts";
import { addPostgres, type PostgresNode } from "./postgres.ts";

/** A PostgreSQL of a test's own. */
export interface OwnPostgres extends PostgresNode {
  readonly port: number;
  end(): Promise<void>;
}

/**
 * Starts a PostgreSQL.
 *
 * @param options.settings - of postgresql.conf, for instance `{ max_connections: "3" }`
 * @param options.cleanup - `onTestFinished` by default; `afterAll` for a server that a file shares
 */
export async function startPostgres(
  options: { readonly settings?: Readonly<Record<string, string>>; readonly cleanup?: Cleanup } = {},
): Promise<OwnPostgres> {
  const binary = present(inject("postgresBinary"), "PostgreSQL");
  return ownGroup("postgres", options.cleanup, async (group) => {
    const started = await addPostgres(group, binary, options.settings);
    return { ...started, port: started.node.port };
  });
}
