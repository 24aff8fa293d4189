import express, { type Express } from "express";
import type { Auth } from "latchkey";
import { express as latchkey } from "latchkey/express";
import { apiKeyRoutes } from "./api-keys.ts";
import { panelRoutes } from "./panels.ts";
import { onUnreadable } from "./refusals.ts";
import { signInRoutes } from "./sign-in.ts";

/** The application. @param trustedProxies - whose word on the client's address is believed */
export function backendsApp(auth: Auth, trustedProxies: readonly string[] = []): Express {
  const adapter = latchkey(auth, { trustedProxies });
  const app = express();
  app.disable("x-powered-by");
  // Latchkey's own routes first, since they read their bodies themselves.
  app.use(adapter.handle);
  app.use(express.json());
  signInRoutes(app, auth, adapter);
  panelRoutes(app, auth, adapter);
  apiKeyRoutes(app, auth, adapter);
  app.use(onUnreadable);
  return app;
}
