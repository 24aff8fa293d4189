import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packAll, root, run, type Tarball } from "./project.ts";

const PACK_MS = 240_000;

let folder = "";
let core: Tarball;
let server: Tarball;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-tarballs-"));
  ({ core, server } = packAll(folder));
}, PACK_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tarballs", () => {
  test("hold the build, the licence and the texts, and nothing else", () => {
    const strays = core.paths.filter(
      (path) => !/^(dist\/|package\.json$|LICENSE$|README\.md$|CHANGELOG\.md$|$)/.test(path),
    );
    expect(strays).toEqual([]);
    expect(core.paths).toEqual(
      expect.arrayContaining(["dist/index.js", "dist/index.d.ts", "LICENSE", "README.md"]),
    );
    expect(server.paths).toEqual(expect.arrayContaining(["dist/main.js", "dist/cli/main.js", "LICENSE"]));
  });

  test("hold no source, test or build state", () => {
    const unwanted = [...core.paths, ...server.paths].filter((path) =>
      /(?<!\.d)\.ts$|tsbuildinfo|\.test\./.test(path),
    );
    expect(unwanted).toEqual([]);
  });

  test("name each other by version, and no folder of this repository", () => {
    const { dependencies } = manifestOf(server);
    expect(dependencies.latchkey).toMatch(/^\^\d+\.\d+\.\d+$/);
    for (const tarball of [core, server]) {
      expect(JSON.stringify(manifestOf(tarball))).not.toMatch(
        /file:|latchkey-source|workspaces|allowScripts|node-linux/,
      );
    }
  });

  test.each(["core", "server"])("publint has nothing to say about the %s", async (name) => {
    const { file } = name === "core" ? core : server;
    const tarball = new Uint8Array(readFileSync(file)).buffer;
    const { messages } = await publint({ pack: { tarball } });
    expect(messages).toEqual([]);
  });

  test("their types resolve for users of ES modules", { timeout: 60_000 }, () => {
    const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
    const args = [
      attw,
      core.file,
      "--profile",
      "esm-only",
      "--no-definitely-typed",
      "--no-emoji",
      "--no-color",
    ];
    // It ends with 1 where it finds a problem.
    expect(run(process.execPath, args, folder)).toContain('"latchkey/testing"');
  });
});

function manifestOf(tarball: Tarball): { dependencies: Record<string, string> } {
  return JSON.parse(run("tar", ["-xzOf", tarball.file, "package/package.json"], folder));
}
