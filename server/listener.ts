import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener, type HttpBindings, RequestError } from "@hono/node-server";
import { type EarlyRefusal, earlyRefusal, onTheWire } from "./early-refusal.ts";
import type { ServerLog } from "./log.ts";
import type { HeaderLine } from "./security-headers.ts";

/** Answers a request. */
export type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

/** What {@link createListener} works with. */
export interface ListenerOptions {
  readonly fetch: Fetch;
  /** Headers of what is answered without `fetch`: requests that cannot be parsed. */
  readonly headers: () => readonly HeaderLine[];
  readonly origin: () => string;
  readonly log: ServerLog;
  /** Time that a client has for a whole request, body included. */
  readonly requestTimeoutSeconds: number;
}

/** Request line and headers together; more is answered with 431. */
const maxHeaderBytes = 16_384;
/** A client that opens a connection and sends its headers byte by byte holds it no longer than this. */
const headersTimeoutMs = 10_000;
/** Above the 60 s after which common proxies drop idle connections: closed from this side, a request could be lost. */
const keepAliveTimeoutMs = 65_000;
/** How often Node looks for clients that are too slow; by default every 30 s. */
const checkingIntervalMs = 500;

const unreadable = "The request cannot be read.";

/** An HTTP server with limits on headers and time. */
export interface Listener {
  /** Not listening yet. */
  readonly server: Server;
  /** Ends connections on which nothing was ever sent: browsers open them in advance, and Node takes them for busy. */
  closeSilentConnections(): void;
}

/** Makes a {@link Listener}. */
export function createListener(options: ListenerOptions): Listener {
  const { requestTimeoutSeconds } = options;
  const refuse: Refuse = (status, detail) =>
    earlyRefusal({ status, detail, origin: options.origin(), headers: options.headers() });
  const requestTimeout = requestTimeoutSeconds * 1000;
  const server = createServer(
    {
      maxHeaderSize: maxHeaderBytes,
      requestTimeout,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeout),
      keepAliveTimeout: keepAliveTimeoutMs,
      connectionsCheckingInterval: checkingIntervalMs,
      // Refused below, with the headers that every answer has; Node's own 400 has none.
      requireHostHeader: false,
    },
    requestListener(options, refuse),
  );
  // Node's own 417 has no headers either; such a request may as well be answered. @see RFC 9110, section 10.1.1
  server.on("checkExpectation", (request, answer) => server.emit("request", request, answer));
  refuseUnreadable(server, options.log, refuse);
  return { server, closeSilentConnections: silentConnectionsOf(server) };
}

type Refuse = (status: number, detail: string) => EarlyRefusal;

function requestListener(
  { fetch, log }: ListenerOptions,
  refuse: Refuse,
): ReturnType<typeof getRequestListener> {
  return getRequestListener((request, bindings) => fetch(request, bindings as HttpBindings), {
    errorHandler(thrown) {
      const isUnreadable = thrown instanceof RequestError;
      // `fetch` answers its own errors; what comes through all the same is something else that was thrown.
      if (!isUnreadable) log.error("a request failed", {}, thrown);
      const { status, headers, body } = isUnreadable
        ? refuse(400, unreadable)
        : refuse(500, "Something went wrong.");
      return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
    },
  });
}

/** Answers what the parser gives up on, and requests that take too long, then closes the connection. */
function refuseUnreadable(server: Server, log: ServerLog, refuse: Refuse): void {
  const answers = new WeakMap<Socket, ServerResponse>();
  server.on("request", ({ socket }: IncomingMessage, answer: ServerResponse) => answers.set(socket, answer));
  server.on("clientError", ({ code }: NodeJS.ErrnoException, socket: Socket) => {
    const answer = answers.get(socket);
    const isAnswering = answer?.headersSent === true && !answer.writableFinished;
    if (socket.writable && !isAnswering && code !== "ECONNRESET") {
      const refusal = refuse(...whatIsWrong(code));
      socket.end(onTheWire(refusal));
      log.info("request refused", { status: refusal.status, ip: socket.remoteAddress, cause_code: code });
    }
    // `end` alone would wait for a peer that has no intention to close.
    socket.destroySoon();
  });
}

function silentConnectionsOf(server: Server): () => void {
  const silent = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  server.on("request", ({ socket }: IncomingMessage) => silent.delete(socket));
  return () => {
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
  };
}

function whatIsWrong(code: string | undefined): readonly [status: number, detail: string] {
  if (code === "HPE_HEADER_OVERFLOW") return [431, "The headers of the request are too large."];
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return [408, "The request took too long to arrive."];
  return [400, unreadable];
}
