import type { IncomingMessage, ServerResponse } from "node:http";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import type { Guard, Limiting, Open } from "../ports/guard.ts";
import type { SessionData } from "../ports/session-data.ts";
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

/** Latchkey in an Express app. */
export interface ExpressAdapter {
  /** Answers Latchkey's own routes: `app.use(handle)`, before any body parser. */
  readonly handle: ExpressMiddleware;
  /** Puts the pipeline around a handler: `app.get("/me", protect((req, res, { user }) => res.json(user)))`. */
  protect<Q extends IncomingMessage, S extends ServerResponse>(
    handler: ExpressHandler<Q, S, Principal>,
    open: Open,
    ...more: readonly (Open | Limiting)[]
  ): (request: Q, response: S, next: ExpressNext) => Promise<void>;
  protect<Q extends IncomingMessage, S extends ServerResponse>(
    handler: ExpressHandler<Q, S, SignedIn>,
    ...guards: readonly Guard[]
  ): (request: Q, response: S, next: ExpressNext) => Promise<void>;
  /** The same as middleware, for routers and chains: `app.use("/admin", required(role("admin")))`. */
  required(...guards: readonly Guard[]): ExpressMiddleware;
  /** Who is signed in, behind `required`. @throws TypeError on a route that lets others on */
  current(request: IncomingMessage): SignedIn;
  /** Who a request is from, behind `required` with or without an open guard. @throws TypeError on a route without it */
  principal(request: IncomingMessage): Principal;
  /** The data bag of the session, behind `required`. @throws TypeError on a route without it */
  session(request: IncomingMessage): SessionData;
}

/**
 * Latchkey for Express 5.
 *
 * ```ts
 * const { handle, protect } = express(auth);
 * app.use(handle);
 * app.get("/hello", protect((req, res, { displayName }) => res.send(`Hello, ${displayName}`)));
 * ```
 *
 * What a handler throws goes to Express's error handlers where it is no refusal of Latchkey's.
 */
export function express(auth: Auth, options: NodeOptions = {}): ExpressAdapter {
  const inner = node(auth, options);
  const passed = passing<IncomingMessage>();
  const required =
    (...guards: readonly Guard[]): ExpressMiddleware =>
    (request, response, next) =>
      inner.protect(
        (_request, _response, principal: Principal, session) => {
          passed.note(request, { principal, session });
          // Not waited for: what comes after has error handlers of its own, and Express calls them.
          next();
        },
        ...(guards as readonly [Open]),
      )(request, response);
  return {
    async handle(request, response, next) {
      if (!(await inner.handle(request, response))) next();
    },
    protect: <Q extends IncomingMessage, S extends ServerResponse>(
      handler: ExpressHandler<Q, S, SignedIn>,
      ...guards: readonly Guard[]
    ) => {
      const bound = handler as unknown as NodeHandler<SignedIn>;
      const listener = inner.protect(async (...given) => void (await bound(...given)), ...guards);
      return (request: Q, response: S) => listener(request, response);
    },
    required,
    current: passed.current,
    principal: (request) => passed.of(request).principal,
    session: (request) => passed.of(request).session,
  };
}
