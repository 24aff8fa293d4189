import type { Express, Request, Response } from "express";
import { type Auth, anyone, via } from "latchkey";
import type { ExpressAdapter } from "latchkey/express";
import { keys } from "./auth.ts";

/** API keys: made and revoked by people, used by programs. */
export function apiKeyRoutes(app: Express, auth: Auth, { protect, visit }: ExpressAdapter): void {
  const managing = auth.use(keys);

  app.post(
    "/api-keys",
    protect(async (req: Request, res: Response, principal) => {
      if (!principal.isAuthenticated) return res.status(401).json({ error: "Authentication required" });
      const { name = "API key", permissions } = req.body ?? {};
      const made = await managing.create(principal, { name, permissions }, visit(req));
      return res.json({ api_key: made.key, created_at: made.createdAt.toISOString() });
    }, anyone()),
  );

  // The id is part of the key: `lk_live_<id>_…`.
  app.delete(
    "/api-keys/:id",
    protect(async (req: Request<{ id: string }>, res: Response, principal) => {
      if (!principal.isAuthenticated) return res.status(401).json({ error: "Authentication required" });
      await managing.revoke(principal, req.params.id, visit(req));
      return res.json({ message: "API key revoked" });
    }, anyone()),
  );

  // For programs alone: a person's session does not open it.
  app.get(
    "/reports",
    protect(
      (_req, res: Response, { user }) => res.json({ reports: [], owner: user.username }),
      via("api-key"),
    ),
  );
}
