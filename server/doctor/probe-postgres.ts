import type { DriverOptions } from "../drivers/driver-options.ts";
import { postgresPool } from "../drivers/postgres.ts";
import { isLoopbackHost } from "../settings/address-kinds.ts";
import type { PostgresAddress } from "../settings/database-url.ts";
import { type DatabaseProbe, isBelow, type ProbeRow, skewOf } from "./database-probe.ts";

/** The oldest version that its makers repair. @see https://www.postgresql.org/support/versioning/ */
const oldest = [14, 0] as const;

/** Settings without which a confirmed write can be lost. */
const durable = ["fsync", "synchronous_commit", "full_page_writes"];

/** Connects to a PostgreSQL at the first question. */
export async function postgresProbe(
  address: PostgresAddress,
  options: DriverOptions,
): Promise<DatabaseProbe> {
  const pool = await postgresPool(address, options);
  const all = async (sql: string): Promise<readonly ProbeRow[]> => (await pool.query(sql)).rows;
  const one = async (sql: string): Promise<unknown> => Object.values((await all(sql))[0] ?? {})[0];
  const isLocal = address.place.startsWith("/") || isLoopbackHost(address.place.replace(/:\d+$/, ""));
  return {
    engine: "postgres",
    all,
    async facts() {
      const version = String(await one("SHOW server_version"));
      const settings = await all(
        "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')",
      );
      return {
        version: `PostgreSQL ${version}`,
        isVersionOld: isBelow(version, oldest),
        clockSkewMs: await skewOf(async () =>
          Number(await one("SELECT extract(epoch FROM clock_timestamp()) * 1000")),
        ),
        undurable: settings
          .filter(({ name, setting }) => durable.includes(String(name)) && setting === "off")
          .map(({ name }) => `${name} = off`),
        isPrivileged: (await one("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")) === true,
        isReadOnly: (await one("SHOW transaction_read_only")) === "on",
        isEncrypted: isLocal
          ? null
          : (await one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")) === true,
        damage: null,
        maxConnections: Number(await one("SHOW max_connections")),
        indexes: (
          await all("SELECT indexname FROM pg_indexes WHERE schemaname = ANY (current_schemas(false))")
        ).map(({ indexname }) => String(indexname)),
      };
    },
    end: () => pool.end(),
  };
}
