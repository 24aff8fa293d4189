import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { type ClientIp, clientIp } from "../http/client-info.ts";
import { withRequestId } from "../http/event-origin.ts";
import type { SessionChange } from "../ports/change.ts";
import type { Guard, Open } from "../ports/guard.ts";
import type { ClientInfo, RouteRequest } from "../ports/request.ts";
import type { SessionData } from "../ports/session-data.ts";

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

/** Latchkey on `node:http`. */
export interface NodeAdapter {
  /** Answers Latchkey's own routes; false where the request is none of them. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** Puts the pipeline around a handler. Builds neither `Request` nor `Response`. */
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
  return {
    async handle(incoming, outgoing) {
      const request = nodeRequest(incoming);
      const response = await auth.handle(request, clientOf(incoming, ip));
      if (response === null) return false;
      await send(response, incoming, outgoing);
      return true;
    },
    protect(handler: NodeHandler<SignedIn>, ...guards: readonly Guard[]): NodeListener {
      return async (incoming, outgoing) => {
        const exchange = {
          request: nodeRequest(incoming),
          client: clientOf(incoming, ip),
          incoming,
          outgoing,
        };
        const verdict = await auth.check(exchange.request, exchange.client, ...guards);
        if (verdict.change !== undefined) auth.seal(sink(outgoing), verdict.change);
        if (!verdict.ok) return refuse(auth, verdict, exchange);
        if (verdict.principal.isAuthenticated) outgoing.setHeader("Cache-Control", "no-store");
        try {
          const session = new SealedData(verdict.session, (change) => auth.seal(sink(outgoing), change));
          // With an open guard the handler is typed for anybody; the overloads see to it.
          await handler(incoming, outgoing, verdict.principal as SignedIn, session);
        } catch (thrown) {
          const refused = auth.caught(thrown);
          if (outgoing.headersSent) throw thrown;
          await refuse(auth, refused, exchange);
        }
      };
    },
  };
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

function clientOf({ socket, headers }: IncomingMessage, ip: ClientIp): ClientInfo {
  const forwarded = headers["x-forwarded-for"];
  // One id for the event and the problem document of a refusal.
  return withRequestId({
    ip: ip(socket.remoteAddress, Array.isArray(forwarded) ? forwarded.join(", ") : forwarded),
  });
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
  { request, client, incoming, outgoing }: Exchange,
): Promise<void> {
  const own = refused.redirect === undefined ? await auth.onError?.(refused.error, request) : null;
  if (own) return send(own, incoming, outgoing);
  const { status, headers, body } = auth.errorAnswer(refused, client);
  outgoing.statusCode = status;
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  closeUnread(incoming, outgoing);
  outgoing.end(body);
}

/** The data bag of a handler that writes its own headers: a session created by `set` is sealed as soon as it is there. */
class SealedData implements SessionData {
  readonly #data: SessionData;
  readonly #seal: (change: SessionChange) => void;
  #sealed: SessionChange | null = null;

  constructor(data: SessionData, seal: (change: SessionChange) => void) {
    this.#data = data;
    this.#seal = seal;
  }

  get id(): string | null {
    return this.#data.id;
  }

  get change(): SessionChange | null {
    return this.#data.change;
  }

  get(key: string): unknown {
    return this.#data.get(key);
  }

  set(key: string, value: unknown): Promise<void> {
    return this.#sealAfter(this.#data.set(key, value));
  }

  delete(key: string): Promise<void> {
    return this.#sealAfter(this.#data.delete(key));
  }

  clear(): Promise<void> {
    return this.#sealAfter(this.#data.clear());
  }

  async #sealAfter(write: Promise<void>): Promise<void> {
    await write;
    const { change } = this.#data;
    if (change === null || change === this.#sealed) return;
    this.#sealed = change;
    this.#seal(change);
  }
}

async function send(response: Response, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") outgoing.setHeader(name, value);
  }
  for (const cookie of response.headers.getSetCookie()) outgoing.appendHeader("Set-Cookie", cookie);
  closeUnread(incoming, outgoing);
  outgoing.end(incoming.method === "HEAD" ? undefined : Buffer.from(await response.arrayBuffer()));
}

// What was not read of the body would otherwise be taken for the next request on this connection.
function closeUnread(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (!incoming.complete) outgoing.setHeader("Connection", "close");
}
