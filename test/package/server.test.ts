import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyProject, environment, install, packAll, run } from "./project.ts";

const INSTALL_MS = 240_000;

let project = "";
let child: ChildProcess | undefined;

beforeAll(() => {
  project = emptyProject();
  const { core, server } = packAll(project);
  install(project, [core.file, server.file]);
}, INSTALL_MS);

afterAll(() => {
  if (child !== undefined && child.exitCode === null) child.kill("SIGKILL");
  rmSync(project, { recursive: true, force: true });
});

describe("the packed latchkey-server", () => {
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
    child = spawn(join(project, "node_modules/.bin/latchkey"), ["serve"], {
      cwd: project,
      env: environment({ PORT: "0" }),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const response = await fetch(`${await addressOf(child)}/healthz`);
    expect(response.status).toBe(200);
    child.kill("SIGTERM");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

async function addressOf(started: ChildProcess): Promise<string> {
  if (started.stdout === null) throw new Error("the server has no output to read");
  for await (const line of createInterface({ input: started.stdout })) {
    const address = /http:\/\/[\w.[\]:-]+:\d+/.exec(line)?.[0];
    if (address !== undefined) return address;
  }
  throw new Error("the server ended before it said its address");
}
