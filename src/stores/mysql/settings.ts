import type { Queries } from "../sql/queries.ts";
import { statement } from "./statement.ts";

/** What the stores have to know of a server. */
export interface Settings {
  /** Name of the variable that holds the isolation of transactions: MariaDB's is the older one. */
  readonly isolation: "transaction_isolation" | "tx_isolation";
}

const variables = statement<readonly [name: string, value: string]>(`
  SHOW SESSION VARIABLES WHERE Variable_name IN (
    'autocommit', 'character_set_client', 'character_set_connection', 'character_set_results', 'check_constraint_checks',
    'sql_mode', 'tx_isolation', 'unique_checks')`);

/** What each variable has to say; one that the server does not have is no matter. */
const needed: Readonly<Record<string, RegExp>> = {
  autocommit: /^(ON|1)$/,
  character_set_client: /^utf8mb4$/,
  character_set_connection: /^utf8mb4$/,
  character_set_results: /^utf8mb4$/,
  // Counters rely on it.
  check_constraint_checks: /^(ON|1)$/,
  // Otherwise what does not fit is cut off instead of refused; and assignments are to be made from left to right.
  sql_mode: /^(?!.*SIMULTANEOUS_ASSIGNMENT).*STRICT_(TRANS|ALL)_TABLES/,
  unique_checks: /^(ON|1)$/,
};

/**
 * Checks that the connections of the pool have the settings that the stores rely on.
 *
 * @throws TypeError - one of them is another
 */
export async function assertSettings(queries: Queries): Promise<Settings> {
  const found = new Map(await queries.all(variables));
  for (const [name, expected] of Object.entries(needed)) {
    const value = found.get(name);
    if (value !== undefined && !expected.test(value))
      throw new TypeError(
        `mysql: connections of the pool have ${name} = '${value}', which has to be ${expected.source}`,
      );
  }
  return { isolation: found.has("tx_isolation") ? "tx_isolation" : "transaction_isolation" };
}
