import { AuthError } from "../errors.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { Threads } from "./threads.ts";

/** The same threads; each task is measured, with its wait for one that is free. */
export function measuredThreads(threads: Threads, telemetry: Telemetry | null): Threads {
  if (telemetry === null) return threads;
  return {
    run: (task, signal) =>
      telemetry.during({ kind: "hash", name: task.call }, async (end) => {
        try {
          const result = await threads.run(task, signal);
          end("ok");
          return result;
        } catch (thrown) {
          end(thrown instanceof AuthError ? thrown.code : "failed");
          throw thrown;
        }
      }),
    close: () => threads.close(),
  };
}
