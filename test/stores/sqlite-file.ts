import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import type { FoundSession } from "../../src/ports/session-store.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import { type SqliteOptions, type SqliteStores, sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { type Fixtures, fixtures, type TestClock, testClock } from "../../src/testing/testing.ts";

/** One database file for one test, and everything that opens it; gone when the test ends. */
export interface SqliteFile {
  readonly path: string;
  readonly clock: TestClock;
  readonly make: Fixtures;
  call(signal?: AbortSignal): StoreCall;
  /** Latchkey's stores on the file. */
  open(options?: Omit<SqliteOptions, "path">): SqliteStores;
  /** A connection of the application's, to read and write what it likes. */
  raw(): DatabaseSync;
}

export function sqliteFile(): SqliteFile {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-sqlite-"));
  const path = join(directory, "data", "app.db");
  const clock = testClock();
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return {
    path,
    clock,
    make: fixtures(clock),
    call: (signal = new AbortController().signal) => ({ now: clock.now(), signal }),
    open(options = {}) {
      const stores = sqlite({ path, ...options });
      onTestFinished(() => stores.directory.close());
      return stores;
    },
    raw() {
      const db = new DatabaseSync(path, { timeout: 1_000 });
      onTestFinished(() => {
        if (db.isOpen) db.close();
      });
      return db;
    },
  };
}

/** What a store says of one id. */
export async function foundBy(
  stores: SqliteStores,
  id: string,
  call: StoreCall,
): Promise<FoundSession | null> {
  return (await stores.sessions.find([id], call))[0] ?? null;
}
