import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { reachableBinaries } from "./embedded-postgres.ts";

function temporary(mode: number): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-reach-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const native = join(folder, "closed", "native");
  mkdirSync(join(native, "bin"), { recursive: true });
  mkdirSync(join(native, "lib"));
  writeFileSync(join(native, "bin", "postgres"), "program");
  writeFileSync(join(native, "lib", "libpq.so"), "library");
  for (const each of [folder, join(folder, "closed")]) chmodSync(each, each === folder ? 0o755 : mode);
  return folder;
}

describe.skipIf(process.getuid?.() !== 0)("the binaries that root hands to an unprivileged account", () => {
  test("stay where they are, where everybody may go", () => {
    const bin = join(temporary(0o755), "closed", "native", "bin");
    expect(reachableBinaries(bin, "/nonexistent")).toBe(bin);
  });

  test("are copied with their libraries out of a folder that is closed to others", () => {
    const folder = temporary(0o700);
    const copy = reachableBinaries(join(folder, "closed", "native", "bin"), folder);
    expect(copy).toBe(join(folder, "native", "bin"));
    expect(readFileSync(join(copy, "postgres"), "utf8")).toBe("program");
    expect(existsSync(join(copy, "..", "lib", "libpq.so"))).toBe(true);
  });
});
