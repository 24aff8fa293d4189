import { spawn } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Ended, eventually, newFolder, type Running, watch } from "../../server/support/child-server.ts";
import { type Answer, type Browser, browserOn, readAnswer } from "../../support/browser.ts";
import { parseCurl } from "./curl.ts";

const runner = fileURLToPath(new URL("../../../examples/run.ts", import.meta.url));

/** An example as its own process, on a free port, with its data in a folder of its own. */
export interface RunningExample extends Running {
  readonly origin: string;
  readonly folder: string;
  browser(): Browser;
  /** Sends what a line of curl says, at this example; where the line has a host and a port, they do not count. */
  curl(line: string): Promise<Answer>;
  /** Asks it to end, and waits. */
  stop(): Promise<Ended>;
  /** Ends the process if it still runs, and removes the folder. */
  remove(): Promise<void>;
}

/** Runs `npm run example …`, without npm: of this process's environment it gets PATH alone. */
export function runExample(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): Running {
  const child = spawn(process.execPath, ["--conditions=latchkey-source", runner, ...words], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd !== undefined && { cwd }),
  });
  return watch(child);
}

/**
 * Starts an example and waits until it has said where it is.
 *
 * @param files - written before into the folder that it starts in: `{ ".env": "…" }`
 * @throws Error with its output where it ended instead
 */
export async function startExample(
  name: string,
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<RunningExample> {
  const folder = await newFolder();
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  const running = runExample([name], { PORT: "0", DATA_FOLDER: folder, ...env }, folder);
  const { child, ended, stdout, stderr } = running;
  const address = /^\S+ is at (http:\/\/\S+)$/m;
  await Promise.race([
    eventually(() => address.test(stdout()), 30_000),
    ended.then(() => Promise.reject(new Error(`${name} did not start:\n${stdout()}${stderr()}`))),
  ]);
  const origin = address.exec(stdout())?.[1] ?? "";
  return {
    ...running,
    origin,
    folder,
    browser: () => browserOn((request) => fetch(request, { redirect: "manual" }), origin),
    async curl(line) {
      const { path, ...init } = parseCurl(line);
      return readAnswer(await fetch(origin + path, { ...init, redirect: "manual" }));
    },
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
    async remove() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
