import type { Pool } from "mysql2/promise";
import { afterAll, describe, expect, it } from "vitest";
import { mysql } from "../../src/stores/mysql/mysql.ts";
import {
  directoryContract,
  ephemeralContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";
import { type Database, mysqlUrl, newDatabase } from "./mysql-database.ts";

let database: Database | undefined;
const pools: Pool[] = [];
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await database?.drop();
});

function opened(): Database {
  if (database === undefined) throw new Error("no case has opened it");
  return database;
}

// Each handle has connections of its own, as another process would; the next case goes on with them, which start slowly.
let handles = 0;
function handle() {
  const pool = pools[handles] ?? opened().pool();
  pools[handles++] = pool;
  return mysql({ pool });
}

const harness: StoreHarness = {
  async open() {
    if (database === undefined) database = await newDatabase();
    else await database.empty();
    handles = 0;
    return handle();
  },
  another: async () => handle(),
  reopen: async () => handle(),
  async removeUser(userId) {
    const application = opened().pool({ connectionLimit: 1 });
    await application.execute("DELETE FROM users WHERE id = ?", [userId]);
    await application.end();
  },
};

const proofs = [
  ["directory", directoryContract(harness)],
  ["session", sessionContract(harness)],
  ["ephemeral", ephemeralContract(harness)],
] as const;

for (const [port, cases] of proofs) {
  describe.skipIf(mysqlUrl === null)(`MySQL keeps the ${port} contract`, () => {
    for (const { section, name, run } of cases) it(`${section}: ${name}`, run);
  });
}

describe.skipIf(mysqlUrl === null)("a pool", () => {
  it("ends with the stores that own it, and with no others", async () => {
    const own = await newDatabase();
    const pool = own.pool();
    await mysql({ pool }).directory.close();
    await expect(pool.query("SELECT 1")).resolves.toBeDefined();
    await mysql({ pool, ownsPool: true }).directory.close();
    await expect(pool.query("SELECT 1")).rejects.toThrow("Pool is closed");
    await own.drop();
  });
});
