import type { Auth } from "../auth.ts";
import type { SignedIn } from "../domain/principal.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { type ClientIp, clientIp } from "../http/client-info.ts";
import { assertProtectable, type Guard, type Open } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import { assertAuth } from "./assert-auth.ts";
import type { NextAdapter, NextHandler, NextOptions, NextParts, NextRoute } from "./next-adapter.ts";
import { jarSink, putIntoJar } from "./next-cookies.ts";
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

export type {
  NextAdapter,
  NextHandler,
  NextMethod,
  NextOptions,
  NextParts,
  NextProxyRequest,
  NextRoute,
} from "./next-adapter.ts";
export type { NextCookie, NextCookieJar } from "./next-cookies.ts";
export { register } from "./next-peers.ts";
export type { NextHeaders } from "./next-request.ts";

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
  assertAuth("next", auth);
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
      assertProtectable(handler, guards);
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
