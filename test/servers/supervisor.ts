// A process between the tests and the servers that they start: it ends the servers once its standard input closes,
// which also happens where the tests were killed and could end nothing themselves.

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { signalTree } from "./process-tree.ts";

/** A line that the supervisor reads: a program to start. */
export interface StartOrder {
  readonly id: number;
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string;
  /** Where its output goes, appended. */
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly endSignal: NodeJS.Signals;
}

/** A line that the supervisor writes. */
export type Notice =
  | { readonly id: number; readonly event: "started"; readonly pid: number }
  | { readonly id: number; readonly event: "failed"; readonly reason: string }
  | { readonly id: number; readonly event: "exited"; readonly how: string };

const PATIENCE_MS = 3_000;
const directory = process.argv[2] ?? "";
const running = new Map<ChildProcess, NodeJS.Signals>();
let isEnding = false;

const orders = createInterface({ input: process.stdin });
orders.on("line", (line) => start(JSON.parse(line)));
orders.on("close", end);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
// Nobody listens any more, and what remains is to end the servers.
process.stdout.on("error", end);

function start(order: StartOrder): void {
  const { id, uid, gid } = order;
  const log = openSync(order.logFile, "a");
  const child = spawn(order.file, order.args, {
    cwd: order.folder,
    env: { ...process.env, ...order.environment },
    stdio: ["ignore", log, log],
    ...(uid === null || gid === null ? {} : { uid, gid }),
  });
  closeSync(log);
  child.on("error", ({ message }) => tell({ id, event: "failed", reason: message }));
  if (child.pid === undefined) return;
  running.set(child, order.endSignal);
  tell({ id, event: "started", pid: child.pid });
  child.on("exit", (code, signal) => {
    running.delete(child);
    tell({ id, event: "exited", how: signal ?? `code ${code}` });
    if (isEnding && running.size === 0) leave();
  });
}

function tell(notice: Notice): void {
  process.stdout.write(`${JSON.stringify(notice)}\n`);
}

function end(): void {
  if (isEnding) return;
  isEnding = true;
  if (running.size === 0) leave();
  for (const [child, signal] of running) {
    if (signal === "SIGKILL") signalTree(child.pid ?? 0, "SIGKILL");
    // One that a test has stopped hears nothing else.
    else for (const each of ["SIGCONT", signal] as const) signalTree(child.pid ?? 0, each);
  }
  setTimeout(() => {
    for (const child of running.keys()) signalTree(child.pid ?? 0, "SIGKILL");
  }, PATIENCE_MS);
}

function leave(): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  process.exit();
}
