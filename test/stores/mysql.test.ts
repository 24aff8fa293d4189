import { afterAll, describe, it } from "vitest";
import { mysql } from "../../src/stores/mysql/mysql.ts";
import {
  directoryContract,
  ephemeralContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";
import { type Database, mysqlUrl, newDatabase } from "./mysql-database.ts";

const databases: Database[] = [];
afterAll(async () => {
  for (const database of databases) await database.drop();
});

function last(): Database {
  return databases.at(-1) as Database;
}

// Each handle has connections of its own, as another process would.
const handle = () => mysql({ pool: last().pool(), ownsPool: true });

const harness: StoreHarness = {
  async open() {
    // One case comes after the other.
    await databases.pop()?.drop();
    databases.push(await newDatabase());
    return handle();
  },
  another: async () => handle(),
  reopen: async () => handle(),
  async removeUser(userId) {
    const application = last().pool({ connectionLimit: 1 });
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
