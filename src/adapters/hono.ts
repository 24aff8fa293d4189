import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { AuthError } from "../errors.ts";
import { declaredLength, mediaType } from "../http/body.ts";
import { type ClientIp, clientIp, type PeerSocket, peerOf } from "../http/client-info.ts";
import { assertProtectable, type Guard, type Limiting, type Open } from "../ports/guard.ts";
import type { ClientInfo, RouteRequest } from "../ports/request.ts";
import type { SessionData } from "../ports/session-data.ts";
import type { Visit } from "../ports/visit.ts";
import { assertAuth } from "./assert-auth.ts";

/** What is used of Hono's context, so that Hono itself is no dependency. */
export interface HonoContext {
  readonly req: {
    readonly raw: Request;
    readonly method: string;
    readonly url: string;
    header(name: string): string | undefined;
    parseBody(): Promise<Record<string, unknown>>;
  };
  /** `@hono/node-server` puts Node's request here. */
  readonly env: unknown;
  /** Hono's own `requestId()` puts the id of the request here, as `requestId`. */
  readonly var?: unknown;
}

/** Settings of the adapter. */
export interface HonoOptions {
  /** CIDRs whose `X-Forwarded-For` is believed; `unix` for a proxy that speaks through a Unix socket. Default none. */
  readonly trustedProxies?: readonly string[];
  /** Address of the peer, on platforms other than `@hono/node-server`. */
  readonly remoteAddress?: (context: HonoContext) => string | undefined;
}

/** A handler behind the pipeline. */
export type HonoHandler<C, P> = (
  context: C,
  principal: P,
  session: SessionData,
) => Response | Promise<Response>;

/** Latchkey in a Hono app whose handlers take a `C`. */
export interface HonoAdapter<C extends HonoContext> {
  /** Middleware that answers Latchkey's own routes: `app.use(handle)`. */
  handle(context: HonoContext, next: () => Promise<void>): Promise<Response | undefined>;
  /**
   * Puts the pipeline around a handler: `app.get("/me", protect((c, { user }) => c.json(user)))`. A handler that throws Hono's
   * `HTTPException` is answered with what that says, and logged from 500 on.
   */
  protect(
    handler: HonoHandler<C, Principal>,
    open: Open,
    ...more: readonly (Open | Limiting)[]
  ): (context: C) => Promise<Response>;
  protect(handler: HonoHandler<C, SignedIn>, ...guards: readonly Guard[]): (context: C) => Promise<Response>;
  /** The peer of a context. */
  client(context: HonoContext): ClientInfo;
  /** The request of a context as flows take it: `auth.users.login(input, visit(c))`. */
  visit(context: HonoContext): Visit;
}

/**
 * Latchkey for Hono apps. Hono's own `Context` is named by the caller, since Hono itself is no dependency.
 *
 * ```ts
 * const { handle, protect } = hono<Context>(auth); // import type { Context } from "hono"
 * app.use(handle);
 * app.get("/hello", protect((c, { displayName }) => c.text(`Hello, ${displayName}`)));
 * ```
 */
export function hono<C extends HonoContext = HonoContext>(
  auth: Auth,
  options: HonoOptions = {},
): HonoAdapter<C> {
  assertAuth("hono", auth);
  const ip = clientIp(options.trustedProxies);
  const remoteAddress = options.remoteAddress ?? socketAddress;
  const client = (context: HonoContext): ClientInfo => clientOf(context, ip, remoteAddress);
  return {
    client,
    visit: (context) => ({ request: context.req.raw, client: client(context) }),
    async handle(context, next) {
      const response = await auth.handle(context.req.raw, client(context));
      if (response !== null) return response;
      await next();
      return undefined;
    },
    protect(handler: HonoHandler<C, SignedIn>, ...guards: readonly Guard[]) {
      assertProtectable(handler, guards);
      const bound = auth.protect(
        (request: HonoRequest<C>, principal, session) =>
          orException(auth, () => handler(request.context, principal, session)),
        ...guards,
      );
      return (context: C) => bound(honoRequest(context, auth.config.maxBodyBytes), client(context));
    },
  };
}

/** What a handler answers, or says is to be answered by throwing Hono's `HTTPException`. */
async function orException(auth: Auth, handle: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await handle();
  } catch (thrown) {
    if (!isException(thrown)) throw thrown;
    const answer = thrown.getResponse();
    if (answer.status >= 500) auth.caught(thrown);
    return answer;
  }
}

// By its method, as Hono itself knows it: there may be two copies of it.
function isException(thrown: unknown): thrown is Error & { getResponse(): Response } {
  return thrown instanceof Error && "getResponse" in thrown;
}

interface HonoRequest<C> extends RouteRequest {
  readonly context: C;
}

function honoRequest<C extends HonoContext>(context: C, maxBodyBytes: number): HonoRequest<C> {
  const { req } = context;
  return {
    context,
    method: req.method,
    url: req.url,
    headers: { get: (name) => req.header(name) },
    get of() {
      return req.raw;
    },
    get body() {
      return req.raw.body;
    },
    formField: (name) => formField(req, name, maxBodyBytes),
  };
}

/**
 * A field of the form, through Hono, which keeps what it parsed, so that the handler reads the same form again. Hono reads
 * to the end whatever comes, so a form that declares no size is not read: its token belongs into the header.
 *
 * @throws AuthError `payload_too_large`
 */
async function formField(req: HonoContext["req"], name: string, maxBytes: number): Promise<string | null> {
  const type = mediaType(req.header("content-type"));
  if (type !== "application/x-www-form-urlencoded" && type !== "multipart/form-data") return null;
  const length = declaredLength(req.header("content-length"));
  if (length === null) return null;
  if (length > maxBytes) throw new AuthError("payload_too_large");
  // What cannot be parsed holds no token.
  const fields = await req.parseBody().catch(() => null);
  const value = fields?.[name];
  return typeof value === "string" ? value : null;
}

function clientOf(
  context: HonoContext,
  ip: ClientIp,
  remoteAddress: (context: HonoContext) => string | undefined,
): ClientInfo {
  const address = ip(remoteAddress(context), context.req.header("x-forwarded-for"));
  const { requestId } = (context.var ?? {}) as { requestId?: unknown };
  return typeof requestId === "string" ? { ip: address, requestId } : { ip: address };
}

function socketAddress({ env }: HonoContext): string | undefined {
  const socket = (env as { incoming?: { socket?: PeerSocket } } | undefined)?.incoming?.socket;
  return socket && peerOf(socket);
}
