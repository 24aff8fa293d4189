import { readFile } from "node:fs/promises";
import type { Pool, SslOptions } from "mysql2/promise";
import type { MysqlAddress } from "../settings/database-url.ts";
import { connectTimeoutMs, type DriverOptions, poolSize } from "./driver-options.ts";
import { loadDriver } from "./load-driver.ts";

/** A pool of connections to MySQL or MariaDB; it connects when it is first used. @throws DriverMissing */
export async function mysqlPool(address: MysqlAddress, options: DriverOptions): Promise<Pool> {
  const { createPool } = await loadDriver(options.asked, "mysql2", () => import("mysql2/promise"));
  const { host, port, socketPath, user, password, database } = address;
  return createPool({
    ...(socketPath === null ? { host, port } : { socketPath }),
    ...{ user, password, database },
    ...(address.isTls && { ssl: await tlsOptions(address) }),
    connectionLimit: poolSize,
    connectTimeout: connectTimeoutMs(options),
    enableKeepAlive: true,
    charset: "utf8mb4",
  });
}

async function tlsOptions({ tlsCaPath }: MysqlAddress): Promise<SslOptions> {
  return {
    rejectUnauthorized: true,
    verifyIdentity: true,
    ...(tlsCaPath !== null && { ca: await readFile(tlsCaPath, "utf8") }),
  };
}
