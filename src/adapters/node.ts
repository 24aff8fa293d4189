import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { type ClientIp, clientIp } from "../http/client-info.ts";
import type { Guard, Open } from "../ports/guard.ts";
import type { ClientInfo, RouteRequest } from "../ports/request.ts";
import type { SessionData } from "../ports/session-data.ts";
import { SealedData } from "./sealed-data.ts";

/** Settings of the adapter. */
export interface NodeOptions {
  /** CIDRs whose `X-Forwarded-For` is believed. Default none: the client's address is the socket's. */
  readonly trustedProxies?: readonly string[];
}

/** A handler that answers on Node's own response, behind the pipeline. */
export type NodeHandler<P> = (
  request: IncomingMessage,
  response: ServerResponse,
  principal: P,
  session: SessionData,
) => void | Promise<void>;

/** Latchkey on `node:http`. Nothing of it rejects: an `http.Server` has nobody to catch that, and the process would end. */
export interface NodeAdapter {
  /** Answers Latchkey's own routes; false where the request is none of them. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /**
   * Puts the pipeline around a handler. Builds neither `Request` nor `Response`. Where a handler fails after its headers
   * were sent, the connection is ended, so that nobody takes half an answer for the whole.
   */
  protect(handler: NodeHandler<Principal>, open: Open): NodeListener;
  protect(handler: NodeHandler<SignedIn>, ...guards: readonly Guard[]): NodeListener;
}

/** What `http.createServer` takes. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Latchkey for `node:http` servers.
 *
 * ```ts
 * const { handle, protect } = node(auth);
 * const hello = protect((req, res, { displayName }) => void res.end(`Hello, ${displayName}`));
 * createServer(async (req, res) => (await handle(req, res)) || hello(req, res));
 * ```
 */
export function node(auth: Auth, options: NodeOptions = {}): NodeAdapter {
  const ip = clientIp(options.trustedProxies);
  const exchangeOf = (incoming: IncomingMessage, outgoing: ServerResponse): Exchange => ({
    request: nodeRequest(incoming),
    client: new NodeClient(incoming, ip),
    incoming,
    outgoing,
  });
  return {
    async handle(incoming, outgoing) {
      const exchange = exchangeOf(incoming, outgoing);
      let isOurs = true;
      await answering(auth, exchange, async () => {
        const response = await auth.handle(exchange.request, exchange.client);
        isOurs = response !== null;
        if (response !== null) await send(response, exchange);
      });
      return isOurs;
    },
    protect(handler: NodeHandler<SignedIn>, ...guards: readonly Guard[]): NodeListener {
      return (incoming, outgoing) => {
        const exchange = exchangeOf(incoming, outgoing);
        return answering(auth, exchange, () => runHandler(auth, exchange, handler, guards));
      };
    },
  };
}

async function runHandler(
  auth: Auth,
  exchange: Exchange,
  handler: NodeHandler<SignedIn>,
  guards: readonly Guard[],
): Promise<void> {
  const { request, client, incoming, outgoing } = exchange;
  const verdict = await auth.check(request, client, ...guards);
  if (verdict.change !== undefined) auth.seal(sink(outgoing), verdict.change);
  if (!verdict.ok) return refuse(auth, verdict, exchange);
  if (verdict.principal.isAuthenticated) outgoing.setHeader("Cache-Control", "no-store");
  const session = new SealedData(() => verdict.session, {
    seal: (change) => auth.seal(sink(outgoing), change),
    isTooLate: () => outgoing.headersSent,
    failed: (thrown) => auth.caught(thrown),
  });
  // With an open guard the handler is typed for anybody; the overloads see to it.
  await handler(incoming, outgoing, verdict.principal as SignedIn, session);
}

// Never rejects: a failure becomes the answer or, where that has begun, the end of the connection.
async function answering(auth: Auth, exchange: Exchange, work: () => Promise<void>): Promise<void> {
  const { outgoing } = exchange;
  try {
    await work();
  } catch (thrown) {
    try {
      if (!outgoing.headersSent) return await refuse(auth, auth.caught(thrown), exchange);
      auth.caught(tooLate(thrown));
    } catch (again) {
      auth.caught(again);
    }
    if (!outgoing.writableEnded) outgoing.destroy();
  }
}

// A refusal that can no longer be told is a failure that somebody should hear of.
function tooLate(thrown: unknown): AuthError {
  const error = asAuthError(thrown);
  if (error.status >= 500) return error;
  return new AuthError("internal_error", { diagnosis: "refused after its headers were sent", cause: error });
}

/** The narrow view of an `IncomingMessage`; its body is opened only when somebody reads it. */
export function nodeRequest(incoming: IncomingMessage): RouteRequest {
  return new NodeRequest(incoming);
}

class NodeRequest implements RouteRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: RouteRequest["headers"];
  readonly #incoming: IncomingMessage;
  #body: ReadableStream<Uint8Array> | null = null;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
    this.method = incoming.method ?? "GET";
    this.url = incoming.url ?? "/";
    this.headers = {
      get: (name) => {
        // Node keeps names in lower case; strategies of an application may ask as the header is written.
        const value = incoming.headers[name] ?? incoming.headers[name.toLowerCase()];
        return Array.isArray(value) ? value.join(", ") : value;
      },
    };
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.method === "GET" || this.method === "HEAD") return null;
    this.#body ??= Readable.toWeb(this.#incoming) as ReadableStream<Uint8Array>;
    return this.#body;
  }
}

// Read when somebody asks: a check that lets somebody on needs neither address nor id.
class NodeClient implements Required<ClientInfo> {
  readonly #incoming: IncomingMessage;
  readonly #ip: ClientIp;
  #requestId: string | null = null;

  constructor(incoming: IncomingMessage, ip: ClientIp) {
    this.#incoming = incoming;
    this.#ip = ip;
  }

  get ip(): string | null {
    const { socket, headers } = this.#incoming;
    const forwarded = headers["x-forwarded-for"];
    return this.#ip(socket.remoteAddress, Array.isArray(forwarded) ? forwarded.join(", ") : forwarded);
  }

  /** One for the event and the problem document of a refusal. */
  get requestId(): string {
    this.#requestId ??= randomUUID();
    return this.#requestId;
  }
}

function sink(outgoing: ServerResponse) {
  return { append: (name: string, value: string) => void outgoing.appendHeader(name, value) };
}

/** One request and the answer to it. */
interface Exchange {
  readonly request: RouteRequest;
  readonly client: ClientInfo;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

async function refuse(
  auth: Auth,
  refused: Parameters<Auth["errorAnswer"]>[0],
  exchange: Exchange,
): Promise<void> {
  const { request, client, incoming, outgoing } = exchange;
  const own = refused.redirect === undefined ? await auth.onError?.(refused.error, request) : null;
  if (own) return send(own, exchange);
  const { status, headers, body } = auth.errorAnswer(refused, client);
  outgoing.statusCode = status;
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  closeUnread(incoming, outgoing);
  outgoing.end(body);
}

async function send(response: Response, { incoming, outgoing }: Exchange): Promise<void> {
  // Read before anything is written: where that fails, there is still another answer to give.
  const body = incoming.method === "HEAD" ? undefined : Buffer.from(await response.arrayBuffer());
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  for (const cookie of response.headers.getSetCookie()) outgoing.appendHeader("Set-Cookie", cookie);
  closeUnread(incoming, outgoing);
  outgoing.end(body);
}

// What was not read of the body would otherwise be taken for the next request on this connection.
function closeUnread(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (!incoming.complete) outgoing.setHeader("Connection", "close");
}
