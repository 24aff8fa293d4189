import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { endedSlots } from "../../src/stores/file/ended.ts";
import { atMost } from "../../src/stores/file/limit.ts";
import { paths } from "../../src/stores/file/paths.ts";

const root = mkdtempSync(join(tmpdir(), "latchkey-file-ended-"));
afterAll(() => rmSync(root, { recursive: true }));

it("a slot that is written while a sweep has its shard half behind it is found by the next", async () => {
  const at = paths(root);
  const tag = "aaaaaaa1";
  const endsAt = (seconds: number): void => {
    mkdirSync(dirname(at.slot(tag)), { recursive: true });
    writeFileSync(at.slot(tag), "");
    utimesSync(at.slot(tag), seconds, seconds);
  };
  const ended = endedSlots(at, atMost(8));
  endsAt(9_000);
  // Somebody's draft: the one thing that the first sweep stops at.
  writeFileSync(at.draft("aaaaaaa2"), "");
  for await (const { isDraft } of ended.find(5_000)) {
    expect(isDraft).toBe(true);
    // Its time was asked for before this.
    endsAt(6);
    ended.wrote(tag, 6_000);
    rmSync(at.draft("aaaaaaa2"));
  }
  const found: string[] = [];
  for await (const file of ended.find(7_000)) found.push(file.tag);
  expect(found).toEqual([tag]);
});
