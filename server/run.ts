import { createLog, type ServerLog } from "./log.ts";
import { type Serving, serve } from "./serve.ts";
import { loadSettings } from "./settings/load-settings.ts";
import type { Settings } from "./settings/settings.ts";
import { startFailure } from "./start-failure.ts";

/** A second signal is impatience; one that comes this soon is the same key press, which npm passes on once more. */
const samePressMs = 500;
/** Longer than the grace of requests: what hangs then is not worth waiting for. */
const stopLimitMs = 15_000;

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The server as a process: reads the settings, serves until SIGTERM or SIGINT, ends the process. Exit codes: 0 after a
 * clean end; 1 where it fails or cannot end in time; 130 or 143 after a second SIGINT or SIGTERM.
 *
 * Standard output is for people, standard error has the log: one JSON document a line.
 *
 * @returns once it serves, 0; where it cannot start, 1, with the reason on standard error
 */
export async function runServer(): Promise<number> {
  // A terminal that has gone away must not take the server with it.
  process.stdout.on("error", () => {});
  try {
    const { settings, warnings } = await loadSettings(process.env);
    const log = createLog({ level: settings.logLevel });
    const serving = await serve(settings, log);
    endOnSignals(serving, log);
    endOnFailure(log);
    process.stdout.write(greeting(serving, settings, warnings));
    log.info("listening", { origin: serving.origin });
    return 0;
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`);
    return 1;
  }
}

/** What the terminal shows. The link for the first administrator is here alone: the log may be collected and kept. */
function greeting(
  { origin, address, setupToken, newSecretPath }: Serving,
  settings: Settings,
  warnings: readonly string[],
): string {
  const lines = [
    settings.origin === null
      ? `Latchkey is at ${origin}`
      : `Latchkey is at ${origin}, listening on ${address}`,
  ];
  lines.push(...warnings.map((warning) => `Warning: ${warning}`));
  if (newSecretPath !== null) lines.push(`A secret for this machine is now in ${newSecretPath}`);
  if (setupToken !== null) {
    lines.push("Create the first administrator with this link; it works once, for one hour:");
    lines.push(`  ${origin}/setup?token=${setupToken}`);
  }
  return `${lines.join("\n")}\n`;
}

function endOnSignals(serving: Serving, log: ServerLog): void {
  let firstAt: number | null = null;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const isAgain = firstAt !== null && performance.now() - firstAt > samePressMs;
      if (isAgain) exit(log, exitCodes[signal]);
      if (firstAt !== null) return;
      firstAt = performance.now();
      log.info("stopping", { signal });
      setTimeout(() => exit(log, 1), stopLimitMs).unref();
      serving.stop().then(
        () => exit(log, 0),
        (error) => {
          log.error("the stores did not close", {}, error);
          exit(log, 1);
        },
      );
    });
  }
}

// Node would print the error whole, and its text may hold what it choked on.
function endOnFailure(log: ServerLog): void {
  process.on("uncaughtException", (error) => {
    log.error("the server failed and ends", {}, error);
    exit(log, 1);
  });
}

function exit(log: ServerLog, code: number): never {
  log.flush();
  process.exit(code);
}
