import type { Express, Request, Response } from "express";
import { type Auth, anyone, rateLimit } from "latchkey";
import type { ExpressAdapter } from "latchkey/express";
import { access } from "./auth.ts";

/** Signing in by session and by token, signing out, registering. */
export function signInRoutes(app: Express, auth: Auth, { protect, visit }: ExpressAdapter): void {
  const issuing = auth.use(access);
  const open = anyone({ startsSession: true });
  // Five requests a minute from one address, whichever of the routes they are for.
  const limit = rateLimit({ limit: 5, windowSeconds: 60, name: "sign-in" });

  app.post(
    "/login",
    protect(
      async (req: Request, res: Response) => {
        const { change } = await auth.users.login(credentials(req), visit(req));
        auth.seal(res, change).json({ message: "Login successful" });
      },
      open,
      limit,
    ),
  );

  app.post(
    "/jwt/login",
    protect(
      async (req: Request, res: Response) => {
        const tokenSession = { ttlSeconds: issuing.sessionTtlSeconds };
        const { user, session } = await auth.users.login(credentials(req), visit(req), { tokenSession });
        const { accessToken, expiresInSeconds } = await issuing.issue(user.id, { sessionId: session.id });
        res.json({ message: "Login successful", token: accessToken, expires_in: expiresInSeconds });
      },
      open,
      limit,
    ),
  );

  app.post(
    "/refresh",
    protect(async (_req, res: Response, principal) => {
      // A token ends with its session, so only what stands for one can be refreshed.
      if (!principal.isAuthenticated || principal.sessionId === null)
        return res.status(401).json({ error: "Authentication required" });
      const { accessToken, expiresInSeconds } = await issuing.reissue(principal.sessionId);
      return res.json({ token: accessToken, expires_in: expiresInSeconds });
    }, anyone()),
  );

  app.post("/logout", async (req, res) => {
    const { change } = await auth.sessions.logout(visit(req));
    auth.seal(res, change).json({ message: "Logout successful" });
  });

  app.post(
    "/register",
    protect(
      async (req: Request, res: Response) => {
        const { identifier: username, password } = credentials(req);
        await auth.users.register({ username, password, email: text(req.body?.email) }, visit(req));
        res.status(201).json({ message: "User created successfully" });
      },
      open,
      limit,
    ),
  );
}

function credentials({ body }: Request): { readonly identifier: string; readonly password: string } {
  return { identifier: text(body?.username), password: text(body?.password) };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
