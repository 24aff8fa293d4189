import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Added, emptyProject, install, packAll, root, run, type Tarball } from "./project.ts";

const INSTALL_MS = 240_000;
const MAX_PACKAGES = 12;
const MAX_BYTES = 16_000_000;
/** What `import "latchkey"` may load. Hashers and word lists wait for the first password, schemas for the first route. */
const LOADED_PACKAGES = ["latchkey"];
/** Parts of the core that are reached by a subpath, or not at all; but for the two small files that seal sessions, which the core may be asked for at once. */
const LOADED_ON_DEMAND =
  /\/latchkey\/dist\/(adapters|testing|client|oauth|mail|webhooks|(?!jwt\/(sealed-sessions|recent-tokens)\.js)jwt)\//;

let project = "";
let core: Tarball;
let server: Tarball;
let added: Added;

beforeAll(() => {
  project = emptyProject();
  ({ core, server } = packAll(project));
  added = install(project, [core.file]);
}, INSTALL_MS);

afterAll(() => rmSync(project, { recursive: true, force: true }));

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
    expect(run(process.execPath, args, project)).toContain('"latchkey/testing"');
  });
});

describe("npm install latchkey", () => {
  test(`brings at most ${MAX_PACKAGES} packages and 16 MB`, () => {
    console.log(
      `${added.packages.length} packages, ${(added.bytes / 1e6).toFixed(1)} MB: ${added.packages.join(" ")}`,
    );
    expect(added.packages.length).toBeLessThanOrEqual(MAX_PACKAGES);
    expect(added.bytes).toBeLessThanOrEqual(MAX_BYTES);
  });

  test("importing it loads no hasher, word list, framework, mail or OAuth", () => {
    const loaded = modulesLoadedBy(`import "latchkey";`);
    expect(loaded.length).toBeGreaterThan(20);
    const packages = new Set(loaded.map(packageOf).filter((name) => name !== null));
    expect([...packages].filter((name) => !LOADED_PACKAGES.includes(name))).toEqual([]);
    expect(loaded.filter((url) => LOADED_ON_DEMAND.test(url))).toEqual([]);
  });

  test("latchkey/oauth loads its libraries with the first sign-in", () => {
    const loaded = modulesLoadedBy(`import "latchkey/oauth";`).map(packageOf);
    expect([...new Set(loaded.filter((name) => name !== null))]).toEqual(["latchkey"]);
  });

  test("latchkey/verify loads a few files of it, and nothing else", () => {
    const loaded = modulesLoadedBy(`import "latchkey/verify";`).filter((url) => !url.startsWith("node:"));
    expect(loaded.filter((url) => !/\/latchkey\/dist\/(verify|jwt\/|config\/|domain\/)/.test(url))).toEqual(
      [],
    );
    expect(loaded.length).toBeLessThan(20);
  });

  test.each([
    "latchkey/node",
    "latchkey/hono",
    "latchkey/oauth",
    "latchkey/testing",
    "latchkey/tokens",
    "latchkey/transfer",
    "latchkey/foreign-hashes",
  ])("%s can be imported", (name) => {
    expect(modulesLoadedBy(`import "${name}";`).map(packageOf)).toContain("latchkey");
  });
});

function modulesLoadedBy(program: string): string[] {
  const file = join(project, "loads.js");
  writeFileSync(file, program);
  const trace = pathToFileURL(join(import.meta.dirname, "trace-loads.mjs")).href;
  const urls = run(process.execPath, ["--import", trace, file], project).trim().split("\n");
  return urls.filter((url) => !url.endsWith("/loads.js"));
}

function packageOf(url: string): string | null {
  return /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url)?.[1] ?? null;
}

function manifestOf(tarball: Tarball): { dependencies: Record<string, string> } {
  return JSON.parse(run("tar", ["-xzOf", tarball.file, "package/package.json"], project));
}
