import type { Pool } from "pg";
import type { PostgresAddress } from "../settings/database-url.ts";
import { clientName, connectTimeoutMs, type DriverOptions, poolSize } from "./driver-options.ts";
import { loadDriver } from "./load-driver.ts";
import { outages } from "./outages.ts";

/** A pool of connections to PostgreSQL; it connects when it is first used. @throws DriverMissing */
export async function postgresPool({ url, place }: PostgresAddress, options: DriverOptions): Promise<Pool> {
  const pg = await loadDriver(options.asked, "pg", () => import("pg"));
  const pool = new pg.Pool({
    connectionString: url,
    application_name: clientName,
    max: poolSize,
    connectionTimeoutMillis: connectTimeoutMs(options),
    keepAlive: true,
  });
  const { failed, worked } = outages(options.log, `PostgreSQL at ${place}`);
  // A connection that breaks while nobody uses it; unheard, it would end the process.
  pool.on("error", failed);
  pool.on("connect", worked);
  return pool;
}
