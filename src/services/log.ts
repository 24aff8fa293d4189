import type { Log } from "../ports/services.ts";

/** Structured lines on standard error: level, message, the given fields, and of a cause its name and message alone. */
export function stderrLog(): Log {
  const write = (level: string, message: string, fields: object, cause?: unknown): void => {
    const because = cause instanceof Error ? { cause: `${cause.name}: ${cause.message}` } : {};
    process.stderr.write(
      `${JSON.stringify({ level, time: new Date().toISOString(), message, ...fields, ...because })}\n`,
    );
  };
  return {
    error: (message, fields = {}, cause) => write("error", message, fields, cause),
    warn: (message, fields = {}) => write("warn", message, fields),
  };
}
