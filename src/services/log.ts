import type { Log } from "../ports/services.ts";

/** Structured lines on standard error: level, message, the given fields, and of a cause its name and message alone. */
export function stderrLog(): Log {
  const { stderr } = process;
  // Whoever closed the pipe that we log to must not have ended us with it. Once, however many logs there are.
  if (!stderr.listeners("error").includes(passOver)) stderr.on("error", passOver);
  const write = (level: string, message: string, fields: object, cause?: unknown): void => {
    const because = cause instanceof Error ? { cause: `${cause.name}: ${cause.message}` } : {};
    const line = { level, time: new Date().toISOString(), message, ...fields, ...because };
    stderr.write(`${JSON.stringify(line)}\n`);
  };
  return {
    error: (message, fields = {}, cause) => write("error", message, fields, cause),
    warn: (message, fields = {}) => write("warn", message, fields),
  };
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
