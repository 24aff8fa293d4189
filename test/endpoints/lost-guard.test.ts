import { describe, expect, test } from "vitest";
import { administration } from "../../src/features/administration.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import type { Feature } from "../../src/features/feature.ts";
import { oauth } from "../../src/features/oauth.ts";
import { tokens } from "../../src/features/tokens.ts";
import { anyone } from "../../src/guards/guards.ts";
import type { Route } from "../../src/ports/route.ts";
import { allRoutes, pathOf } from "../support/routes.ts";
import { password, world } from "../support/world.ts";

const features = [administration(), apiKeys(), oauth({ providers: [] }), tokens()];
const guarded = (await allRoutes(features)).filter(({ guards }) =>
  guards.some(({ asksAnonymous }) => !asksAnonymous),
);
const body = {
  ...{ password, current_password: password, new_password: `${password}!`, name: "ana" },
  ...{ email: "new@example.com", tier: null, limits: [] },
};

describe("a row that lost its guard still answers nobody", () => {
  test.each(guarded.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s",
    async (_, { method, path }) => {
      const base = world({ features });
      // Bound to the users and sessions of the same stores, as the row itself is.
      const rows = await base.auth.routes();
      const open = (route: Route): Route => ({ ...route, path: `/open${route.path}`, guards: [anyone()] });
      const own = rows.filter((route) => route.method === method && route.path === path).map(open);
      const feature: Feature<null> = {
        name: "open",
        install: () => ({ api: null, routes: async () => own }),
      };
      const here = base.again({ features: [feature] });
      const answer = await here
        .browser()
        .send(method, pathOf({ path: `/open${path}` }), { json: method === "GET" ? undefined : body });
      expect(answer).toMatchObject({ status: 401, body: { code: "not_authenticated" } });
    },
  );
});
