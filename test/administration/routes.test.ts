import { describe, expect, test } from "vitest";
import { fits } from "../support/fits.ts";
import { allRoutes, pathOf } from "../support/routes.ts";
import { password } from "../support/world.ts";
import { admin, administered, person, root } from "./staff.ts";

const own = new Set((await allRoutes()).map(({ method, path }) => `${method} ${path}`));
const routes = (await allRoutes([admin])).filter(({ method, path }) => !own.has(`${method} ${path}`));

const bodies: Readonly<Record<string, unknown>> = {
  "POST /users": { email: "new@example.com", password },
  "PATCH /users/{user}": { name: "Ana", locale: "de" },
  "PUT /users/{user}/roles": { permissions: ["invoice:read"] },
  "PUT /users/{user}/tier": { tier: null },
  "POST /invitations": { email: "guest@example.com" },
  "POST /tiers": { name: "pro", limits: [] },
  "PATCH /tiers/{name}": { limits: [{ path: "/api/*", limit: 5, window_seconds: 60 }] },
};

describe("every route of administration answers what the document says", () => {
  test.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s",
    async (name, route) => {
      const here = administered();
      const chief = await root(here);
      await person(here, "ana");
      const { operator } = here.auth.use(admin);
      if (!name.startsWith("POST")) await operator.tiers.create({ name: "free" });
      const { invitation, token } = await operator.invite({ email: "invited@example.com" });
      if (route.path === "/auth/impersonation/stop") await chief.post("/api/v1/users/ana/impersonate");
      const value = route.path.startsWith("/tiers") ? "free" : "ana";
      const path = pathOf(route, route.path.startsWith("/invitations") ? invitation.id : value);
      const json = route.path === "/invitations/redeem" ? { token, password } : bodies[name];
      const { status, text, body } = await chief.send(route.method, path, { json });
      expect({ status, text, isListed: Object.keys(route.answers).includes(String(status)) }).toMatchObject({
        isListed: true,
      });
      const schema = route.answers[status];
      if (schema === null || schema === undefined) expect(text).toBe("");
      else expect([body, fits(schema(), body)]).toEqual([body, true]);
    },
  );
});
