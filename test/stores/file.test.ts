import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { Stores } from "../../src/ports/stores.ts";
import { fileSessions } from "../../src/stores/file/file.ts";
import { split } from "../../src/stores/split.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { detachedSessionContract, type StoreHarness, sessionContract } from "../../src/testing/testing.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-file-"));
afterAll(() => rmSync(root, { recursive: true }));

let opened = 0;
const fresh = (): string => join(root, String(++opened));

describe("sessions in files keep the contract of detached sessions", () => {
  const harness = { open: async () => fileSessions({ path: fresh() }) };
  for (const { section, name, run } of detachedSessionContract(harness)) it(`${section}: ${name}`, run);
});

describe("sessions in files beside SQLite keep the session contract", () => {
  let at = "";
  const open = (path: string): Stores =>
    split({
      ...sqlite({ path: join(path, "a.db") }),
      sessions: fileSessions({ path: join(path, "sessions") }),
    });
  const harness: StoreHarness = {
    async open() {
      at = fresh();
      return open(at);
    },
    // The folder as it is on disk at this moment: the first handle still has it.
    async reopen() {
      const copy = fresh();
      cpSync(at, copy, { recursive: true });
      return open(copy);
    },
  };
  for (const { section, name, run } of sessionContract(harness)) it(`${section}: ${name}`, run);
});
