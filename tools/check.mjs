// Every gate of the repository: `npm run check`. One that fails does not hide what the others would say.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const KILL_AFTER_MS = 10_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (path) => join(root, "node_modules", path);
const TSC = bin("typescript7/bin/tsc");

const STEPS = [
  { name: "format and lint", command: [bin("@biomejs/biome/bin/biome"), "ci"] },
  { name: "types of src and server", command: [TSC, "-p", "."] },
  { name: "types of test, bench, examples and the site", command: [TSC, "-p", "test"] },
  { name: "import rules and tests", command: [bin("vitest/vitest.mjs"), "run"] },
];

const failed = [];
let isInterrupted = false;
for (const { name, command } of STEPS) {
  console.log(`\n== ${name}`);
  const startedAt = Date.now();
  const hasPassed = (await run(command)) === 0;
  console.log(
    `== ${name}: ${hasPassed ? "passed" : "FAILED"} (${((Date.now() - startedAt) / 1000).toFixed(1)} s)`,
  );
  if (!hasPassed) failed.push(name);
  if (isInterrupted) break;
}
if (failed.length > 0) console.error(`\nfailed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 || isInterrupted ? 1 : 0;

/**
 * Runs one step in a process group of its own. A signal that ends this run goes to the whole group: the servers and
 * browsers that tests have started are in it, and would otherwise stay behind.
 */
function run(command) {
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const end = (signal) => {
    isInterrupted = true;
    signalGroup(child, signal);
    setTimeout(() => signalGroup(child, "SIGKILL"), KILL_AFTER_MS).unref();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, end);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      for (const signal of signals) process.off(signal, end);
      // Whatever a step left in its group has no one to report to any more.
      signalGroup(child, "SIGKILL");
      resolve(code ?? 1);
    });
  });
}

function signalGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group has ended by itself.
  }
}
