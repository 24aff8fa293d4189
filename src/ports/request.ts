import type { Awaitable } from "./store.ts";

/**
 * What the pipeline reads of a request. A web `Request`, Hono's light object and a thin wrapper over Node's
 * `IncomingMessage` all have this shape; a check never builds a heavier one.
 */
export interface AuthRequest {
  readonly method: string;
  /** Absolute, or a path with query; only path and query are read. Cookies and links come from the configured origin. */
  readonly url: string;
  readonly headers: { get(name: string): string | null | undefined };
  /**
   * A field of the form in the body, where the adapter has it parsed already or can parse it without taking the body
   * from the handler. Absent: a CSRF token is accepted in the header only (a web `Request` is read through a clone).
   */
  readonly formField?: (name: string) => Awaitable<string | null>;
  /**
   * Calls `tell` once with the status of the answer, when that is known; 499 where the client went away before. Absent: only
   * the verdict is known.
   */
  onAnswered?(tell: (status: number) => void): void;
  /** What this is a view of, where an adapter makes more than one of a request: together they count as one. Default: itself. */
  readonly of?: object;
}

/** A request to one of Latchkey's own routes: with its body. A web `Request` satisfies it. */
export interface RouteRequest extends AuthRequest {
  readonly body: ReadableStream<Uint8Array> | null;
}

/** What is known of the peer from outside the request's own words. */
export interface ClientInfo {
  /** Address of the client: the socket's, or what a configured trusted proxy says. Null where there is none. */
  readonly ip: string | null;
  /** Runs through logs, audit rows and problems. Default: a fresh UUID. */
  readonly requestId?: string;
}
