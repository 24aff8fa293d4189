import type { DriverOptions } from "../drivers/driver-options.ts";
import { mysqlPool } from "../drivers/mysql.ts";
import { isLoopbackHost } from "../settings/address-kinds.ts";
import type { MysqlAddress } from "../settings/database-url.ts";
import { type DatabaseProbe, isBelow, type ProbeRow, skewOf } from "./database-probe.ts";

/** The oldest versions that their makers repair. @see https://endoflife.date/mysql; https://endoflife.date/mariadb */
const oldestMysql = [8, 4] as const;
const oldestMariadb = [10, 6] as const;

/** Values with which a confirmed write can be lost. */
const undurable: Readonly<Record<string, RegExp>> = {
  innodb_flush_log_at_trx_commit: /^[02]$/,
  innodb_doublewrite: /^(?:OFF|0)$/i,
};

/** Connects to a MySQL or MariaDB at the first question. */
export async function mysqlProbe(address: MysqlAddress, options: DriverOptions): Promise<DatabaseProbe> {
  const pool = await mysqlPool(address, options);
  const all = async (sql: string): Promise<readonly ProbeRow[]> => (await pool.query(sql))[0] as ProbeRow[];
  const one = async (sql: string): Promise<unknown> => Object.values((await all(sql))[0] ?? {}).at(-1);
  const isLocal = address.socketPath !== null || isLoopbackHost(address.host);
  return {
    engine: "mysql",
    all,
    async facts() {
      const version = String(await one("SELECT version()"));
      const isMariadb = /mariadb/i.test(version);
      const variables = await all(
        "SHOW VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'innodb_doublewrite', 'read_only', 'max_connections')",
      );
      const values = new Map(variables.map((row) => [String(row.Variable_name), String(row.Value)]));
      return {
        version: `${isMariadb ? "MariaDB" : "MySQL"} ${version.split("-")[0]}`,
        isVersionOld: isBelow(version, isMariadb ? oldestMariadb : oldestMysql),
        clockSkewMs: await skewOf(async () => Number(await one("SELECT UNIX_TIMESTAMP(NOW(6)) * 1000"))),
        undurable: [...values].flatMap(([name, value]) =>
          undurable[name]?.test(value) === true ? [`${name} = ${value}`] : [],
        ),
        isPrivileged: (await all("SHOW GRANTS")).some((row) =>
          /^GRANT ALL PRIVILEGES ON \*\.\*|^GRANT .*\bSUPER\b.* ON \*\.\*/.test(
            String(Object.values(row)[0]),
          ),
        ),
        isReadOnly: /^(?:ON|1)$/i.test(values.get("read_only") ?? ""),
        isEncrypted: isLocal ? null : String(await one("SHOW SESSION STATUS LIKE 'Ssl_cipher'")) !== "",
        damage: null,
        maxConnections: Number(values.get("max_connections")),
        indexes: (
          await all(
            "SELECT DISTINCT index_name AS name FROM information_schema.statistics WHERE table_schema = database()",
          )
        ).map(({ name }) => String(name)),
      };
    },
    end: () => pool.end(),
  };
}
