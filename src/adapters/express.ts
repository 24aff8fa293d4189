import type { IncomingMessage, ServerResponse } from "node:http";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { assertGuards, type Guard, type Limiting, type Open } from "../ports/guard.ts";
import type { SessionData } from "../ports/session-data.ts";
import type { Visit } from "../ports/visit.ts";
import { assertAuth } from "./assert-auth.ts";
import { type NodeHandler, type NodeOptions, node } from "./node.ts";
import { passing } from "./passed.ts";

/** What Express hands on; `next` as far as it is used. */
export type ExpressNext = (error?: unknown) => void;

/** Express middleware, as far as Latchkey writes some; Connect and its kin take the same. */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: ExpressNext,
) => Promise<void>;

/** A handler behind the pipeline, with the types of one's own Express. */
export type ExpressHandler<Q, S, P> = (
  request: Q,
  response: S,
  principal: P,
  session: SessionData,
) => unknown;

/** Latchkey in an Express app whose handlers take a `Q` and an `S`. */
export interface ExpressAdapter<
  Q extends IncomingMessage = IncomingMessage,
  S extends ServerResponse = ServerResponse,
> {
  /** Answers Latchkey's own routes: `app.use(handle)`, before any body parser. */
  readonly handle: ExpressMiddleware;
  /** Puts the pipeline around a handler: `app.get("/me", protect((req, res, { user }) => res.json(user)))`. */
  protect<R extends Q, T extends S>(
    handler: ExpressHandler<R, T, Principal>,
    open: Open,
    ...more: readonly (Open | Limiting)[]
  ): (request: R, response: T, next: ExpressNext) => Promise<void>;
  protect<R extends Q, T extends S>(
    handler: ExpressHandler<R, T, SignedIn>,
    ...guards: readonly Guard[]
  ): (request: R, response: T, next: ExpressNext) => Promise<void>;
  /** The same as middleware, for routers and chains: `app.use("/admin", required(role("admin")))`. */
  required(...guards: readonly Guard[]): ExpressMiddleware;
  /** Who is signed in, behind `required`. @throws TypeError on a route that lets others on */
  current(request: IncomingMessage): SignedIn;
  /** Who a request is from, behind `required` with or without an open guard. @throws TypeError on a route without it */
  principal(request: IncomingMessage): Principal;
  /** The data bag of the session, behind `required`. @throws TypeError on a route without it */
  session(request: IncomingMessage): SessionData;
  /** The request as flows take it: `auth.users.login(input, visit(req))`. On any route. */
  visit(request: IncomingMessage): Visit;
}

/**
 * Latchkey for Express 5. Express's own `Request` and `Response` are named by the caller, since Express itself is no dependency.
 *
 * ```ts
 * import createApp, { type Request, type Response } from "express";
 *
 * const app = createApp();
 * const { handle, protect } = express<Request, Response>(auth);
 * app.use(handle);
 * app.get("/hello", protect((_req, res, { displayName }) => res.end(`Hello, ${displayName}`)));
 * ```
 *
 * What a handler behind `protect` throws is answered with a problem document, and logged; what comes after `required` is Express's own,
 * its error handlers included.
 */
export function express<
  Q extends IncomingMessage = IncomingMessage,
  S extends ServerResponse = ServerResponse,
>(auth: Auth, options: NodeOptions = {}): ExpressAdapter<Q, S> {
  assertAuth("express", auth);
  const inner = node(auth, options);
  const passed = passing<IncomingMessage>();
  const required = (...guards: readonly Guard[]): ExpressMiddleware => {
    assertGuards("required", guards);
    return (request, response, next) =>
      inner.protect(
        (_request, _response, principal: Principal, session) => {
          passed.note(request, { principal, session });
          // Not waited for: what comes after has error handlers of its own, and Express calls them.
          next();
        },
        ...(guards as readonly [Open]),
      )(request, response);
  };
  return {
    async handle(request, response, next) {
      if (!(await inner.handle(request, response))) next();
    },
    protect: <R extends Q, T extends S>(
      handler: ExpressHandler<R, T, SignedIn>,
      ...guards: readonly Guard[]
    ) => {
      const bound = handler as unknown as NodeHandler<SignedIn>;
      const listener = inner.protect(bound, ...guards);
      return (request: R, response: T) => listener(request, response);
    },
    required,
    current: passed.current,
    principal: (request) => passed.of(request).principal,
    session: (request) => passed.of(request).session,
    visit: inner.visit,
  };
}
