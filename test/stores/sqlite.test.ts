import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, it } from "vitest";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import {
  directoryContract,
  ephemeralContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-contract-"));
afterAll(() => rmSync(root, { recursive: true }));

let opened = 0;
let path = "";

const file: StoreHarness = {
  async open() {
    path = join(root, `${++opened}.db`);
    return sqlite({ path });
  },
  another: async () => sqlite({ path }),
  // What a kill of the process leaves is proved with a real one, in kill.test.ts.
  reopen: async () => sqlite({ path }),
  async removeUser(userId) {
    const application = new DatabaseSync(path);
    application.prepare("DELETE FROM users WHERE id = ?").run(userId);
    application.close();
  },
};

const memory: StoreHarness = { open: async () => sqlite({ path: ":memory:" }) };

// One handle remembers sessions and the other does not: what they say of each other's writes must agree.
const halfCached: StoreHarness = { open: file.open, another: async () => sqlite({ path, cacheSessions: 0 }) };

const proofs = [
  ["in a file", "directory", directoryContract(file)],
  ["in a file", "session", sessionContract(file)],
  ["in a file", "ephemeral", ephemeralContract(file)],
  ["in memory", "directory", directoryContract(memory)],
  ["in memory", "session", sessionContract(memory)],
  ["in memory", "ephemeral", ephemeralContract(memory)],
  ["beside a handle without a cache", "session", sessionContract(halfCached)],
] as const;

for (const [where, port, cases] of proofs) {
  describe(`SQLite ${where} keeps the ${port} contract`, () => {
    for (const { section, name, run } of cases) it(`${section}: ${name}`, run);
  });
}
