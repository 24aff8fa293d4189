import type { WorkerOptions } from "node:worker_threads";

/**
 * A file that a thread of ours runs: `.ts` unbuilt, `.js` built, as the file that asks.
 *
 * @param path - relative to `from`, without its ending
 * @param from - `import.meta.url` of the file that asks
 */
export function threadFile(path: string, from: string): URL {
  return new URL(`${path}.${from.endsWith(".ts") ? "ts" : "js"}`, from);
}

/**
 * What every thread of ours is started with. Threads inherit the process's flags, which is right but for one: `--input-type`
 * belongs to `--eval`, and a thread that inherits it refuses its file. (Flags passed explicitly may not be V8's, so they cannot
 * be filtered.)
 */
export function threadFlags(): Pick<WorkerOptions, "execArgv"> {
  return process.execArgv.some((flag) => flag.startsWith("--input-type")) ? { execArgv: [] } : {};
}
