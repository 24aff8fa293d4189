import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A program of this folder running as a process of its own, so that contenders share neither heap nor event loop. */
export interface Child {
  /** The first message that it sent. */
  readonly ready: Readonly<Record<string, number>>;
  /** Sends a message and waits for the answer. */
  ask<T>(message: unknown): Promise<T>;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

/** Starts `bench/<file>`, or the program of a `file:` URL, and waits until it says that it is ready. */
export async function startChild(file: string, args: readonly string[]): Promise<Child> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(path, [...args], { execArgv: ["--conditions=latchkey-source", "--expose-gc"] });
  const ready = await nextMessage<Record<string, number>>(child);
  return {
    ready,
    async ask(message) {
      child.send(message as object);
      return nextMessage(child);
    },
    async stop() {
      if (child.exitCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      once(child, "message", { signal: ended.signal }).then(([message]) => message as T),
      once(child, "exit", { signal: ended.signal }).then(([code]) => {
        throw new Error(`a contender ended with code ${code}`);
      }),
    ]);
  } finally {
    ended.abort();
  }
}
