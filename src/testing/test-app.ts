import { once } from "node:events";
import { type IncomingMessage, request as nodeRequest, type Server } from "node:http";
import { Readable } from "node:stream";
import type { ClientInfo } from "../ports/request.ts";
import type { Awaitable } from "../ports/store.ts";

/**
 * An application under test: what answers requests (`app.fetch`, `auth.protect(…)`, a route handler), the address of one that
 * listens, or its server, listening.
 */
export type TestApp =
  | ((request: Request, ...more: never[]) => Awaitable<Response | null>)
  | string
  | URL
  | Server;

/** Sends a request to an application and gives its answer. */
export type Ask = (request: Request, ip: string) => Promise<Response>;

/** What handlers are told of the peer: as `auth.handle` takes it, and as Hono finds it at Node's connection. */
interface Peer extends ClientInfo {
  readonly incoming: { readonly socket: { readonly remoteAddress: string } };
}

/** How to ask an application. @throws TypeError for a server that does not listen yet, or no address of plain HTTP */
export function asking(app: TestApp): Ask {
  if (typeof app === "function") {
    const answer = app as (request: Request, peer: Peer) => Awaitable<Response | null>;
    return async (request, ip) =>
      // Nobody's route; a router's answer to it would be this one.
      (await answer(request, { ip, incoming: { socket: { remoteAddress: ip } } })) ?? notFound();
  }
  const address = typeof app === "string" || app instanceof URL ? new URL(app) : addressOf(app);
  // Another protocol would be asked in plain text all the same, session and all.
  if (address.protocol !== "http:")
    throw new TypeError(`app: plain HTTP alone, and not ${address.origin}; name what listens behind it`);
  return (request) => overTheWire(address, request);
}

function notFound(): Response {
  return new Response("Not Found", { status: 404 });
}

function addressOf(server: Server): URL {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new TypeError("app: this server listens on no port yet; await its `listening`");
  return new URL(`http://127.0.0.1:${address.port}`);
}

// Not `fetch`, which has headers of its own: they would tell an application that this is no browser.
async function overTheWire({ hostname, port }: URL, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer());
  const headers: Record<string, string> = Object.fromEntries(request.headers);
  if (body.length > 0) headers["content-length"] = String(body.length);
  const { method, signal } = request;
  signal.throwIfAborted();
  const host = hostname.replace(/^\[|\]$/g, "");
  const sent = nodeRequest({ host, port, path: pathname + search, method, headers, signal });
  // Once there is an answer, what breaks is told by its body; unheard, it would end the process.
  sent.on("error", () => undefined);
  sent.end(body);
  try {
    const [incoming] = (await once(sent, "response")) as [IncomingMessage];
    return asResponse(incoming, method);
  } catch (cause) {
    request.signal.throwIfAborted();
    throw cause;
  }
}

function asResponse(incoming: IncomingMessage, method: string): Response {
  const { statusCode: status = 500, rawHeaders } = incoming;
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2)
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  const isEmpty = method === "HEAD" || status === 204 || status === 304;
  if (isEmpty) incoming.resume();
  return new Response(isEmpty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>), {
    status,
    headers,
  });
}
