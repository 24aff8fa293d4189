import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { mediaType } from "../http/body.ts";
import { type ClientIp, peerOf } from "../http/client-info.ts";
import type { ClientInfo, RouteRequest } from "../ports/request.ts";

/** The narrow view of an `IncomingMessage`; its body is opened only when somebody reads it. */
export function nodeRequest(incoming: IncomingMessage): RouteRequest {
  return new NodeRequest(incoming);
}

/** A request of Node as the pipeline looks at it; its body is opened only when somebody reads it. */
export class NodeRequest implements RouteRequest {
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

/** A request whose answer is known. On a prototype, since a closure for each request would cost every check. */
export class AnsweredRequest extends NodeRequest {
  readonly #outgoing: ServerResponse;
  readonly #parsed: unknown;

  /** @param parsed - the body, where the framework keeps what it has parsed apart from the request */
  constructor(incoming: IncomingMessage, outgoing: ServerResponse, parsed: unknown = undefined) {
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

/** Read when somebody asks: a check that lets somebody on needs neither address nor id. */
export class NodeClient implements Required<ClientInfo> {
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
    return this.#ip(peerOf(socket), Array.isArray(forwarded) ? forwarded.join(", ") : forwarded);
  }

  /** One for the event and the problem document of a refusal. */
  get requestId(): string {
    this.#requestId ??= randomUUID();
    return this.#requestId;
  }
}
