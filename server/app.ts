import { randomUUID } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { HTTPException } from "hono/http-exception";
import { matchedRoutes } from "hono/route";
import {
  type ApiKeys,
  type Auth,
  AuthError,
  type ClientInfo,
  clientIp,
  isLoopback,
  wantsPage,
} from "latchkey";
import type { Administration } from "latchkey/administration";
import { hono } from "latchkey/hono";
import type { Mail } from "latchkey/mail";
import type { OAuth } from "latchkey/oauth";
import { type DiagnosisDocument, diagnosisPath, type SeenRequest } from "./doctor/diagnosis.ts";
import type { ServerLog } from "./log.ts";
import { loggablePath } from "./loggable.ts";
import type { ShownMails } from "./mail/shown-mails.ts";
import { mayReadMetrics } from "./metrics/access.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { errorPage, type PageOptions, pages } from "./pages/pages.ts";
import { usualTheme } from "./pages/theme/theme.ts";
import { reference, referencePath } from "./reference/reference.ts";
import { securityHeaders } from "./security-headers.ts";

/** What the server puts into the context of a request. */
export interface ServerEnv {
  Bindings: HttpBindings;
  Variables: { requestId: string; isElsewhere?: boolean };
}

/** What {@link serverApp} puts together. */
export interface ServerAppOptions {
  readonly auth: Auth;
  /** Routes of somebody's own, asked after Latchkey's and before the pages. */
  readonly own?: Hono;
  /** Sign-in with providers; absent: pages do not speak of it. */
  readonly oauth?: OAuth;
  /** API keys; absent: pages do not speak of them. */
  readonly apiKeys?: ApiKeys;
  /** Administration; absent: nobody is invited, nor acted for. */
  readonly administration?: Administration;
  /** Mail; absent: pages do not speak of it. */
  readonly mail?: Mail;
  /** Mails that are shown to the developer instead of being sent; null or absent: they are sent. */
  readonly shownMails?: ShownMails | null;
  /** Languages and looks of the pages; absent: the usual ones. */
  readonly pages?: Pick<PageOptions, "languages" | "theme">;
  /** Whether the OpenAPI document and the page made of it are there. Default true. */
  readonly hasReference?: boolean;
  readonly log: ServerLog;
  /** What the doctor is told, who proves the secret; null for everybody else. Absent: nothing is told. */
  readonly diagnosis?: (seen: SeenRequest) => DiagnosisDocument | null;
  /** What is counted and measured, and the token that opens it; absent: there is no `/metrics`. */
  readonly metrics?: { readonly metrics: Metrics; readonly token: string | null };
  /** CIDRs whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  /** Whether the operator named the origin; else pages under another spelling of this machine are sent to it. */
  readonly isOriginConfigured: boolean;
  /** Whether the server is about to end: then it is not ready, and connections are given up after their answer. */
  readonly isStopping: () => boolean;
}

/** The server's answers: Latchkey's own routes, the pages, and a refusal for everything else. */
export function serverApp(options: ServerAppOptions): Hono<ServerEnv> {
  const { log, isStopping, hasReference = true } = options;
  const auth = noting(options.auth, log);
  const { config } = auth;
  const { handle, client } = hono(auth, { trustedProxies: options.trustedProxies });
  const refuse = (error: AuthError, context: Context<ServerEnv>): Response | Promise<Response> => {
    const { requestId } = context.var;
    if (wantsPage(context.req.raw, config.basePath)) {
      return errorPage(auth, error, client(context), {
        ...options.pages,
        requestId,
        request: context.req.raw,
      });
    }
    const { status, headers, body } = auth.errorAnswer({ ok: false, error }, client(context));
    return new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) });
  };

  const app = new Hono<ServerEnv>();
  app.use(requestLog(log, (context) => client(context).ip));
  if (options.metrics !== undefined) measure(app, options.metrics, refuse);
  app.use(sameHeaders(config.origin, isStopping));
  app.get("/readyz", async (context, next) => {
    if (!isStopping()) return next();
    return refuse(new AuthError("store_unavailable", { retryAfterSeconds: 1 }), context);
  });
  if (!options.isOriginConfigured) app.use(toOrigin(config));
  if (options.diagnosis !== undefined) app.get(diagnosisPath, tellDoctor(options.diagnosis, client));
  if (!hasReference) withoutReference(app, auth, refuse);
  app.use((context, next) =>
    handle(context, async () => {
      context.set("isElsewhere", true);
      await next();
    }),
  );
  if (hasReference) app.route("/", reference(auth, (options.pages?.theme ?? usualTheme).look));
  const { oauth, apiKeys, administration, mail, shownMails } = options;
  const used = {
    ...(oauth && { oauth }),
    ...(apiKeys && { apiKeys }),
    ...(administration && { administration }),
    ...(mail && { mail }),
    ...(shownMails && { shownMails }),
  };
  if (options.own !== undefined) app.route("/", options.own);
  const apiReference = hasReference ? referencePath(auth) : null;
  app.route("/", pages(auth, { client, log, apiReference, ...used, ...options.pages }));
  app.notFound((context) => refuse(new AuthError("not_found"), context));
  app.onError((thrown, context) => {
    const error = thrown instanceof AuthError ? thrown : new AuthError("internal_error", { cause: thrown });
    // By its method, as Hono itself knows it: an application of somebody's own may bring another copy.
    const answer = "getResponse" in thrown ? (thrown as HTTPException).getResponse() : null;
    const { code, diagnosis } = error;
    if ((answer ?? error).status >= 500) log.error(error.message, { code, diagnosis }, error.cause);
    return answer === null ? refuse(error, context) : context.newResponse(answer.body, answer);
  });
  return app;
}

/** As if neither document nor page were there. */
function withoutReference(
  app: Hono<ServerEnv>,
  auth: Auth,
  refuse: (error: AuthError, context: Context<ServerEnv>) => Response | Promise<Response>,
): void {
  for (const path of [referencePath(auth), `${auth.config.basePath}/openapi.json`])
    for (const spelling of [path, `${path}/`])
      app.all(spelling, (context) => refuse(new AuthError("not_found"), context));
}

/** Answers the doctor; to everybody else the path is one that is not there. */
function tellDoctor(
  diagnosis: NonNullable<ServerAppOptions["diagnosis"]>,
  client: (context: Context<ServerEnv>) => ClientInfo,
): MiddlewareHandler<ServerEnv> {
  const peerOf = clientIp();
  return async (context, next) => {
    const peer = peerOf(context.env.incoming.socket.remoteAddress, null) ?? "unknown";
    const told = diagnosis({ headers: context.req.raw.headers, peer, client: client(context).ip });
    if (told === null) return next();
    return context.json(told, 200, { "Cache-Control": "no-store" });
  };
}

/** Serves the metrics, and counts what none of Latchkey's own routes answers. */
function measure(
  app: Hono<ServerEnv>,
  { metrics, token }: NonNullable<ServerAppOptions["metrics"]>,
  refuse: (error: AuthError, context: Context<ServerEnv>) => Response | Promise<Response>,
): void {
  app.use(async (context, next) => {
    const startedAt = performance.now();
    await next();
    if (context.var.isElsewhere !== true) return;
    const pattern = matchedRoutes(context).findLast(({ path }) => !path.endsWith("*"))?.path;
    const { status } = context.res;
    // Where nothing matched, the path is whatever somebody typed.
    const route = pattern === undefined ? "other" : `${context.req.method} ${pattern}`;
    metrics.answered(route, status, (performance.now() - startedAt) / 1000);
  });
  app.get("/metrics", async (context) => {
    const peer = context.env?.incoming?.socket.remoteAddress;
    const request = { peer, header: (name: string) => context.req.header(name) };
    if (!mayReadMetrics(request, token)) return refuse(new AuthError("not_found"), context);
    const { text, contentType } = await metrics.text();
    return new Response(text, { headers: { "Content-Type": contentType, "Cache-Control": "no-store" } });
  });
}

/** The same `Auth`; every refusal that becomes an answer is noted for the line about its request. */
function noting(auth: Auth, log: ServerLog): Auth {
  return {
    ...auth,
    errorAnswer(refused, client) {
      log.noteRefusal(refused.error);
      return auth.errorAnswer(refused, client);
    },
  };
}

/** One line for each request, and its id, under which everything about it can be found. */
function requestLog(
  log: ServerLog,
  ipOf: (context: Context<ServerEnv>) => string | null,
): MiddlewareHandler<ServerEnv> {
  return async (context, next) => {
    const startedAt = performance.now();
    const notes = { requestId: randomUUID(), refusal: null as AuthError | null };
    const { path, method } = context.req;
    context.set("requestId", notes.requestId);
    // Asked now: a peer that has gone by the time of the answer has no address any more.
    const ip = ipOf(context);
    await log.during(notes, next);
    context.res.headers.set("X-Request-Id", notes.requestId);
    const { status } = context.res;
    const isProbe = status === 200 && (path === "/healthz" || path === "/readyz");
    log[isProbe ? "debug" : "info"]("request", {
      request_id: notes.requestId,
      method,
      path: loggablePath(path),
      status,
      duration_ms: Math.round((performance.now() - startedAt) * 10) / 10,
      ip,
      code: notes.refusal?.code,
      diagnosis: notes.refusal?.diagnosis,
    });
  };
}

function sameHeaders(origin: string, isStopping: () => boolean): MiddlewareHandler<ServerEnv> {
  const lines = securityHeaders(origin);
  return async (context, next) => {
    await next();
    const { headers } = writable(context);
    // An application of somebody's own may have said otherwise for a page of its own.
    for (const [name, value] of lines) if (!headers.has(name)) headers.set(name, value);
    if (isStopping()) headers.set("Connection", "close");
  };
}

/** The answer of a context. Headers of a redirect or of a fetched answer cannot be written; a copy's can. */
function writable(context: Context<ServerEnv>): Response {
  try {
    // It is written by the log of the request in any case.
    context.res.headers.delete("X-Request-Id");
  } catch {
    context.res = new Response(context.res.body, context.res);
  }
  return context.res;
}

/**
 * Cookies of `localhost` are not sent to `127.0.0.1`: a person who opened the other spelling would sign in and be
 * nobody on the next page. Only between names of this machine, so no request chooses where it leads.
 */
function toOrigin({ origin, basePath }: Auth["config"]): MiddlewareHandler<ServerEnv> {
  const { host } = new URL(origin);
  return async (context, next) => {
    const { req } = context;
    const url = new URL(req.url);
    const isRead = req.method === "GET" || req.method === "HEAD";
    if (!isRead || url.host === host || !isLoopback(url.hostname) || !wantsPage(req.raw, basePath))
      return next();
    return new Response(null, {
      status: 302,
      headers: { Location: origin + url.pathname + url.search, "Cache-Control": "no-store" },
    });
  };
}
