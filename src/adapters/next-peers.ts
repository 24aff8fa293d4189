import { randomUUID } from "node:crypto";
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage } from "node:http";
import { peerOf } from "../http/client-info.ts";
import type { NextHeaders } from "./next-request.ts";

// Next bundles its instrumentation apart from the routes, so the two meet where a process has one place for both.
const place = Symbol.for("latchkey.next.peer-header");
const channel = "http.server.request.start";

/**
 * Notes each connection's address before Next sees its request: Next tells handlers of no socket, and `X-Forwarded-For` is
 * as the client wrote it. For `instrumentation.ts` of an application on Next's own server (`next start`):
 *
 * ```ts
 * export { register } from "latchkey/next";
 * ```
 *
 * Without it nobody's address is known, unless `remoteAddress` tells it.
 */
export function register(): void {
  const shared = globalThis as { [place]?: string };
  if (shared[place] !== undefined) return;
  // A name that nobody can guess, and written over whatever a client has sent under it.
  const name = `x-latchkey-peer-${randomUUID()}`;
  shared[place] = name;
  subscribe(channel, (message) => {
    const { request } = message as { request: IncomingMessage };
    request.headers[name] = peerOf(request.socket) ?? "";
  });
}

/** The address that {@link register} noted; undefined where it was not called. */
export function notedPeer(headers: NextHeaders): string | undefined {
  const name = (globalThis as { [place]?: string })[place];
  return name === undefined ? undefined : (headers.get(name) ?? undefined);
}
