import { describe, expect, test } from "vitest";
import type { User } from "../../src/domain/user.ts";
import { administration } from "../../src/features/administration.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { oauth } from "../../src/features/oauth.ts";
import { tickets } from "../../src/features/tickets.ts";
import { tokens } from "../../src/features/tokens.ts";
import { allRoutes, fieldsOf, pathOf } from "../support/routes.ts";
import { password, world } from "../support/world.ts";

const features = () => [apiKeys(), tokens(), tickets(), oauth({ providers: [] }), administration()];
const inputs = (await allRoutes(features())).filter(({ input }) => input !== undefined);

/** What nobody gives themselves, in every spelling that a schema or a spread could let through. */
const greedy = {
  roles: ["admin"],
  role: "admin",
  permissions: ["user:write"],
  tier: "pro",
  tier_id: "pro",
  is_superuser: true,
  isSuperuser: true,
  is_admin: true,
  email_verified: true,
  emailVerified: true,
  must_change_password: false,
  mustChangePassword: false,
  status: "active",
  generation: 99,
  version: 99,
  id: "00000000-0000-7000-8000-000000000000",
  user_id: "x",
  userId: "x",
  data: { plan: "pro" },
  __proto__: { isSuperuser: true },
  constructor: { prototype: { isSuperuser: true } },
};

/** What a route asks for, as somebody honest fills it in. */
const honest: Readonly<Record<string, unknown>> = {
  email: "new@example.com",
  username: "newname",
  name: "New",
  password,
  current_password: password,
  new_password: `${password}!`,
  path: "/socket",
};

const rights = ({
  roles,
  permissions,
  tier,
  isSuperuser,
  mustChangePassword,
  emailVerified,
  status,
  data,
}: User) => ({
  ...{ roles, permissions, tier, isSuperuser, mustChangePassword, emailVerified, status, data },
});

describe("what somebody may do is not assignable from input", () => {
  test.each(inputs.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s",
    async (_, route) => {
      const here = world({ features: features(), roles: { admin: ["user:write"] } });
      const now = here.clock.now();
      const tier = { id: "t", name: "pro", limits: [], version: 1, createdAt: now, updatedAt: now };
      await here.write({ kind: "tier.insert", tier });
      const ana = await here.registered();
      const before = await here.user(ana.userId);
      const { names } = fieldsOf(route);
      const wanted = Object.fromEntries(
        names.flatMap((name) => (name in honest ? [[name, honest[name]]] : [])),
      );
      const path = pathOf(route, ana.userId);
      for (const json of [
        { ...greedy, ...wanted },
        { ...wanted, ...greedy },
      ]) {
        await ana.send(route.method, path, { json });
        await here.browser().send(route.method, path, { json });
      }
      expect(rights(await here.user(ana.userId))).toEqual(rights(before));
      const { users } = await here.services.stores.directory.users(
        { search: null, status: null, role: null, tier: null, isSuperuser: null, after: null, limit: 200 },
        here.call(),
      );
      for (const user of users) expect(rights(user)).toEqual(rights(before));
    },
  );

  test("the routes that take input are all here", () => {
    expect(inputs.length).toBeGreaterThan(15);
  });
});

test("a form gives nobody anything either", async () => {
  const here = world();
  const form = { email: "eve@example.com", password, is_superuser: "on", "roles[]": "admin", tier: "pro" };
  const answer = await here.browser().send("POST", "/api/v1/auth/register", { form });
  expect(answer).toMatchObject({
    status: 201,
    body: { user: { roles: [], permissions: [], tier: null, is_superuser: false, email_verified: false } },
  });
});

test("users show their roles, permissions, tier and superuser flag", async () => {
  const feature = administration();
  const here = world({ features: [feature] });
  const made = await here.auth.use(feature).operator.tiers.create({ name: "pro" });
  const { email } = await here.plant({
    roles: ["editor"],
    permissions: ["a:b"],
    tier: "pro",
    isSuperuser: true,
  });
  const browser = here.browser();
  const shown = {
    roles: ["editor"],
    permissions: ["a:b"],
    tier: { id: made.id, name: "pro" },
    is_superuser: true,
    must_change_password: false,
  };
  expect((await browser.post("/api/v1/auth/login", { email, password })).body.user).toMatchObject(shown);
  expect((await browser.get("/api/v1/users/me")).body).toMatchObject(shown);
  expect((await browser.get("/api/v1/auth/session")).body.user).toMatchObject(shown);
  expect((await browser.patch("/api/v1/users/me", { name: "Ana" })).body).toMatchObject(shown);
  expect((await browser.get("/api/v1/users/")).body.items).toMatchObject([shown]);
});

test("a tier that is no more is shown by the name that is all there is of it", async () => {
  const here = world();
  const { email } = await here.plant({ tier: "gone" });
  const { body } = await here.browser().post("/api/v1/auth/login", { email, password });
  expect(body.user).toMatchObject({ tier: { id: "gone", name: "gone" } });
});
