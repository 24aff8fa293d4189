import { AsyncLocalStorage } from "node:async_hooks";
import type { AuthError, AuthEvent, Log } from "latchkey";
import pino from "pino";
import { type LogFields, loggable, loggableCause } from "./loggable.ts";
import type { LogLevel } from "./settings/settings.ts";

/** What is known of a request while it runs; everything logged meanwhile carries its id. */
export interface RequestNotes {
  readonly requestId: string;
  /** The refusal that it was answered with. */
  refusal: AuthError | null;
}

/** The server's log: JSON, one line each, and in every line only what {@link loggable} lets through. */
export interface ServerLog extends Log {
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** An event of the audit, without its payload. */
  event(event: AuthEvent): void;
  /** Runs `work` as part of a request. */
  during<T>(notes: RequestNotes, work: () => T): T;
  /** Notes the refusal that the request under way is answered with. */
  noteRefusal(error: AuthError): void;
  /** Writes out what is still in memory; afterwards the process may end. */
  flush(): void;
}

/** Where lines go. */
export interface LogDestination {
  write(line: string): unknown;
  flushSync?(): void;
}

/** Options of {@link createLog}. */
export interface LogOptions {
  readonly level: LogLevel;
  /** Default: standard error, so that standard output is for people. */
  readonly destination?: LogDestination;
}

/**
 * The log. There is no way past the allow-list: neither the core's fields nor a cause's message reach the file as they
 * are, and no logger is handed out that would take others.
 */
export function createLog({ level, destination = standardError() }: LogOptions): ServerLog {
  const scope = new AsyncLocalStorage<RequestNotes>();
  const lines = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const write = (level: Exclude<LogLevel, "silent">, message: string, fields: object): void => {
    const requestId = scope.getStore()?.requestId;
    lines[level]({ ...(requestId !== undefined && { request_id: requestId }), ...loggable(fields) }, message);
  };
  return {
    error: (message, fields = {}, cause) => write("error", message, { ...fields, ...loggableCause(cause) }),
    warn: (message, fields = {}) => write("warn", message, fields),
    info: (message, fields = {}) => write("info", message, fields),
    debug: (message, fields = {}) => write("debug", message, fields),
    event({ type, userId, sessionId, ip, requestId }) {
      const fields = { event: type, user_id: userId, session_id: sessionId, ip, request_id: requestId };
      write("info", "event", fields);
    },
    during: (notes, work) => scope.run(notes, work),
    noteRefusal(error) {
      const notes = scope.getStore();
      if (notes !== undefined) notes.refusal = error;
    },
    flush: () => destination.flushSync?.(),
  };
}

// Written in the background: a reader that is slow must not hold up requests.
function standardError(): LogDestination {
  return pino.destination({ fd: 2, sync: false });
}
