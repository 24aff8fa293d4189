import type { IncomingMessage } from "node:http";
import { AuthError, signedInToWrite } from "latchkey";
import { type NodeListener, node } from "latchkey/node";
import { accounts } from "./accounts.ts";
import type { House } from "./auth.ts";
import { noauth, requireRole, secured, signingIn } from "./guards.ts";
import { json, withForm } from "./http.ts";
import { pages } from "./pages.ts";
import { variants } from "./variants.ts";

/** Answers requests by the table of routes. */
export function app(house: House): NodeListener {
  const routes = routesOf(house);
  const nothing = node(house.auth).protect(() => {
    throw new AuthError("not_found");
  }, noauth);
  return async (req, res) => {
    const path = pathOf(req);
    const listener =
      routes[`${req.method} ${path}`] ?? routes[`${req.method} ${path.replace(/[^/]+$/, "*")}`];
    await (listener ?? nothing)(req, res);
  };
}

function routesOf(house: House): Readonly<Record<string, NodeListener>> {
  const adapter = node(house.auth);
  const { protect } = adapter;
  const account = accounts(house, adapter);
  const variant = variants(house, adapter);
  const page = pages(house, adapter);
  const notes: string[] = [];
  return {
    "POST /api/register": protect(account.register, noauth),
    "POST /api/login": protect(account.login, noauth),
    "GET /api/profile": protect(account.profile, secured),
    "PUT /api/profile": protect(account.updateProfile, secured),
    "PUT /api/profile/password": protect(account.changePassword, secured),
    "GET /api/me": protect(async (req, res) => json(res, await house.access.verify(bearer(req))), secured),
    "DELETE /api/users/*": protect(deleteMember(house), requireRole("admin")),
    "GET /api/public/health": protect((_req, res) => json(res, { status: "ok" }), noauth),

    // A policy for a group: reads are open and writes are not, where a route says nothing else.
    "GET /api/notes": protect((_req, res) => json(res, { notes }), signedInToWrite()),
    "POST /api/notes": protect((_req, res) => {
      notes.push(`note ${notes.length + 1}`);
      json(res, { notes }, 201);
    }, signedInToWrite()),

    ...group("/api/admin", {
      "GET /stats": protect((_req, res) => json(res, { active_users: 42 }), secured),
      "GET /logs": protect((_req, res) => json(res, { logs: [] }), secured),
    }),

    ...group("/v1/api", {
      "POST /register": protect(variant.register, noauth),
      "POST /login": protect(variant.login, noauth),
      "GET /profile": protect(variant.profile, secured),
      "DELETE /users/*": protect(deleteMember(house), requireRole("admin")),
    }),

    "GET /login": protect(page.showLogin, noauth),
    "POST /login-form": protect(page.login, signingIn),
    "GET /dashboard": protect(page.dashboard, noauth),
    "GET /profile": protect(page.profile, noauth),
    "POST /profile/update": withForm(protect(page.updateProfile)),
    "POST /logout": withForm(protect(page.logout, noauth)),
  };
}

/** The same routes below a path. */
function group(prefix: string, routes: Readonly<Record<string, NodeListener>>): Record<string, NodeListener> {
  return Object.fromEntries(
    Object.entries(routes).map(([route, listener]) => [route.replace(" ", ` ${prefix}`), listener]),
  );
}

function deleteMember({ members, operator }: House) {
  return async (req: IncomingMessage, res: Parameters<NodeListener>[1]): Promise<void> => {
    const id = Number(pathOf(req).split("/").at(-1));
    const account = Number.isSafeInteger(id) ? members.accountOf(id) : null;
    if (account === null) throw new AuthError("not_found", { message: "User not found" });
    await operator.delete(account);
    json(res, { deleted: true });
  };
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0] ?? "/";
}

// It was accepted by the guard, so it is there.
function bearer({ headers }: IncomingMessage): string {
  return headers.authorization?.slice("Bearer ".length) ?? "";
}
