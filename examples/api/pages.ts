import type { ServerResponse } from "node:http";
import type { Principal, SessionChange } from "latchkey";
import type { NodeAdapter, NodeHandler } from "latchkey/node";
import type { House } from "./auth.ts";
import { fieldsOf, redirect } from "./http.ts";
import { dashboardPage, loginPage, profilePage } from "./views.ts";

/** Pages with a session beside the API with its tokens, and a form whose token works once. */
export function pages({ auth }: House, { visit, sink }: NodeAdapter) {
  const seal = (res: ServerResponse, change: SessionChange | null): void => {
    if (change !== null) auth.seal(sink(res), change);
  };

  const showLogin: NodeHandler<Principal> = (_req, res, { isAuthenticated }) =>
    isAuthenticated ? redirect(res, "/dashboard") : show(res, loginPage());

  const login: NodeHandler<Principal> = async (req, res) => {
    const { email = "", password = "" } = await fieldsOf(req);
    const { change } = await auth.users.login({ identifier: email, password }, visit(req));
    seal(res, change);
    redirect(res, "/dashboard");
  };

  const dashboard: NodeHandler<Principal> = async (req, res, principal) => {
    if (!principal.isAuthenticated) return redirect(res, "/login");
    show(res, dashboardPage(principal.displayName, await auth.sessions.csrfToken(visit(req))));
  };

  const profile: NodeHandler<Principal> = async (req, res, principal) => {
    if (!principal.isAuthenticated) return redirect(res, "/login");
    const { token, change } = await auth.forms.token("profile", visit(req));
    seal(res, change);
    show(res, profilePage(principal.displayName, token));
  };

  const updateProfile: NodeHandler<Principal> = async (req, res) => {
    const { _token: token = "", name = "" } = await fieldsOf(req);
    await auth.forms.spend("profile", token, visit(req));
    const { change } = await auth.users.update({ name }, visit(req));
    seal(res, change);
    redirect(res, "/profile");
  };

  const logout: NodeHandler<Principal> = async (req, res) => {
    const { change } = await auth.sessions.logout(visit(req));
    seal(res, change);
    redirect(res, "/login");
  };

  return { showLogin, login, dashboard, profile, updateProfile, logout };
}

function show(res: ServerResponse, page: string): void {
  res.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
  });
  res.end(page);
}
