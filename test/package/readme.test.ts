import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyProject, environment, install, packAll, root, run } from "./project.ts";
import { firstProgram, importedPackages } from "./readme.ts";

const INSTALL_MS = 240_000;

let project = "";
let program = "";
let child: ChildProcess | undefined;

beforeAll(() => {
  project = emptyProject();
  program = firstProgram(readFileSync(join(root, "README.md"), "utf8")) ?? "";
  const versions = JSON.parse(readFileSync(join(root, "server/package.json"), "utf8")).dependencies;
  const others = importedPackages(program).filter((name) => name !== "latchkey");
  install(project, [
    packAll(project).core.file,
    ...others.map((name) => `${name}@${versions[name] ?? "latest"}`),
  ]);
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

async function portOf(started: ChildProcess): Promise<string> {
  if (started.stdout === null) throw new Error("the program has no output to read");
  for await (const line of createInterface({ input: started.stdout })) {
    const port = /^listening on port (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error("the program ended before it listened");
}
