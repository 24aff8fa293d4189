import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it } from "vitest";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { split } from "../../src/stores/split.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { detachedSessionContract, type StoreHarness, sessionContract } from "../../src/testing/testing.ts";
import { dieEverywhere, type Engines, flows } from "./split-deaths.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-split-"));
afterAll(() => rmSync(root, { recursive: true }));

let opened = 0;
let path = "";
let sessions: DetachedSessions = memorySessions();
const joined = (directory: Stores): Stores => split({ ...directory, sessions });

const inMemory: StoreHarness = {
  open: async () => split({ ...memory(), sessions: memorySessions() }),
};
const besideSqlite: StoreHarness = {
  async open() {
    path = join(root, `${++opened}.db`);
    sessions = memorySessions();
    return joined(sqlite({ path }));
  },
  // Sessions in memory are one process's alone; the directory is opened by another connection.
  another: async () => joined(sqlite({ path })),
  async removeUser(userId) {
    const application = new DatabaseSync(path);
    application.prepare("DELETE FROM users WHERE id = ?").run(userId);
    application.close();
  },
};

for (const [where, harness] of Object.entries({ memory: inMemory, SQLite: besideSqlite })) {
  describe(`sessions in memory beside ${where} keep the session contract`, () => {
    for (const { section, name, run } of sessionContract(harness)) it(`${section}: ${name}`, run);
  });
}

describe("sessions in memory keep the contract of detached sessions", () => {
  const harness = { open: async () => memorySessions() };
  for (const { section, name, run } of detachedSessionContract(harness)) it(`${section}: ${name}`, run);
});

describe("a process that dies at any call to either engine leaves no session that the directory has ended", () => {
  for (const [name, flow] of Object.entries(flows)) {
    it(`in ${name}`, async () => {
      const open = async (): Promise<Engines> => ({ directory: memory(), sessions: memorySessions() });
      expect(await dieEverywhere(flow, open)).toBeGreaterThan(1);
    });
  }
});
