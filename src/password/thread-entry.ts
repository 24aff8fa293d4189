/** What a password thread runs: takes tasks from its port, one at a time, and answers each. */
import { setPriority } from "node:os";
import { type MessagePort, parentPort } from "node:worker_threads";
import { errorPlace } from "../domain/error-place.ts";
import type { ThreadReply, ThreadTask } from "./threads.ts";

type Functions = Readonly<Record<string, unknown>>;

if (parentPort) serve(parentPort);

function serve(port: MessagePort): void {
  yieldToRequests();
  const loaded = new Map<string, Promise<Functions>>();
  port.on("message", (task: ThreadTask) => {
    const key = `${task.module} ${JSON.stringify(task.options)}`;
    const functions = loaded.get(key) ?? load(task);
    loaded.set(key, functions);
    void answer(task, functions).then((reply) => port.postMessage(reply));
  });
}

// Session checks must not wait behind hashes. Linux keeps a priority for each thread, so this leaves the event loop's
// alone; elsewhere the call would slow the whole process.
function yieldToRequests(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(19);
  } catch {
    // A sandbox may forbid it. Hashing then competes at normal priority, which is slower for others but correct.
  }
}

async function load(task: ThreadTask): Promise<Functions> {
  const module: { load(options: unknown): Functions | Promise<Functions> } = await import(task.module);
  return module.load(task.options);
}

async function answer(task: ThreadTask, loading: Promise<Functions>): Promise<ThreadReply> {
  let functions: Functions;
  try {
    functions = await loading;
  } catch (error) {
    // No password has been near this yet, so the whole message may be told.
    return { ok: false, failure: `${task.module} could not be loaded: ${String(error)}` };
  }
  try {
    const work = functions[task.call];
    if (typeof work !== "function") throw new TypeError("no such function");
    const startedAt = performance.now();
    const value: unknown = await work(...task.args);
    return { ok: true, value, durationMs: performance.now() - startedAt };
  } catch (error) {
    return { ok: false, failure: `${task.call} of ${task.module} failed: ${errorPlace(error)}` };
  }
}
