import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SqliteAddress } from "../settings/database-url.ts";
import type { DatabaseProbe, ProbeRow } from "./database-probe.ts";

/** A larger file is not looked through: it would take longer than a person waits. */
const mostBytes = 256 * 1_048_576;

/** Opens an SQLite file for reading. @throws the driver's error */
export function sqliteProbe({ path }: SqliteAddress): DatabaseProbe {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
  const all = (sql: string): readonly ProbeRow[] => db.prepare(sql).all();
  const text = (sql: string): string => String(Object.values(all(sql)[0] ?? {})[0]);
  return {
    engine: "sqlite",
    all: async (sql) => all(sql),
    async facts() {
      const found = statSync(path).size > mostBytes ? "ok" : text("PRAGMA quick_check(1)");
      return {
        version: `SQLite ${text("SELECT sqlite_version()")}`,
        isVersionOld: false,
        clockSkewMs: null,
        // How a connection writes is its own setting, and the server's is fixed.
        undurable:
          text("PRAGMA journal_mode") === "wal" ? [] : [`journal_mode = ${text("PRAGMA journal_mode")}`],
        isPrivileged: null,
        isReadOnly: false,
        isEncrypted: null,
        damage: found === "ok" ? null : found,
        maxConnections: null,
        indexes: all("SELECT name FROM sqlite_schema WHERE type = 'index'").map(({ name }) => String(name)),
      };
    },
    end: async () => db.close(),
  };
}
