import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "./eventually.ts";
import { isRunning } from "./process-tree.ts";
import type { RunnerLine } from "./runner.ts";

const binaries = {
  redis: inject("redisBinary"),
  memcached: inject("memcachedBinary"),
  postgres: inject("postgresBinary"),
  mariadb: inject("mariadbBinary"),
};
const found = Object.entries(binaries).flatMap(([engine, binary]) =>
  binary === null ? [] : [`${engine}=${binary}`],
);

interface Runner {
  readonly child: ChildProcess;
  line(): Promise<RunnerLine>;
}

function startRunner(): Runner {
  const script = fileURLToPath(new URL("./runner.ts", import.meta.url));
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, ...found], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, line: async () => JSON.parse((await lines.next()).value ?? "") };
}

/** Processes that hold the directory of a runner's servers in their command line, or work in it. */
function processesOf(directory: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return isRunning(pid) && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(directory);
    } catch {
      return false;
    }
  });
}

describe("servers of tests that end without ending them", () => {
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"] as const) {
    test(`by ${signal}: all of them go, with their files`, async () => {
      const { child, line } = startRunner();
      await line();
      const { directory, pids } = await line();
      expect(pids).toHaveLength(found.length);
      expect(pids.every(isRunning)).toBe(true);
      expect(readdirSync(directory)).not.toEqual([]);
      child.kill(signal);
      await once(child, "exit");
      await eventually(() => !pids.some(isRunning) && !existsSync(directory));
      // The supervisor itself goes last.
      await eventually(() => processesOf(directory).length === 0);
    });
  }

  test("by SIGKILL while they start: none stays", async () => {
    const { child, line } = startRunner();
    const { directory } = await line();
    await eventually(() => processesOf(directory).length > 1);
    child.kill("SIGKILL");
    await once(child, "exit");
    await eventually(() => processesOf(directory).length === 0 && !existsSync(directory));
  });

  test("by SIGKILL while the servers are stopped: they go all the same", async () => {
    const { child, line } = startRunner();
    await line();
    const { directory, pids } = await line();
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    child.kill("SIGKILL");
    await eventually(() => !pids.some(isRunning) && !existsSync(directory));
  });
});
