import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, browserOn } from "../../support/browser.ts";

const serverFolder = new URL("../../../server/", import.meta.url);

/** How a process ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a process wrote, as text. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout(): string;
  stderr(): string;
}

/** A server as its own process, on a free port, in a folder of its own. */
export interface ChildServer extends Running {
  readonly folder: string;
  readonly origin: string;
  readonly port: number;
  /** The link for the first administrator; null where none was printed. */
  readonly setupLink: string | null;
  browser(): Browser;
  /** Waits for a line of the log. */
  logged(text: string, limitMs?: number): Promise<void>;
  /** Ends the process if it still runs, and removes the folder. */
  remove(): Promise<void>;
}

/** Others may be busy with a load of their own. */
const startLimitMs = 30_000;

/** Between two looks: what takes long is not asked for all the time, on a machine that has other work. */
const pauseMs = { first: 10, longest: 50 };

/** Waits until a process has done something. @throws Error after ten seconds: starting one takes a while on a busy machine */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  limitMs: number = 10_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  for (let ms = pauseMs.first; !(await condition()); ms = Math.min(ms * 1.2, pauseMs.longest)) {
    if (performance.now() > giveUpAt) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** A new folder for a process to work in. */
export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "latchkey-server-"));
}

/**
 * Starts a command of the server package: `run("main.ts", [], folder)`, or the program at a URL. Of this process's environment it gets
 * PATH alone, and where compiled code is kept: without that a start costs twice as much.
 */
export function run(
  script: string | URL,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Running {
  const program = fileURLToPath(new URL(script, serverFolder));
  const child = spawn(process.execPath, ["--conditions=latchkey-source", program, ...args], {
    cwd: folder,
    env: { ...bareEnvironment(), ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(input);
  return watch(child);
}

/** What every process needs. */
export function bareEnvironment(): Readonly<Record<string, string | undefined>> {
  return { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
}

/** Gathers what a process writes. */
export function watch(child: ChildProcess): Running {
  const written = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    written.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    written.stderr += text;
  });
  const ended = once(child, "close").then(([code, signal]): Ended => ({ code, signal }));
  return { child, ended, stdout: () => written.stdout, stderr: () => written.stderr };
}

/** Starts the server and waits until it has said where it is. @throws Error with its output where it ended instead */
export async function startServer(
  env: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<ChildServer> {
  const place = folder ?? (await newFolder());
  const running = run("main.ts", [], place, { PORT: "0", ...env });
  const { child, ended, stdout, stderr } = running;
  await Promise.race([
    eventually(() => /at http\S+.*\n/.test(stdout()), startLimitMs),
    ended.then(() => Promise.reject(new Error(`the server did not start:\n${stdout()}${stderr()}`))),
  ]);
  const address = /(?:at|listening on) (http:\/\/\S+:(\d+))\n/.exec(stdout());
  const origin = address?.[1] ?? "";
  return {
    ...running,
    folder: place,
    origin,
    port: Number(address?.[2]),
    setupLink: /http\S+\/setup\?token=\S+/.exec(stdout())?.[0] ?? null,
    browser: () => browserOn((request) => fetch(request, { redirect: "manual" }), origin),
    logged: (text, limitMs) => eventually(() => stderr().includes(text), limitMs),
    async remove() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
      await rm(place, { recursive: true, force: true });
    },
  };
}
