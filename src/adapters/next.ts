import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { type ClientIp, clientIp } from "../http/client-info.ts";
import type { SessionChange } from "../ports/change.ts";
import type { Guard, Limiting, Open } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { SessionData } from "../ports/session-data.ts";
import type { Visit } from "../ports/visit.ts";
import { jarSink, type NextCookieJar, putIntoJar } from "./next-cookies.ts";
import { notedPeer } from "./next-peers.ts";
import { guardsByPath } from "./next-proxy.ts";
import {
  actionRequest,
  type NextHeaders,
  type PageParts,
  type PageRequest,
  pageRequest,
  proxiedRequest,
  tokenOf,
} from "./next-request.ts";
import { SealedData } from "./sealed-data.ts";

export type { NextCookie, NextCookieJar } from "./next-cookies.ts";
export { register } from "./next-peers.ts";
export type { NextHeaders } from "./next-request.ts";

/** What is used of Next, handed in so that Next itself is no dependency. */
export interface NextParts {
  /** Of `next/headers`. */
  readonly headers: () => Promise<NextHeaders>;
  /** Of `next/headers`. */
  readonly cookies: () => Promise<NextCookieJar>;
  /** Of `next/navigation`. */
  readonly redirect: (path: string) => never;
  /** Of `next/server`. */
  readonly NextResponse: { next(): Response };
}

/** Settings of the adapter. */
export interface NextOptions {
  /** CIDRs whose `X-Forwarded-For` is believed, once the peer's own address is known. Default none. */
  readonly trustedProxies?: readonly string[];
  /** Address of the peer, where the platform says it in a header that clients cannot write. Default: what `register` noted. */
  readonly remoteAddress?: (headers: NextHeaders) => string | undefined;
  /** `basePath` of `next.config`: Next puts it before each redirect of its own accord. Default "". */
  readonly basePath?: string;
}

/** A route handler behind the pipeline; `context` is what Next hands on beside the request: `{ params }`. */
export type NextHandler<Q, C, P> = (
  request: Q,
  context: C,
  principal: P,
  session: SessionData,
) => Response | Promise<Response>;

/** What `route.ts` exports under a method's name. */
export type NextRoute<Q, C> = (request: Q, context: C) => Promise<Response>;

/** A request as Next's proxy gets it. */
export interface NextProxyRequest extends Request {
  /** Without the application's `basePath`. */
  readonly nextUrl: { readonly pathname: string };
}

type Method = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** Latchkey in a Next app. */
export interface NextAdapter {
  /**
   * Answer Latchkey's own routes, from `app/api/v1/[...latchkey]/route.ts`:
   * `export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = handlers`.
   */
  readonly handlers: Readonly<Record<Method, (request: Request) => Promise<Response>>>;
  /** Puts the pipeline around a route handler: `export const GET = protect((request, { params }, { user }) => Response.json(user))`. */
  protect<Q extends Request, C>(
    handler: NextHandler<Q, C, Principal>,
    open: Open,
    ...more: readonly (Open | Limiting)[]
  ): NextRoute<Q, C>;
  protect<Q extends Request, C>(
    handler: NextHandler<Q, C, SignedIn>,
    ...guards: readonly Guard[]
  ): NextRoute<Q, C>;
  /**
   * Puts the pipeline around a Server Action, the CSRF check included; a form that is to work without scripts has a hidden field
   * `_token` with {@link NextAdapter.csrfToken}. Who is not signed in is sent to the sign-in page.
   *
   * @returns throws the AuthError of any other refusal, for the nearest `error.tsx`
   */
  action<A extends readonly unknown[], T>(
    handler: (principal: Principal, ...input: A) => T | Promise<T>,
    open: Open,
    ...more: readonly (Open | Limiting)[]
  ): (...input: A) => Promise<T>;
  action<A extends readonly unknown[], T>(
    handler: (principal: SignedIn, ...input: A) => T | Promise<T>,
    ...guards: readonly Guard[]
  ): (...input: A) => Promise<T>;
  /**
   * Who is signed in, in a page, a layout or an action. Others are sent to the sign-in page, without the way back: Next tells a page no
   * path. Guards that look at the path see `/`.
   *
   * @throws AuthError where a guard refuses; `store_unavailable`
   */
  current(...guards: readonly Guard[]): Promise<SignedIn>;
  /** Who a page's request is from, or nobody. @throws AuthError of a bad proof, `store_unavailable` */
  principal(): Promise<Principal>;
  /** The data bag of the session. A visitor's first `set` has to come in an action or a route handler: a page writes no cookies. */
  session(): Promise<SessionData>;
  /** The CSRF token of the visitor's session, for a hidden field `_token`; null where there is none. */
  csrfToken(): Promise<string | null>;
  /**
   * For `proxy.ts`: asks the guards of the longest path that a request's lies at or below, and sends pages to where a refusal can be made
   * good. Paths that none covers go on unasked. It is the doorman, not the lock: pages and actions ask `current` for themselves.
   */
  proxy(
    pages: Readonly<Record<string, readonly Guard[]>>,
  ): (request: NextProxyRequest) => Promise<Response | undefined>;
  /** The request as flows take it: that of a route handler or, without an argument, that of an action. */
  visit(request?: Request): Promise<Visit>;
  /** Writes what a flow says of cookies, in an action: `await seal(change)`. A route handler has `auth.seal(response, change)`. */
  seal(change: SessionChange): Promise<void>;
}

type Verdict = Awaited<ReturnType<Auth["check"]>>;
type Refused = Extract<Verdict, { ok: false }>;

/**
 * Latchkey for Next 16 (App Router, Node.js runtime).
 *
 * ```ts
 * export const { handlers, protect, current, proxy } = next(auth, { headers, cookies, redirect, NextResponse });
 * export const GET = protect((_request, _context, { displayName }) => new Response(`Hello, ${displayName}`));
 * ```
 *
 * What Next throws for itself (`redirect()`, `notFound()`) passes through, with the cookies of the session.
 */
export function next(auth: Auth, parts: NextParts, options: NextOptions = {}): NextAdapter {
  const { config } = auth;
  const client = clients(options);
  const verdicts = new WeakMap<NextHeaders, Promise<Verdict>>();

  const page = async (): Promise<PageParts> => {
    // First and outside of any `try`: at build time Next stops here, and learns that the page is made for each request.
    const headers = await parts.headers();
    return { headers, jar: await parts.cookies(), cookieName: config.cookie.name };
  };
  const check = (request: PageRequest, { headers }: PageParts, guards: readonly Guard[]) =>
    auth.check(request, client(headers), ...guards);

  /** Who it is, asked once for all that is rendered of a page. An action changes things: it asks anew. */
  const look = (here: PageParts): Promise<Verdict> => {
    const request = pageRequest(here);
    if (request.method === "POST") return check(request, here, [open]);
    const known = verdicts.get(here.headers) ?? check(request, here, [open]);
    verdicts.set(here.headers, known);
    return known;
  };
  const refuse = (refused: Refused): never => {
    const place = placeFor(auth, refused);
    if (place === null) throw refused.error;
    return parts.redirect(withoutPrefix(place, options.basePath ?? ""));
  };

  const adapter: NextAdapter = {
    handlers: forEachMethod(async (request) => {
      const peer = client(await parts.headers());
      return (await auth.handle(unread(request), peer)) ?? notOurs(auth, peer);
    }),
    protect: <Q extends Request, C>(
      handler: NextHandler<Q, C, SignedIn>,
      ...guards: readonly Guard[]
    ): NextRoute<Q, C> => {
      return async (request, context) => {
        const peer = client(await parts.headers());
        let ofNext: unknown;
        const bound = auth.protect<Q>(
          async (_request, principal, session) => {
            try {
              return await handler(request, context, principal, session);
            } catch (thrown) {
              if (!isOfNext(thrown)) throw thrown;
              ofNext = thrown;
              return new Response(null);
            }
          },
          ...guards,
        );
        const response = await bound(request, peer);
        if (ofNext === undefined) return response;
        // Next makes an answer of its own, which has the cookies of its jar alone.
        const jar = await parts.cookies();
        for (const line of response.headers.getSetCookie()) putIntoJar(jar, line);
        throw ofNext;
      };
    },
    action: <A extends readonly unknown[], T>(
      handler: (principal: SignedIn, ...input: A) => T | Promise<T>,
      ...guards: readonly Guard[]
    ) => {
      return async (...input: A): Promise<T> => {
        const here = await page();
        const verdict = await check(actionRequest(here, input), here, guards);
        if (verdict.change !== undefined) auth.seal(jarSink(here.jar), verdict.change);
        if (!verdict.ok) return refuse(verdict);
        return handler(verdict.principal as SignedIn, ...input);
      };
    },
    async current(...guards) {
      const here = await page();
      const verdict = await (guards.length === 0 ? look(here) : check(pageRequest(here), here, guards));
      if (!verdict.ok) return refuse(verdict);
      if (verdict.principal.isAuthenticated) return verdict.principal;
      return refuse({ ok: false, error: new AuthError("not_authenticated") });
    },
    async principal() {
      const verdict = await look(await page());
      return verdict.ok ? verdict.principal : refuse(verdict);
    },
    async session() {
      const here = await page();
      const verdict = await look(here);
      if (!verdict.ok) return refuse(verdict);
      return new SealedData(verdict, {
        seal: (change) => void auth.seal(jarSink(here.jar), change),
        isTooLate: () => pageRequest(here).method === "GET",
        failed: (thrown) => void auth.caught(asAuthError(thrown)),
      });
    },
    csrfToken: async () => tokenOf(await page()),
    proxy(pages) {
      const guardsOf = guardsByPath(pages);
      return async (request) => {
        const guards = guardsOf(request.nextUrl.pathname);
        if (guards === null) return undefined;
        const goOn = auth.protect<AuthRequest>(() => parts.NextResponse.next(), ...guards);
        const answer = await goOn(proxiedRequest(request, config.cookie.name), client(request.headers));
        return withWholeAddress(answer, config.origin);
      };
    },
    async visit(request) {
      if (request !== undefined) return { request, client: client(await parts.headers()) };
      const here = await page();
      return { request: pageRequest(here), client: client(here.headers) };
    },
    async seal(change) {
      auth.seal(jarSink(await parts.cookies()), change);
    },
  };
  return adapter;
}

/** Asks nothing of anybody: what is asked is who it is. */
const open: Open = {
  name: "anyone",
  asksAnonymous: true,
  decide: () => ({ allow: true, because: "open to anyone" }),
};

function clients({ trustedProxies, remoteAddress = notedPeer }: NextOptions) {
  const ip: ClientIp = clientIp(trustedProxies);
  return (headers: NextHeaders): ClientInfo => ({
    ip: ip(remoteAddress(headers), headers.get("x-forwarded-for")),
  });
}

function forEachMethod(handler: (request: Request) => Promise<Response>): NextAdapter["handlers"] {
  return {
    GET: handler,
    HEAD: handler,
    POST: handler,
    PUT: handler,
    PATCH: handler,
    DELETE: handler,
    OPTIONS: handler,
  };
}

// Somebody's mistake in wiring and not the client's, so it says what to do.
function unread(request: Request): Request {
  if (!request.bodyUsed) return request;
  return new Proxy(request, {
    get(target, key) {
      if (key === "body")
        throw new TypeError(
          "the body was read before Latchkey could: hand the request on before body parsers (request.json() and the like)",
        );
      return Reflect.get(target, key, target);
    },
  });
}

function notOurs(auth: Auth, client: ClientInfo): Response {
  const { status, headers, body } = auth.errorAnswer(
    { ok: false, error: new AuthError("not_found") },
    client,
  );
  return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
}

// `redirect()`, `notFound()` and what it stops a build with are told by their digest.
function isOfNext(thrown: unknown): boolean {
  return thrown instanceof Error && "digest" in thrown && typeof thrown.digest === "string";
}

function placeFor({ config }: Auth, { error, redirect }: Refused): string | null {
  if (redirect !== undefined) return redirect;
  if (error.status === 401) return config.loginPath;
  return error.code === "password_change_required" ? config.passwordPath : null;
}

function withoutPrefix(path: string, prefix: string): string {
  return prefix !== "" && path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
}

// Next wants the whole of it from a proxy; which host a request claims to be for decides nothing.
function withWholeAddress(answer: Response, origin: string): Response {
  const location = answer.headers.get("location");
  if (location === null) return answer;
  const moved = new Response(answer.body, answer);
  moved.headers.set("location", new URL(location, origin).href);
  return moved;
}
