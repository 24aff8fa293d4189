import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";

/** Stores that the core is proven on, fresh and empty at each `open`. */
export interface Backend {
  readonly backend: string;
  open(): Promise<Stores>;
}

export const backends: readonly Backend[] = [
  { backend: "memory", open: async () => memory() },
  { backend: "sqlite", open: async () => sqlite({ path: join(temporaryDirectory(), "latchkey.db") }) },
];

/** A directory of this test's own, gone when it ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "latchkey-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
