import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, inject, test } from "vitest";
import { root } from "../docs/documents.ts";
import { programsOf } from "../docs/programs.ts";

const chromiumPath = inject("chromiumPath");

/** Runs a program in a folder to its end; what it printed, both streams. */
async function run(folder: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  // A runner that knows of being within another one says so in another way.
  const { VITEST: _, VITEST_MODE: __, NODE_TEST_CONTEXT: ___, ...rest } = process.env;
  const env = { ...rest, NODE_OPTIONS: "", NO_COLOR: "1", FORCE_COLOR: "", ...more };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const [said, complained, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.once("close", resolve)),
  ]);
  return { code, output: said + complained };
}

// As everywhere in this repository, `latchkey` is its sources.
const conditions = "--conditions=latchkey-source";
// One process does for one file.
const nodeTest = [conditions, "--test", "--test-isolation=none", "--test-reporter=tap"];

test("the tests of the page on Vitest pass under Vitest", async () => {
  using page = programsOf("docs/testing-vitest.md");
  const config = join(page.folder, "vitest.config.mjs");
  const names = `["latchkey-source", "module", "node"]`;
  const resolve = `{ conditions: ${names} }`;
  const settings = `{ include: ["*.test.ts"] }`;
  writeFileSync(
    config,
    `export default { resolve: ${resolve}, ssr: { resolve: ${resolve} }, test: ${settings} };`,
  );
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [
    "run",
    "--root",
    page.folder,
    "--config",
    config,
    "--reporter=tap-flat",
    "--pool=threads",
    "--no-isolate",
  ];
  const { code, output } = await run(page.folder, [vitest, ...args]);
  expect(output.match(/^ok /gm), output).toHaveLength(5);
  expect(code, output).toBe(0);
}, 60_000);

test("the tests of the page on node:test pass under node:test", async () => {
  using page = programsOf("docs/testing-node-test.md");
  const { code, output } = await run(page.folder, [
    conditions,
    "--test",
    "--test-reporter=tap",
    "app.test.ts",
  ]);
  expect(output, output).toContain("# pass 4");
  expect(code, output).toBe(0);
}, 60_000);

test.skipIf(chromiumPath === null)(
  "the tests of the page on Playwright pass in a browser",
  async () => {
    using page = programsOf("docs/testing-playwright.md");
    const more = { CHROMIUM_PATH: chromiumPath ?? "" };
    const args = [...nodeTest, "site.test.ts"];
    const { code, output } = await run(page.folder, args, more);
    expect(output, output).toContain("# pass 2");
    expect(code, output).toBe(0);
  },
  60_000,
);
