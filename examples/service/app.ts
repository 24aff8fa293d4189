import Fastify, { type FastifyInstance, type FastifyServerFactory } from "fastify";
import { type Auth, AuthError, anyone } from "latchkey";
import { fastify } from "latchkey/fastify";
import type { AuthService } from "./auth-service.ts";

/** What the routes are made of. */
export interface AppOptions {
  readonly auth: Auth;
  readonly service: AuthService;
  readonly serverFactory?: FastifyServerFactory;
}

/** The routes. */
export function buildApp({ auth, service, serverFactory }: AppOptions): FastifyInstance {
  const app = Fastify(serverFactory === undefined ? {} : { serverFactory });
  const { handle, required, current, principal, visit, sink } = fastify(auth);
  // Registration, profile and the rest of Latchkey's own routes, below /api/v1.
  app.addHook("onRequest", handle);
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );

  app.post<{ Body: Partial<Record<string, unknown>> | null }>("/login", async (request, reply) => {
    const { email, password, remember } = request.body ?? {};
    const credentials = { username: text(email), password: text(password), remember: remember === "on" };
    try {
      const { user, expiresAt, change } = await service.authenticate(credentials, visit(request));
      auth.seal(sink(reply), change);
      return { success: true, user_id: user.id, email: user.email, expires_at: expiresAt.toISOString() };
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      if (error.retryAfterSeconds !== null) reply.header("Retry-After", error.retryAfterSeconds);
      return reply.code(error.status).send({ success: false, error: error.message });
    }
  });

  app.post("/logout", async (request, reply) => {
    const { change } = await auth.sessions.logout(visit(request));
    auth.seal(sink(reply), change);
    return { success: true };
  });

  // By hand: a token comes in, a user comes out.
  app.get("/profile", async (request, reply) => {
    const token = sessionToken(request.headers.cookie, auth.config.cookie.name);
    if (token === null) return reply.code(401).send({ detail: "Not authenticated" });
    const user = await service.validateSession(token, visit(request));
    if (user === null) return reply.code(401).send({ detail: "Session invalid or expired" });
    return { user_id: user.id, email: user.email, username: user.username };
  });

  // By injection: `required` has checked, `current` and `principal` say who it is.
  app.get("/dashboard", { preHandler: required() }, async (request) => {
    const { user } = current(request);
    return { welcome: `Hello, ${user.email}!`, user_id: user.id };
  });
  app.get("/public", { preHandler: required(anyone()) }, async (request) => {
    const { user } = principal(request);
    return { message: user === null ? "Welcome, guest" : `Welcome back, ${user.email}` };
  });
  app.get("/protected", { preHandler: required() }, async (request) => ({
    user: current(request).user.email,
  }));
  app.get("/api/data", { preHandler: required() }, async () => ({ data: "..." }));

  app.post("/logout-all-devices", { preHandler: required() }, async (request, reply) => {
    const ended = await service.logoutAllDevices(current(request).user.id);
    auth.seal(sink(reply), { session: "clear" });
    return { success: true, ended };
  });

  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof AuthError)) return reply.send(error);
    return reply.code(error.status).send({ detail: error.message });
  });
  return app;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function sessionToken(cookies: string | undefined, name: string): string | null {
  const pair = cookies?.split("; ").find((each) => each.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) ?? null;
}
