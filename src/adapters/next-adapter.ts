import type { Principal, SignedIn } from "../domain/principal.ts";
import type { SessionChange } from "../ports/change.ts";
import type { Guard, Limiting, Open } from "../ports/guard.ts";
import type { SessionData } from "../ports/session-data.ts";
import type { Visit } from "../ports/visit.ts";
import type { NextCookieJar } from "./next-cookies.ts";
import type { NextHeaders } from "./next-request.ts";

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
  /**
   * CIDRs whose `X-Forwarded-For` is believed, once the peer's own address is known; `unix` for a proxy that speaks through a Unix socket.
   * Default none.
   */
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

/** The methods that a `route.ts` can export. */
export type NextMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";

/** Latchkey in a Next app. */
export interface NextAdapter {
  /**
   * Answer Latchkey's own routes, from `app/api/v1/[...latchkey]/route.ts`:
   * `export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = handlers`.
   */
  readonly handlers: Readonly<Record<NextMethod, (request: Request) => Promise<Response>>>;
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
