import { errorFrames } from "../domain/error-place.ts";
import type { Log } from "../ports/services.ts";

/** Calls of a stack that a line tells: enough to see the application's own among them. */
const mostFrames = 6;

/** Structured lines on standard error: level, message, the given fields, and of a cause its name, its message and where it was thrown. */
export function stderrLog(): Log {
  const { stderr } = process;
  // Whoever closed the pipe that we log to must not have ended us with it. Once, however many logs there are.
  if (!stderr.listeners("error").includes(passOver)) stderr.on("error", passOver);
  const write = (level: string, message: string, fields: object, cause?: unknown): void => {
    const because = cause instanceof Error ? reasonOf(cause) : {};
    const line = { level, time: new Date().toISOString(), message, ...fields, ...because };
    stderr.write(`${JSON.stringify(line)}\n`);
  };
  return {
    error: (message, fields = {}, cause) => write("error", message, fields, cause),
    warn: (message, fields = {}) => write("warn", message, fields),
  };
}

// Of a cause nothing else is written: what hangs on an error may be anything, a request with its cookie included.
function reasonOf(cause: Error): { readonly cause: string; readonly place: readonly string[] } {
  return { cause: `${cause.name}: ${cause.message}`, place: errorFrames(cause).slice(0, mostFrames) };
}

function passOver(): void {}

/**
 * A log that cannot fail, whatever the application's does: it is called where nobody is left to catch. A line that it does
 * not take is lost, since there is no second place to say so.
 */
export function unfailing(log: Log): Log {
  const attempt = (line: () => unknown): void => {
    try {
      // One that answers with a promise can fail later, too.
      Promise.resolve(line()).catch(() => undefined);
    } catch {}
  };
  return {
    error: (message, fields, cause) => attempt(() => log.error(message, fields, cause)),
    warn: (message, fields) => attempt(() => log.warn(message, fields)),
  };
}
