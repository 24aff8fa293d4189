import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyProject, environment, install, packAll, root, run } from "./project.ts";
import { firstProgram, importedPackages } from "./readme.ts";
import { outputsOf, scriptOf, stepsOf } from "./tutorial.ts";

const INSTALL_MS = 240_000;

let project = "";
let program = "";
let tarball = "";
let child: ChildProcess | undefined;

beforeAll(() => {
  project = emptyProject();
  tarball = packAll(project).core.file;
  program = firstProgram(readFileSync(join(root, "README.md"), "utf8")) ?? "";
  const versions = JSON.parse(readFileSync(join(root, "server/package.json"), "utf8")).dependencies;
  const others = importedPackages(program).filter((name) => name !== "latchkey");
  install(project, [tarball, ...others.map((name) => `${name}@${versions[name] ?? "latest"}`)]);
  // Any free port: the one in the text may be taken on this machine.
  writeFileSync(join(project, "app.ts"), program.replace(/(port: |listen\()\d+/g, "$10"));
}, INSTALL_MS);

afterAll(async () => {
  if (child !== undefined && child.exitCode === null) child.kill("SIGKILL");
  rmSync(project, { recursive: true, force: true });
});

describe("the README's first program", () => {
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
    child = spawn(process.execPath, ["--import", preload, "app.ts"], {
      cwd: project,
      env: environment({ PORT: "0" }),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const port = await portOf(child);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(response.status).toBeLessThan(500);
    child.kill("SIGTERM");
    await once(child, "exit");
  });
});

describe("the tutorial", () => {
  const steps = stepsOf(readFileSync(join(root, "docs/tutorial.md"), "utf8"));

  test("does in an empty folder what it says, step by step", { timeout: 120_000 }, async () => {
    const port = await freePort();
    const script = [
      "set -eu",
      `PATH=${dirname(process.execPath)}:$PATH`,
      // The package that is to be published stands in for the published one.
      `npm() { command npm "\${@/#latchkey/${tarball}}" --no-audit --no-fund --loglevel=error; }`,
      "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
      // A reader waits for the line that says where the server is.
      scriptOf(steps).replace(
        /^node server\.ts &$/m,
        "$&\nuntil curl -so /dev/null localhost:3000; do sleep 0.05; done",
      ),
    ].join("\n");
    const folder = mkdtempSync(join(tmpdir(), "latchkey-tutorial-"));
    try {
      // Any free port: the one in the text may be taken on this machine.
      const printed = run("bash", ["-c", script.replaceAll("3000", String(port))], folder);
      const outputs = outputsOf(printed);
      let commands = 0;
      for (const { kind, line, text: expected } of steps) {
        if (kind === "output") expect(outputs.get(commands)).toBe(expected.replaceAll("3000", String(port)));
        if (kind === "commands") commands = line;
      }
      expect(outputs.get(commands)).toMatch(/pass 1\n[\s\S]*fail 0\n/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

async function portOf(started: ChildProcess): Promise<string> {
  if (started.stdout === null) throw new Error("the program has no output to read");
  for await (const line of createInterface({ input: started.stdout })) {
    const port = /^listening on port (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error("the program ended before it listened");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
