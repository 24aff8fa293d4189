import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import type { Stores } from "../../../src/ports/stores.ts";
import { fileSessions } from "../../../src/stores/file/file.ts";
import { postgres } from "../../../src/stores/postgres/postgres.ts";
import { split } from "../../../src/stores/split.ts";
import { sqlite } from "../../../src/stores/sqlite/sqlite.ts";

/** Where a process finds its stores, as text that can be handed to another. */
export type Place =
  | { readonly engine: "sqlite" | "sqlite+file"; readonly folder: string }
  | { readonly engine: "postgres"; readonly url: string };

/** Stores, and what ends them with all that they opened. */
export interface OpenStores {
  readonly stores: Stores;
  end(): Promise<void>;
}

/** Whether a transaction spans directory and sessions: of a half-done one, nothing is ever seen. */
export function isWhole({ engine }: Place): boolean {
  return engine !== "sqlite+file";
}

/** Opens the stores of a place. */
export function openStores(place: Place): OpenStores {
  if (place.engine === "postgres") {
    const pool = new pg.Pool({ connectionString: place.url });
    const stores = postgres({ pool });
    return { stores, end: () => endOf(stores, () => pool.end()) };
  }
  const whole = sqlite({ path: databaseOf(place.folder) });
  if (place.engine === "sqlite") return { stores: whole, end: () => endOf(whole) };
  const sessions = fileSessions({ path: join(place.folder, "sessions") });
  const stores = split({ directory: whole.directory, sessions, ephemeral: whole.ephemeral });
  return { stores, end: () => endOf(stores) };
}

async function endOf({ sessions, ephemeral, directory }: Stores, last = async () => {}): Promise<void> {
  for (const port of [sessions, ephemeral, directory]) await port.close();
  await last();
}

/** Resolves once nothing of a killed process works on the place any more. @throws Error - the database is damaged */
export async function settle(place: Place): Promise<void> {
  if (place.engine === "postgres") return settlePostgres(place.url);
  const db = new DatabaseSync(databaseOf(place.folder));
  try {
    const { integrity_check: verdict } = db.prepare("PRAGMA integrity_check").get() ?? {};
    if (verdict !== "ok") throw new Error(`integrity_check: ${verdict}`);
  } finally {
    db.close();
  }
}

/** The server still finishes the statement that it was at. */
async function settlePostgres(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const others = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
  try {
    while ((await client.query(others)).rows.length > 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
  } finally {
    await client.end();
  }
}

function databaseOf(folder: string): string {
  return join(folder, "app.db");
}
