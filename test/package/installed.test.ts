import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  type Added,
  emptyProject,
  environment,
  install,
  packAll,
  root,
  run,
  type Tarball,
} from "./project.ts";
import { firstProgram, importedPackages } from "./readme.ts";

const INSTALL_MS = 240_000;
const MAX_PACKAGES = 12;
const MAX_BYTES = 16_000_000;
/** What `import "latchkey"` may load. Hashers and word lists wait for the first password, schemas for the first route. */
const LOADED_PACKAGES = ["latchkey"];
/** Parts of the core that are reached by a subpath, or not at all; but for the two small files that seal sessions, which the core may be asked for at once. */
const LOADED_ON_DEMAND =
  /\/latchkey\/dist\/(adapters|testing|client|oauth|mail|webhooks|(?!jwt\/(sealed-sessions|recent-tokens)\.js)jwt)\//;

// One project, to which packages are added: an install costs more than all that is asked of it.
let project = "";
let server: Tarball;
let added: Added;

beforeAll(() => {
  project = emptyProject();
  const tarballs = packAll(project);
  server = tarballs.server;
  added = install(project, [tarballs.core.file]);
}, INSTALL_MS);

afterAll(() => rmSync(project, { recursive: true, force: true }));

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

  test("every entry can be imported, with nothing else installed", () => {
    const { exports } = JSON.parse(readFileSync(join(project, "node_modules/latchkey/package.json"), "utf8"));
    const code = Object.keys(exports).filter((name) => !name.endsWith(".json"));
    const names = code.map((name) => name.replace(".", "latchkey"));
    expect(names).toEqual(expect.arrayContaining(["latchkey", "latchkey/hono", "latchkey/client/react"]));
    const program = `for (const name of ${JSON.stringify(names)})
  await import(name).catch(({ message }) => console.log(name, message));`;
    writeFileSync(join(project, "entries.mjs"), program);
    expect(run(process.execPath, ["entries.mjs"], project)).toBe("");
  });
});

describe("the README's first program", () => {
  const program = firstProgram(readFileSync(join(root, "README.md"), "utf8")) ?? "";

  beforeAll(() => {
    const versions = JSON.parse(readFileSync(join(root, "server/package.json"), "utf8")).dependencies;
    const others = importedPackages(program).filter((name) => name !== "latchkey");
    const wanted = others.map((name) => `${name}@${versions[name] ?? "latest"}`);
    if (wanted.length > 0) install(project, wanted);
    // Any free port: the one in the text may be taken on this machine.
    writeFileSync(join(project, "app.ts"), program.replace(/(port: |listen\()\d+/g, "$10"));
  }, INSTALL_MS);

  test("stands before line 30 and imports latchkey", () => {
    const lines = readFileSync(join(root, "README.md"), "utf8").split("\n");
    expect(lines.indexOf("```ts")).toBeGreaterThan(-1);
    expect(lines.indexOf("```ts")).toBeLessThan(30);
    expect(importedPackages(program)).toContain("latchkey");
  });

  test("compiles in a user's project, declarations included", { timeout: 60_000 }, () => {
    const compiler = join(root, "node_modules/typescript7/bin/tsc");
    const types = ["--types", "node", "--typeRoots", join(root, "node_modules/@types")];
    const strict = [
      "--singleThreaded",
      "--strict",
      "--declaration",
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--outDir",
      "out",
    ];
    run(process.execPath, [compiler, ...strict, ...types, "app.ts"], project);
    expect(readFileSync(join(project, "out/app.d.ts"), "utf8")).not.toBe("");
  });

  test("runs and answers", async () => {
    const preload = pathToFileURL(join(import.meta.dirname, "announce-listening.mjs")).href;
    const child = start(process.execPath, ["--import", preload, "app.ts"]);
    const port = await saidBy(child, /^listening on port (\d+)$/);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBeLessThan(500);
    child.kill("SIGTERM");
    await once(child, "exit");
  });
});

describe("the packed latchkey-server, added to it", () => {
  beforeAll(() => void install(project, [server.file]), INSTALL_MS);

  test("brings the command `latchkey`", () => {
    expect(run(join(project, "node_modules/.bin/latchkey"), ["--help"], project)).toContain("serve");
  });

  test("is started by a program of one's own as well, and typed for it", () => {
    const program = `import { startServer } from "latchkey-server";
const { origin, stop } = await startServer({ environment: { PORT: "0", LOG_LEVEL: "silent" } });
console.log((await fetch(origin + "/healthz")).status);
await stop();`;
    writeFileSync(join(project, "program.mjs"), program);
    expect(run(process.execPath, ["program.mjs"], project)).toBe("200\n");
    expect(existsSync(join(project, "node_modules/latchkey-server/dist/embedding.d.ts"))).toBe(true);
  });

  test("serves from its build, and ends on SIGTERM", async () => {
    const child = start(join(project, "node_modules/.bin/latchkey"), ["serve"]);
    const response = await fetch(`${await saidBy(child, /(http:\/\/[\w.[\]:-]+:\d+)/)}/healthz`);
    expect(response.status).toBe(200);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

/** Starts a program of the project at any port; it does not outlive its test. */
function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, {
    cwd: project,
    env: environment({ PORT: "0" }),
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** What a program says in the first line that has it. */
async function saidBy({ stdout }: ChildProcess, pattern: RegExp): Promise<string> {
  if (stdout === null) throw new Error("the program has no output to read");
  for await (const line of createInterface({ input: stdout })) {
    const said = pattern.exec(line)?.[1];
    if (said !== undefined) return said;
  }
  throw new Error("the program ended before it said where it is");
}

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
