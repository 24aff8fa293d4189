import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { secureHeaders } from "hono/secure-headers";
import {
  type Auth,
  anyone,
  createAuth,
  passwords,
  rateLimit,
  type Stores,
  skipIfAuthenticated,
} from "latchkey";
import { hono } from "latchkey/hono";
import { repositories, type SessionRepository } from "latchkey/repositories";
import { adminRequired, apiAuthRequired } from "./guards.ts";
import type { Users } from "./repositories/users.ts";
import { style } from "./style.ts";
import { homeView } from "./views/home.ts";
import { layoutOf } from "./views/layout.ts";
import { loginView } from "./views/login.ts";
import { logoutView } from "./views/logout.ts";
import { administration, dashboard, profile, unauthorized } from "./views/members.ts";
import { registerView } from "./views/register.ts";

/** The parts that the application is built of. */
export interface Parts {
  readonly origin: string;
  readonly secret: string;
  readonly loginPath?: string;
  readonly appPath?: string;
  readonly users: Users;
  readonly sessions: SessionRepository;
  /** For what the two repositories have no place for: digests of secrets, data of sessions, counters, the audit log. */
  readonly companion: Stores;
}

/** Builds the application. */
export function buildApp(parts: Parts): { readonly app: Hono; readonly auth: Auth } {
  const { origin, secret, loginPath = "/login", appPath = "/app/dashboard" } = parts;
  const { users, sessions, companion } = parts;
  const auth = createAuth({
    origin,
    secrets: [secret],
    loginPath,
    appPath,
    stores: repositories({ users, sessions, companion }),
    features: [passwords()],
    onError: ({ status, message }, request) =>
      new URL(request.url, origin).pathname.startsWith("/api/")
        ? Response.json({ ok: false, error: { message } }, { status })
        : null,
  });
  const { protect, visit } = hono<Context>(auth);
  const site = { auth, visit, layout: layoutOf(auth.config) };
  const [home, login, register, logout] = [
    homeView(site),
    loginView(site),
    registerView(site),
    logoutView(site),
  ];
  const forGuests = skipIfAuthenticated(appPath);
  const app = new Hono();

  // With `no-referrer`, its default, browsers say of a form that it comes from nowhere, and it is refused.
  app.use(
    secureHeaders({ contentSecurityPolicy: { defaultSrc: ["'self'"] }, referrerPolicy: "same-origin" }),
  );
  app.use(bodyLimit({ maxSize: auth.config.maxBodyBytes }));
  app.get("/style.css", (c) => c.body(style, 200, { "Content-Type": "text/css" }));
  app.get("/favicon.ico", (c) => c.body(null, 204));

  app.get("/", protect(home.show, anyone()));
  app.post("/theme", protect(home.submit, anyone()));
  app.get(loginPath, protect(login.show, forGuests));
  app.post(loginPath, protect(login.submit, forGuests));
  app.get("/register", protect(register.show, forGuests));
  app.post("/register", protect(register.submit, forGuests, rateLimit({ limit: 20, windowSeconds: 3_600 })));
  app.get("/logout", protect(logout.show, anyone()));
  app.post("/logout", protect(logout.submit, anyone()));

  // Without a guard somebody has to be signed in.
  app.get(appPath, protect(dashboard(site)));
  app.get("/profile", protect(profile(site)));
  app.get("/admin", protect(administration(site), adminRequired(users)));
  app.get("/unauthorized", protect(unauthorized(site), anyone()));

  app.get(
    "/me",
    protect((c, { user }) => {
      if (user === null) return c.json({ ok: false, error: { message: "Not authenticated" } }, 401);
      return c.json({ ok: true, data: { id: user.id, email: user.email, name: user.name } });
    }, anyone()),
  );
  app.get(
    "/api/orders",
    protect((c) => c.json({ ok: true, data: [] }), apiAuthRequired),
  );
  return { app, auth };
}
