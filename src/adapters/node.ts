import type { IncomingMessage, ServerResponse } from "node:http";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { isThenable } from "../domain/thenable.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { type ClientIp, clientIp } from "../http/client-info.ts";
import type { SessionChange } from "../ports/change.ts";
import { assertProtectable, type Guard, type Limiting, type Open } from "../ports/guard.ts";
import type { ClientInfo, RouteRequest } from "../ports/request.ts";
import type { SessionData } from "../ports/session-data.ts";
import type { Visit } from "../ports/visit.ts";
import { assertAuth } from "./assert-auth.ts";
import { keepFromCaches } from "./keep-from-caches.ts";
import { AnsweredRequest, NodeClient, NodeRequest } from "./node-request.ts";
import { SealedData, type Sealing } from "./sealed-data.ts";

export { nodeRequest } from "./node-request.ts";

/** Settings of the adapter. */
export interface NodeOptions {
  /**
   * CIDRs whose `X-Forwarded-For` is believed; `unix` for a proxy that speaks through a Unix socket. Default none: the client's address is
   * the socket's.
   */
  readonly trustedProxies?: readonly string[];
}

/** A handler that answers on Node's own response, behind the pipeline. What it returns is waited for, and says nothing else. */
export type NodeHandler<P> = (
  request: IncomingMessage,
  response: ServerResponse,
  principal: P,
  session: SessionData,
) => unknown;

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
 * const hello = protect((req, res, { displayName }) => res.end(`Hello, ${displayName}`));
 * createServer(async (req, res) => (await handle(req, res)) || hello(req, res));
 * ```
 *
 * @throws TypeError for what is no auth, no CIDR; `protect` for a handler or a guard that is none
 */
export function node(auth: Auth, options: NodeOptions = {}): NodeAdapter {
  assertAuth("node", auth);
  const ip = clientIp(options.trustedProxies);
  return {
    visit: (incoming) => ({ request: new NodeRequest(incoming), client: new NodeClient(incoming, ip) }),
    sink: (outgoing) => ({ append: (name, value) => append(outgoing, name, value) }),
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
      assertProtectable(handler, guards);
      // On the way of every check: one promise and one wait, and none for a handler that answers at once.
      return async (incoming, outgoing) => {
        const exchange = new Exchange(auth, incoming, outgoing, ip);
        try {
          const verdict = await auth.check(exchange.request, exchange.client, ...guards);
          const underWay = runHandler(exchange, verdict, handler);
          if (isThenable(underWay)) await underWay;
        } catch (thrown) {
          await afterFailure(exchange, thrown);
        }
      };
    },
  };
}

type Verdict = Awaited<ReturnType<Auth["check"]>>;
type Refused = Extract<Verdict, { ok: false }>;

function runHandler(exchange: Exchange, verdict: Verdict, handler: NodeHandler<SignedIn>): unknown {
  const { incoming, outgoing } = exchange;
  if (verdict.change !== undefined) exchange.seal(verdict.change);
  if (!verdict.ok) return refuse(exchange, verdict);
  if (verdict.principal.isAuthenticated) keepFromCaches(outgoing);
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

/** One request and the answer to it. A class, since its methods cost a check nothing where closures would be made for each. */
class Exchange implements Sealing {
  readonly auth: Auth;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly request: RouteRequest;
  readonly client: ClientInfo;

  constructor(auth: Auth, incoming: IncomingMessage, outgoing: ServerResponse, ip: ClientIp) {
    this.auth = auth;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.request = new AnsweredRequest(incoming, outgoing);
    this.client = new NodeClient(incoming, ip);
  }

  /** For `seal`, which writes its headers here. */
  append(name: string, value: string): void {
    append(this.outgoing, name, value);
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

function append(outgoing: ServerResponse, name: string, value: string): void {
  if (name === "Cache-Control") keepFromCaches(outgoing);
  else outgoing.appendHeader(name, value);
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
