import { describe, expect, test } from "vitest";
import { eventOfRow } from "../../src/domain/audit.ts";
import type { User } from "../../src/domain/user.ts";
import { administration } from "../../src/features/administration.ts";
import { administrator } from "../../src/flows/acting.ts";
import { createTier, deleteTier, listTiers, setTierLimits } from "../../src/flows/administration/tiers.ts";
import { backends } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { password, type World, type WorldOptions, world } from "../support/world.ts";

const limits = [{ path: "/reports/*", limit: 5, window_seconds: 60 }];

async function signedIn(here: World, user: Partial<User>): Promise<Browser> {
  const { email } = await here.plant(user);
  const browser = here.browser();
  expect((await browser.post("/api/v1/auth/login", { email, password })).status).toBe(200);
  return browser;
}

function scene(options: WorldOptions = {}): World {
  return world({ ...options, features: [administration()] });
}

describe.each(backends)("tiers, on $backend", ({ open }) => {
  test("are made, read, changed and removed", async () => {
    const here = scene({ stores: await open() });
    const root = await signedIn(here, { isSuperuser: true });
    const made = await root.post("/api/v1/tiers/", { name: "pro", limits });
    expect(made).toMatchObject({ status: 201, body: { name: "pro", limits, version: 1 } });
    await root.post("/api/v1/tiers", { name: "free" });
    const list = await root.get("/api/v1/tiers/");
    expect(list.body.items).toMatchObject([
      { name: "free", limits: [] },
      { id: made.body.id, name: "pro" },
    ]);
    expect((await root.get("/api/v1/tiers/pro")).body).toEqual(made.body);
    const other = [{ path: "*", limit: 1, window_seconds: 1 }];
    const changed = await root.patch("/api/v1/tiers/pro", { limits: other, version: 1 });
    expect(changed).toMatchObject({ status: 200, body: { id: made.body.id, limits: other, version: 2 } });
    expect(await root.patch("/api/v1/tiers/pro", { limits, version: 1 })).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
    expect((await root.patch("/api/v1/tiers/pro", { limits })).body).toMatchObject({ limits, version: 3 });
    expect((await root.delete("/api/v1/tiers/pro")).status).toBe(204);
    for (const answer of [
      await root.get("/api/v1/tiers/pro"),
      await root.patch("/api/v1/tiers/pro", { limits }),
      await root.delete("/api/v1/tiers/pro"),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: "not_found" } });
    expect((await here.audit()).map(eventOfRow).filter(({ type }) => type.startsWith("tier."))).toMatchObject(
      [
        ["tier.created", "pro"],
        ["tier.created", "free"],
        ["tier.updated", "pro"],
        ["tier.updated", "pro"],
        ["tier.deleted", "pro"],
      ].map(([type, tier]) => ({ type, userId: null, payload: { by: "administrator", tier } })),
    );
  });

  test("of one name are made once, however many try; one that somebody is in stays", async () => {
    const here = scene({ stores: await open() });
    const root = await signedIn(here, { isSuperuser: true });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => root.post("/api/v1/tiers", { name: "pro" })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    await here.plant({ tier: "pro" });
    expect(await root.delete("/api/v1/tiers/pro")).toMatchObject({
      status: 409,
      body: { code: "conflict", detail: "There are users in this tier." },
    });
    expect((await root.get("/api/v1/tiers/pro")).status).toBe(200);
  });
});

test("who reads needs user:read, who changes tier:write", async () => {
  const here = scene();
  const root = await signedIn(here, { isSuperuser: true });
  await root.post("/api/v1/tiers", { name: "pro" });
  const reader = await signedIn(here, { permissions: ["user:read"] });
  const writer = await signedIn(here, { permissions: ["tier:write"] });
  const nobody = here.browser();
  const tries: readonly (readonly [number, number, number, (who: Browser) => Promise<{ status: number }>])[] =
    [
      [200, 403, 401, (who) => who.get("/api/v1/tiers")],
      [200, 403, 401, (who) => who.get("/api/v1/tiers/pro")],
      [403, 201, 401, (who) => who.post("/api/v1/tiers", { name: "free" })],
      [403, 200, 401, (who) => who.patch("/api/v1/tiers/pro", { limits })],
      [403, 204, 401, (who) => who.delete("/api/v1/tiers/free")],
    ];
  for (const [reading, writing, stranger, run] of tries)
    expect([(await run(reader)).status, (await run(writer)).status, (await run(nobody)).status]).toEqual([
      ...[reading, writing, stranger],
    ]);
});

test.each([
  ["name", { name: "Pro" }],
  ["name", { name: "" }],
  ["name", {}],
  ["limits", { name: "x", limits: [{ path: "reports", limit: 1, window_seconds: 1 }] }],
  ["limits", { name: "x", limits: [{ path: "*", limit: 0, window_seconds: 1 }] }],
  ["limits", { name: "x", limits: [{ path: "*", limit: 1, window_seconds: 1, window: 5 }] }],
  ["limits", { name: "x", limits: [{ path: "*", limit: 1 }] }],
  ["limits", { name: "x", limits: "*" }],
  ["limits", { name: "x", limits: [...limits, ...limits] }],
  ["limits", { name: "x", limits: Array(51).fill(limits[0]) }],
])("what cannot be a tier is refused by its field: %s of %j", async (field, body) => {
  const root = await signedIn(scene(), { isSuperuser: true });
  const answer = await root.post("/api/v1/tiers", body);
  expect(answer).toMatchObject({ status: 400, body: { code: "invalid_input" } });
  expect(answer.body.errors?.map((each) => each.field)).toContain(field);
});

test("an administrator who was signed out everywhere since their request was let on changes no tier", async () => {
  const here = scene();
  const root = await here.plant({ isSuperuser: true });
  const acting = administrator({ user: root, sessionId: null, scopes: null }, { requestId: null });
  await createTier(here.services, { name: "pro" }, acting);
  await here.write({ kind: "user.advance", userId: root.id, from: 1 });
  const limit = { path: "*", limit: 1, windowSeconds: 1 };
  for (const work of [
    createTier(here.services, { name: "free" }, acting),
    setTierLimits(here.services, "pro", { limits: [limit] }, acting),
    deleteTier(here.services, "pro", acting),
  ])
    await expect(work).rejects.toMatchObject({ code: "conflict" });
  expect(await listTiers(here.services)).toMatchObject([{ name: "pro", limits: [] }]);
});
