import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { mediaType } from "../http/body.ts";
import { type ClientIp, clientIp } from "../http/client-info.ts";
import type { SessionChange } from "../ports/change.ts";
import type { Guard, Limiting, Open } from "../ports/guard.ts";
import type { ClientInfo, RouteRequest } from "../ports/request.ts";
import type { SessionData } from "../ports/session-data.ts";
import type { Visit } from "../ports/visit.ts";
import { SealedData, type Sealing } from "./sealed-data.ts";

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
  protect(handler: NodeHandler<Principal>, open: Open, ...more: readonly (Open | Limiting)[]): NodeListener;
  protect(handler: NodeHandler<SignedIn>, ...guards: readonly Guard[]): NodeListener;
  /** The request as flows take it: `auth.users.login(input, visit(req))`. */
  visit(request: IncomingMessage): Visit;
  /** The answer as `seal` writes to it, for what a flow gives: `auth.seal(sink(res), change)`. */
  sink(response: ServerResponse): NodeSink;
}

/** Takes headers one by one. */
export interface NodeSink {
  append(name: string, value: string): void;
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
    visit: (incoming) => ({ request: new NodeRequest(incoming), client: new NodeClient(incoming, ip) }),
    sink: (outgoing) => ({ append: (name, value) => void outgoing.appendHeader(name, value) }),
    async handle(incoming, outgoing) {
      const exchange = new Exchange(auth, incoming, outgoing, ip);
      try {
        const response = await auth.handle(exchange.request, exchange.client);
        if (response === null) return false;
        await send(response, exchange);
      } catch (thrown) {
        await afterFailure(exchange, thrown);
      }
      return true;
    },
    protect(handler: NodeHandler<SignedIn>, ...guards: readonly Guard[]): NodeListener {
      // On the way of every check: one promise and one wait, and none for a handler that answers at once.
      return async (incoming, outgoing) => {
        const exchange = new Exchange(auth, incoming, outgoing, ip);
        try {
          const verdict = await auth.check(exchange.request, exchange.client, ...guards);
          const underWay = runHandler(exchange, verdict, handler);
          if (underWay !== undefined) await underWay;
        } catch (thrown) {
          await afterFailure(exchange, thrown);
        }
      };
    },
  };
}

type Verdict = Awaited<ReturnType<Auth["check"]>>;
type Refused = Extract<Verdict, { ok: false }>;

function runHandler(
  exchange: Exchange,
  verdict: Verdict,
  handler: NodeHandler<SignedIn>,
): void | Promise<void> {
  const { incoming, outgoing } = exchange;
  if (verdict.change !== undefined) exchange.seal(verdict.change);
  if (!verdict.ok) return refuse(exchange, verdict);
  if (verdict.principal.isAuthenticated) outgoing.setHeader("Cache-Control", "no-store");
  const session = new SealedData(verdict, exchange);
  // With an open guard the handler is typed for anybody; the overloads see to it.
  return handler(incoming, outgoing, verdict.principal as SignedIn, session);
}

// Never rejects: a failure becomes the answer or, where that has begun, the end of the connection.
async function afterFailure(exchange: Exchange, thrown: unknown): Promise<void> {
  const { auth, outgoing } = exchange;
  try {
    if (!outgoing.headersSent) return await refuse(exchange, auth.caught(thrown));
    auth.caught(tooLate(thrown));
  } catch (again) {
    auth.caught(again);
  }
  if (!outgoing.writableEnded) outgoing.destroy();
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

/** A request of a framework on top of Node, as the pipeline looks at it. */
export interface NodeView {
  readonly view: RouteRequest;
  readonly client: ClientInfo;
}

/**
 * Views for frameworks that answer by themselves.
 *
 * @returns takes a request, its answer, and the fields of the form in its body where the framework has parsed it
 */
export function nodeExchange(
  auth: Auth,
  options: NodeOptions = {},
): (incoming: IncomingMessage, outgoing: ServerResponse, parsed: unknown) => NodeView {
  const ip = clientIp(options.trustedProxies);
  return (incoming, outgoing, parsed) => {
    const { request, client } = new Exchange(auth, incoming, outgoing, ip, parsed);
    return { view: request, client };
  };
}

class NodeRequest implements RouteRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: RouteRequest["headers"];
  protected readonly incoming: IncomingMessage;
  #body: ReadableStream<Uint8Array> | null = null;

  constructor(incoming: IncomingMessage) {
    this.incoming = incoming;
    this.method = incoming.method ?? "GET";
    // Where a router below a prefix has cut the path short, Express and its kin keep the whole of it beside.
    this.url = (incoming as Mounted).originalUrl ?? incoming.url ?? "/";
    this.headers = new NodeHeaders(incoming);
  }

  get of(): object {
    return this.incoming;
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.method === "GET" || this.method === "HEAD") return null;
    if (this.#body === null && this.incoming.readableDidRead) throw bodyIsGone();
    this.#body ??= Readable.toWeb(this.incoming) as ReadableStream<Uint8Array>;
    return this.#body;
  }
}

interface Mounted extends IncomingMessage {
  readonly originalUrl?: string;
  /** What a body parser made of the body. */
  readonly body?: unknown;
}

function isForm(contentType: string | undefined): boolean {
  const type = mediaType(contentType);
  return type === "application/x-www-form-urlencoded" || type === "multipart/form-data";
}

// Somebody's mistake in wiring and not the client's, so it says what to do.
function bodyIsGone(): TypeError {
  return new TypeError(
    "the body was read before Latchkey could: put Latchkey's handle before body parsers (express.json() and the like)",
  );
}

// A request whose answer is known. On a prototype, since a closure for each request would cost every check.
class AnsweredRequest extends NodeRequest {
  readonly #outgoing: ServerResponse;
  readonly #parsed: unknown;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, parsed: unknown) {
    super(incoming);
    this.#outgoing = outgoing;
    this.#parsed = parsed;
  }

  /** A field of the form, where a body parser has read it. */
  formField(name: string): string | null {
    const { headers } = this.incoming;
    // Of a form alone: in JSON the token belongs into the header, as without a parser.
    if (!isForm(headers["content-type"])) return null;
    const fields = this.#parsed ?? (this.incoming as Mounted).body;
    if (typeof fields !== "object" || fields === null || !Object.hasOwn(fields, name)) return null;
    const value = (fields as Readonly<Record<string, unknown>>)[name];
    return typeof value === "string" ? value : null;
  }

  onAnswered(tell: (status: number) => void): void {
    const outgoing = this.#outgoing;
    // Before there were headers nothing was answered: the client went away.
    outgoing.once("close", () => tell(outgoing.headersSent ? outgoing.statusCode : 499));
  }
}

class NodeHeaders {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  get(name: string): string | undefined {
    const { headers } = this.#incoming;
    // Node keeps names in lower case; strategies of an application may ask as the header is written.
    const value = headers[name] ?? headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
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

/** One request and the answer to it. A class, since its methods cost a check nothing where closures would be made for each. */
class Exchange implements Sealing {
  readonly auth: Auth;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly request: RouteRequest;
  readonly client: ClientInfo;

  constructor(
    auth: Auth,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
    ip: ClientIp,
    parsed: unknown = undefined,
  ) {
    this.auth = auth;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.request = new AnsweredRequest(incoming, outgoing, parsed);
    this.client = new NodeClient(incoming, ip);
  }

  /** For `seal`, which writes its headers here. */
  append(name: string, value: string): void {
    this.outgoing.appendHeader(name, value);
  }

  seal(change: SessionChange): void {
    this.auth.seal(this, change);
  }

  isTooLate(): boolean {
    return this.outgoing.headersSent;
  }

  failed(thrown: unknown): void {
    this.auth.caught(thrown);
  }
}

async function refuse(exchange: Exchange, refused: Refused): Promise<void> {
  const { auth, request, client, incoming, outgoing } = exchange;
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
