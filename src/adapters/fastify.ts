import type { IncomingMessage, ServerResponse } from "node:http";
import type { Auth } from "../auth.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { asAuthError } from "../errors.ts";
import { clientIp } from "../http/client-info.ts";
import { assertGuards, type Guard } from "../ports/guard.ts";
import type { SessionData } from "../ports/session-data.ts";
import type { Visit } from "../ports/visit.ts";
import { assertAuth } from "./assert-auth.ts";
import { staysUnkept } from "./keep-from-caches.ts";
import { type NodeOptions, node } from "./node.ts";
import { AnsweredRequest, NodeClient } from "./node-request.ts";
import { passing } from "./passed.ts";
import { SealedData } from "./sealed-data.ts";

/** What is used of Fastify's request, so that Fastify itself is no dependency. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  /** Parsed, once Fastify has done so. */
  readonly body?: unknown;
}

/** What is used of Fastify's reply. */
export interface FastifyReplyLike {
  readonly raw: ServerResponse;
  readonly sent: boolean;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  send(payload?: unknown): unknown;
  hijack(): unknown;
}

/** Takes headers for a reply, several of one name too: what `seal` writes cookies to. */
export interface FastifySink {
  append(name: string, value: string): void;
}

/** A hook of Fastify: `onRequest`, `preValidation` or `preHandler`. */
export type FastifyHook = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<void>;

/** Latchkey in a Fastify app. */
export interface FastifyAdapter {
  /** Answers Latchkey's own routes, before Fastify parses a body: `app.addHook("onRequest", handle)`. */
  readonly handle: FastifyHook;
  /**
   * Lets on whom the guards allow: `app.get("/me", { preHandler: required() }, …)`. As `preHandler` it also finds a CSRF token in a
   * form that a plugin of Fastify has parsed; as `onRequest` it refuses before a body is read.
   */
  required(...guards: readonly Guard[]): FastifyHook;
  /** Who is signed in, behind `required`. @throws TypeError on a route that lets others on */
  current(request: FastifyRequestLike): SignedIn;
  /** Who a request is from, behind `required` with or without an open guard. @throws TypeError on a route without it */
  principal(request: FastifyRequestLike): Principal;
  /** The data bag of the session, behind `required`. @throws TypeError on a route without it */
  session(request: FastifyRequestLike): SessionData;
  /** The request as flows take it: `auth.users.login(input, visit(request))`. On any route. */
  visit(request: FastifyRequestLike): Visit;
  /** Where `seal` writes cookies to: `auth.seal(sink(reply), change)`. */
  sink(reply: FastifyReplyLike): FastifySink;
}

/**
 * Latchkey for Fastify 5.
 *
 * ```ts
 * const { handle, required, current } = fastify(auth);
 * app.addHook("onRequest", handle);
 * app.get("/hello", { preHandler: required() }, async (request) => `Hello, ${current(request).displayName}`);
 * ```
 */
export function fastify(auth: Auth, options: NodeOptions = {}): FastifyAdapter {
  assertAuth("fastify", auth);
  const inner = node(auth, options);
  const ip = clientIp(options.trustedProxies);
  const passed = passing<FastifyRequestLike>();
  return {
    async handle(request, reply) {
      // Fastify writes nothing more to what Latchkey answers.
      if (await inner.handle(request.raw, reply.raw)) reply.hijack();
    },
    required(...guards) {
      assertGuards("required", guards);
      return async (request, reply) => {
        const view = new AnsweredRequest(request.raw, reply.raw, request.body);
        const client = new NodeClient(request.raw, ip);
        const verdict = await auth.check(view, client, ...guards);
        const sink = sinkOf(reply);
        if (verdict.change !== undefined) auth.seal(sink, verdict.change);
        if (!verdict.ok) {
          const own = verdict.redirect === undefined ? await auth.onError?.(verdict.error, view) : null;
          if (own) return answerWith(own, reply);
          const { status, headers, body } = auth.errorAnswer(verdict, client);
          reply.code(status);
          for (const [name, value] of headers) reply.header(name, value);
          reply.send(body);
          return;
        }
        if (verdict.principal.isAuthenticated) sink.append("Cache-Control", "no-store");
        const session = new SealedData(verdict, {
          seal: (change) => void auth.seal(sink, change),
          isTooLate: () => reply.sent,
          failed: (thrown) => void auth.caught(asAuthError(thrown)),
        });
        passed.note(request, { principal: verdict.principal, session });
      };
    },
    current: passed.current,
    principal: (request) => passed.of(request).principal,
    session: (request) => passed.of(request).session,
    visit: ({ raw }) => inner.visit(raw),
    sink: sinkOf,
  };
}

// Into Fastify's own headers: what is written past it, it does not know of and may overwrite.
function sinkOf(reply: FastifyReplyLike): FastifySink {
  return {
    append(name, value) {
      if (name === "Cache-Control") staysUnkept(reply.raw);
      reply.header(name, value);
    },
  };
}

async function answerWith(response: Response, reply: FastifyReplyLike): Promise<void> {
  const body = Buffer.from(await response.arrayBuffer());
  reply.code(response.status);
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") reply.header(name, value);
  }
  for (const cookie of response.headers.getSetCookie()) reply.header("Set-Cookie", cookie);
  reply.send(body);
}
