import type { Express, Request, Response } from "express";
import { type Auth, AuthError, anyone, permission, type SignedIn } from "latchkey";
import type { ExpressAdapter } from "latchkey/express";
import { featureNames } from "./auth.ts";

/** Who may see what: asked by hand, by guards, and by refusals that are thrown. */
export function panelRoutes(app: Express, auth: Auth, { protect }: ExpressAdapter): void {
  const isAdmin = (principal: SignedIn): boolean => auth.hasPermission(principal, "admin_panel:use");
  const profile = (_req: Request, res: Response, { user: { id, username, email } }: SignedIn): unknown =>
    res.json({ id, username, email });
  const adminPanel = (_req: Request, res: Response): unknown =>
    res.json({ message: "Welcome to admin panel" });

  // By hand: everybody gets as far as the handler, and it looks at who it is.
  app.get(
    "/profile",
    protect(
      (req: Request, res: Response, principal) =>
        principal.isAuthenticated ? profile(req, res, principal) : res.redirect("/login"),
      anyone(),
    ),
  );
  app.get(
    "/admin",
    protect((req: Request, res: Response, principal) => {
      if (!principal.isAuthenticated) return res.status(401).json({ error: "Authentication required" });
      if (!isAdmin(principal)) return res.status(403).json({ error: "Admin access required" });
      return adminPanel(req, res);
    }, anyone()),
  );

  // By guards: nobody else gets as far as the handler.
  app.get("/guarded/profile", protect(profile));
  app.get("/guarded/admin", protect(adminPanel, permission("admin_panel:use")));
  app.get(
    "/moderate",
    protect(
      (_req, res: Response) => res.json({ message: "Welcome to moderation panel" }),
      permission("admin_panel:use", "user_management:use"),
    ),
  );

  // By throwing, from wherever in the application; `onError` makes the answer.
  app.get(
    "/protected",
    protect((_req, res: Response, principal) => {
      if (!principal.isAuthenticated)
        throw new AuthError("not_authenticated", { message: "Authentication required" });
      if (!isAdmin(principal)) throw new AuthError("forbidden", { message: "Admin access required" });
      return res.json({ message: "Access granted" });
    }, anyone()),
  );

  // Never null: whoever asks is somebody, "Anonymous" at least.
  app.get(
    "/whoami",
    protect((_req, res: Response, principal) => {
      const { isAuthenticated, displayName, via } = principal;
      const features = featureNames.filter((name) => auth.hasPermission(principal, `${name}:use`));
      return res.json({ is_authenticated: isAuthenticated, display_name: displayName, via, features });
    }, anyone()),
  );

  // What is kept in a session is the application's own: no key of it says who somebody is.
  app.put(
    "/preferences/:key",
    protect(async (req: Request<{ key: string }>, res: Response, _principal, session) => {
      await session.set(req.params.key, req.body?.value);
      return res.json({ [req.params.key]: session.get(req.params.key) });
    }, anyone()),
  );
}
