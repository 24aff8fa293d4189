import { Hono } from "hono";
import { anyone, readBody, superuser, tier } from "latchkey";
import type { Application } from "latchkey-server";
import { makeAccounts } from "./accounts.ts";
import { clientPage } from "./client.ts";
import { profilesInMemory } from "./profiles.ts";

/** The routes that this service has besides those of the reference server. */
export const application: Application = async (parts) => {
  await makeAccounts(parts);
  const { auth, protect } = parts;
  const profiles = profilesInMemory();
  const app = new Hono();

  // Somebody is signed in, or it is 401.
  app.get(
    "/me",
    protect((c, { user: { id, username, email } }) => c.json({ id, username, email })),
  );

  // Everybody gets an answer; who is signed in, more of it.
  app.get(
    "/things",
    protect((c, principal) => c.json({ premium: principal.isAuthenticated }), anyone()),
  );

  app.get(
    "/premium",
    protect((c) => c.json({ data: "premium content" }), tier("pro")),
  );

  app.get(
    "/reports",
    protect((c) => c.json({ reports: [] }), superuser()),
  );

  app.get(
    "/profiles/:username",
    protect((c) => c.json({ about: profiles.read(c.req.param("username") ?? "") }), anyone()),
  );
  app.put(
    "/profiles/:username",
    protect(async (c, { user }) => {
      const { about } = await readBody(c.req.raw, auth.config.maxBodyBytes);
      profiles.write(user, c.req.param("username") ?? "", String(about ?? ""));
      return c.json({ message: "Profile updated" });
    }),
  );
  app.delete(
    "/profiles/:username",
    protect((c, { user }) => {
      profiles.delete(user, c.req.param("username") ?? "");
      return c.json({ message: "Profile deleted" });
    }),
  );
  return app.route("/", clientPage());
};
