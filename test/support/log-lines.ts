import type { Log } from "../../src/ports/services.ts";

/** A log that keeps its lines: the message, the fields as JSON and, of an error, the cause. */
export function logLines(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    error: (message, fields = {}, cause) => void lines.push(`${message} ${JSON.stringify(fields)} ${cause}`),
    warn: (message, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  };
}
