import { describe, expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tickets } from "../../src/features/tickets.ts";
import { tokens } from "../../src/features/tokens.ts";
import type { NewApiKey } from "../../src/flows/api-keys/api-keys.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { apiKeyWorld } from "../support/api-keys.ts";
import { backends, temporaryDirectory } from "../support/backends.ts";
import { bareRequest } from "../support/browser.ts";
import { allRoutes, pathOf } from "../support/routes.ts";
import { type World, world } from "../support/world.ts";

const path = "/api/v1/api-keys";

/** Somebody signed in who holds two permissions. */
async function signedIn(here: World) {
  const browser = await here.registered("bea@example.com");
  const changes = { permissions: ["invoice:read", "invoice:write"] };
  await here.write({ kind: "user.update", userId: browser.userId, version: 1, changes });
  return browser;
}

describe.each(backends)("the routes of API keys, on $backend", ({ open }) => {
  test.each([path, `${path}/`])("make, list, show, change, rotate and revoke, at %s", async (base) => {
    const here = world({ stores: await open(), features: [apiKeys()] });
    const bea = await signedIn(here);
    const slash = base.endsWith("/") ? "/" : "";
    // As the source document sends it.
    const wanted = { name: "Integration Key", permissions: {}, usage_limits: {} };
    const made = await bea.post(base, wanted);
    const now = here.clock.now().toISOString();
    expect(made.status).toBe(201);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const { key, ...shown } = made.body;
    expect(key).toMatch(/^lk_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
    expect(shown).toEqual({
      id: String(key).split("_")[2],
      name: "Integration Key",
      permissions: [],
      usage_limits: { per_minute: null, per_day: null },
      ip_allow: [],
      expires_at: null,
      last_used_at: null,
      rotated_from: null,
      created_at: now,
      updated_at: now,
    });
    expect(await bea.get(base)).toMatchObject({ status: 200, body: { items: [shown], next_cursor: null } });
    const one = `${path}/${shown.id}${slash}`;
    expect((await bea.get(one)).body).toEqual(shown);
    const changed = await bea.patch(one, {
      permissions: { invoice: ["read", "write"] },
      usage_limits: { per_minute: 60 },
      ip_allow: ["192.0.2.10"],
      expires_at: "2030-01-01T01:00:00+01:00",
    });
    expect(changed).toMatchObject({
      status: 200,
      body: {
        name: "Integration Key",
        permissions: ["invoice:read", "invoice:write"],
        usage_limits: { per_minute: 60, per_day: null },
        ip_allow: ["192.0.2.10"],
        expires_at: "2030-01-01T00:00:00.000Z",
      },
    });
    const rotated = await bea.post(`${path}/${shown.id}/rotate${slash}`, { overlap_seconds: 60 });
    expect(rotated).toMatchObject({
      status: 201,
      body: { rotated_from: shown.id, name: "Integration Key", usage_limits: { per_minute: 60 } },
    });
    expect((await bea.get(`${path}/${shown.id}/usage${slash}`)).body).toEqual({
      items: [],
      next_cursor: null,
    });
    expect(await bea.delete(one)).toMatchObject({ status: 204, text: "" });
    expect((await bea.get(one)).status).toBe(404);
    expect((await bea.get(base)).body.items).toMatchObject([{ id: rotated.body.id }]);
  });
});

test("an API key's request costs one statement, and nothing is written for it", async () => {
  const statements: string[] = [];
  const stores = sqlite({
    path: `${temporaryDirectory()}/latchkey.db`,
    onStatement: (sql) => statements.push(sql.trim().replaceAll(/\s+/g, " ")),
  });
  const here = await apiKeyWorld({ stores });
  const { key } = await here.key();
  const request = () => bareRequest({ url: "/x", headers: { "x-api-key": key } });
  for (let index = 0; index < 3; index++) {
    statements.length = 0;
    expect((await here.auth.check(request(), { ip: null })).ok).toBe(true);
    await here.settle();
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatch(/^SELECT .* FROM api_keys .* JOIN users /);
  }
});

describe("what a route of API keys takes", () => {
  test.each([
    ["names", { permissions: ["invoice:read"] }, { permissions: ["invoice:read"] }],
    [
      "a map",
      { permissions: { invoice: ["read", "write"] } },
      { permissions: ["invoice:read", "invoice:write"] },
    ],
    ["nothing", { permissions: [] }, { permissions: [] }],
    ["no limits", { usage_limits: { per_day: null } }, { usage_limits: { per_minute: null, per_day: null } }],
    ["a limit", { usage_limits: { per_day: 5 } }, { usage_limits: { per_minute: null, per_day: 5 } }],
  ])("%s", async (_, given, taken) => {
    const bea = await signedIn(world({ features: [apiKeys()] }));
    const made = await bea.post(path, { name: "CI", ...given });
    expect(made).toMatchObject({ status: 201, body: taken });
  });

  test("a form, lists separated by commas or white space", async () => {
    const bea = await signedIn(world({ features: [apiKeys()] }));
    const form = {
      name: "CI",
      permissions: "invoice:read, invoice:write",
      ip_allow: "10.0.0.1\r\n10.1.0.0/16",
    };
    expect(await bea.send("POST", path, { form })).toMatchObject({
      status: 201,
      body: { permissions: ["invoice:read", "invoice:write"], ip_allow: ["10.0.0.1", "10.1.0.0/16"] },
    });
  });

  test.each<[string, unknown]>([
    ["name", undefined],
    ["name", ["x"]],
    ["name", ""],
    ["permissions", 7],
    ["permissions", [7]],
    ["permissions", { invoice: "read" }],
    ["permissions", { invoice: ["delete"] }],
    ["permissions", ["user:read"]],
    ["permissions", null],
    ["usage_limits", 5],
    ["usage_limits", { per_hour: 5 }],
    ["usage_limits", { per_day: "5" }],
    ["usage_limits", { per_day: 0 }],
    ["usage_limits", { per_day: 1.5 }],
    ["ip_allow", "10.0.0.0/33"],
    ["ip_allow", ["example.com"]],
    ["ip_allow", {}],
    ["expires_at", "tomorrow"],
    ["expires_at", "2020-01-01T00:00:00Z"],
    ["expires_at", "2030-02-30T00:00:00Z"],
    ["expires_at", 1_900_000_000],
  ])("never %s as %j", async (field, value) => {
    const here = world({ features: [apiKeys()] });
    const bea = await signedIn(here);
    here.events.length = 0;
    const made = await bea.post(path, { name: "CI", [field]: value });
    const { status, body } = made;
    expect([status, body.code, body.errors?.map((each) => each.field)]).toEqual([
      400,
      "invalid_input",
      [field],
    ]);
    expect(here.events).toEqual([]);
  });

  test.each([
    ["overlap_seconds", -1],
    ["overlap_seconds", "60"],
    ["expires_at", "soon"],
  ])("for a rotation never %s as %j", async (field, value) => {
    const bea = await signedIn(world({ features: [apiKeys()] }));
    const { body: made } = await bea.post(path, { name: "CI" });
    const { status, body } = await bea.post(`${path}/${made.id}/rotate`, { [field]: value });
    expect([status, body.errors?.map((each) => each.field)]).toEqual([400, [field]]);
  });

  test("for the uses a time to begin at, and nothing else", async () => {
    const bea = await signedIn(world({ features: [apiKeys()] }));
    const { body: made } = await bea.post(path, { name: "CI" });
    const usage = async (query: string) => (await bea.get(`${path}/${made.id}/usage${query}`)).status;
    expect(await usage("?cursor=2026-01-01T00:00:00Z")).toBe(200);
    for (const query of ["?cursor=", "?cursor=x", "?cursor=2026", "?cursor=9"])
      expect(await usage(query)).toBe(400);
  });
});

test("the uses of a key are shown by the hour", async () => {
  const here = world({ features: [apiKeys()] });
  const bea = await signedIn(here);
  const { body: made } = await bea.post(path, { name: "CI" });
  const hour = new Date("2026-01-01T00:00:00Z");
  const usage = [{ hour, statusClass: 2, path: "/invoices", count: 3 }] as const;
  const uses = [{ keyId: String(made.id), lastUsedAt: here.clock.now(), usage }];
  await here.services.stores.directory.recordApiKeyUses(uses, here.call());
  expect((await bea.get(`${path}/${made.id}/usage`)).body).toEqual({
    items: [{ hour: "2026-01-01T00:00:00.000Z", status_class: 2, path: "/invoices", count: 3 }],
    next_cursor: null,
  });
  expect((await bea.get(`${path}/${made.id}`)).body.last_used_at).toBe(here.clock.now().toISOString());
});

describe("a key in a session's place", () => {
  const features = [apiKeys()];
  /** Reads of the account as such: who am I. */
  const open = ["GET /users/me"];

  test("opens no route that shows or changes how the account is used", async () => {
    const rows = (await allRoutes(features)).filter(
      (route) =>
        /^\/(users\/me|api-keys)/.test(route.path) && !open.includes(`${route.method} ${route.path}`),
    );
    expect(rows.length).toBeGreaterThan(12);
    const here = world({ features });
    const bea = await signedIn(here);
    const wanted: Partial<NewApiKey> = { name: "CI", permissions: ["invoice:read", "invoice:write"] };
    const { body: made } = await bea.post(path, wanted);
    const before = await here.user(bea.userId);
    here.events.length = 0;
    const program = here.browser();
    const body = {
      ...{ name: "Eve", permissions: [], email: "eve@example.com" },
      ...{ current_password: "correct horse battery staple", new_password: "staple battery horse correct" },
    };
    for (const route of rows) {
      const headers = { "X-API-Key": String(made.key) };
      const json = route.method === "GET" ? undefined : body;
      const { status } = await program.send(route.method, pathOf(route, String(made.id)), { json, headers });
      expect([route.method, route.path, status]).toEqual([route.method, route.path, 403]);
    }
    expect(here.events.filter(({ type }) => type !== "permission.denied")).toEqual([]);
    expect(await here.user(bea.userId)).toEqual(before);
    expect((await bea.get(path)).body.items).toHaveLength(1);
  });

  test("ends no session, proves nothing anew and gets no CSRF token", async () => {
    const here = world({ features });
    const bea = await signedIn(here);
    const { body: made } = await bea.post(path, { name: "CI" });
    const headers = { "X-API-Key": String(made.key) };
    const program = here.browser();
    expect((await program.post("/api/v1/auth/logout-all", {}, { headers })).status).toBe(403);
    const password = "correct horse battery staple";
    expect((await program.post("/api/v1/auth/reauthenticate", { password }, { headers })).status).toBe(403);
    expect((await program.get("/api/v1/auth/csrf", { headers })).body.csrf_token).toBeNull();
    expect((await program.get("/api/v1/auth/session", { headers })).body).toMatchObject({
      authenticated: true,
      via: "api-key",
      session_id: null,
    });
    expect((await bea.get("/api/v1/users/me")).status).toBe(200);
  });
});

test("a key is exchanged for no proof that could do more", async () => {
  const here = world({ features: [apiKeys(), tokens(), tickets()] });
  const bea = await signedIn(here);
  const { body: made } = await bea.post(path, { name: "CI" });
  const program = here.browser();
  const sessions = (await here.auth.sessions.list(bea.userId)).length;
  here.events.length = 0;
  const proofs: readonly Readonly<Record<string, string>>[] = [
    { "X-API-Key": String(made.key) },
    { Authorization: `Bearer ${made.key}` },
  ];
  for (const headers of proofs) {
    for (const [to, body] of [
      ["/api/v1/auth/ticket", { path: "/socket" }],
      ["/api/v1/auth/token", {}],
      ["/api/v1/auth/token/refresh", {}],
      ["/api/v1/auth/token/refresh", { refresh_token: made.key }],
    ] as const) {
      const { status, text } = await program.post(to, body, { headers });
      expect([to, status >= 400 && status < 500, text.includes('token":"')]).toEqual([to, true, false]);
    }
  }
  expect(here.heard("token.issued")).toEqual([]);
  expect(here.heard("ticket.issued")).toEqual([]);
  expect(await here.auth.sessions.list(bea.userId)).toHaveLength(sessions);
});

describe("making a key", () => {
  test("from a browser needs the CSRF token of its session", async () => {
    const here = world({ features: [apiKeys()] });
    const bea = await signedIn(here);
    const { status, body } = await bea.post(path, { name: "CI" }, { csrf: false });
    expect([status, body.code]).toEqual([403, "csrf_required"]);
  });

  test("is on record with the session and the address that it came from", async () => {
    const here = world({ features: [apiKeys()] });
    const bea = await signedIn(here);
    await bea.post(path, { name: "CI" });
    const [session] = await here.auth.sessions.list(bea.userId);
    const event = { userId: bea.userId, sessionId: session?.id, ip: bea.ip, userAgent: "ExampleBrowser/1.0" };
    expect(here.heard("api_key.created")).toMatchObject([event]);
  });

  test("is for somebody signed in", async () => {
    const here = world({ features: [apiKeys()] });
    const { status, body } = await here.browser().post(path, { name: "CI" });
    expect([status, body.code]).toEqual([401, "not_authenticated"]);
  });

  test("with a session that has ended in the meantime makes none", async () => {
    const here = world({ features: [apiKeys()] });
    const bea = await signedIn(here);
    here.recorder.before = ({ writes }) =>
      writes.includes("api_key.insert")
        ? here.auth.sessions.revokeAll(bea.userId).then(() => undefined)
        : null;
    expect((await bea.post(path, { name: "CI" })).status).toBe(409);
    expect(await here.services.stores.directory.apiKeys(bea.userId, here.call())).toEqual([]);
  });
});

test("another user's key is 404 on every route", async () => {
  const here = world({ features: [apiKeys()] });
  const bea = await signedIn(here);
  const { body: made } = await bea.post(path, { name: "CI" });
  const eve = await here.registered("eve@example.com");
  for (const route of (await allRoutes([apiKeys()])).filter((each) =>
    each.path.startsWith("/api-keys/{id}"),
  )) {
    const json = route.method === "GET" ? undefined : { name: "mine" };
    const { status, body } = await eve.send(route.method, pathOf(route, String(made.id)), { json });
    expect([route.method, route.path, status, body.code]).toEqual([
      route.method,
      route.path,
      404,
      "not_found",
    ]);
  }
  expect((await bea.get(path)).body.items).toMatchObject([{ name: "CI" }]);
});

test("a set-up without the feature has neither routes nor keys", async () => {
  const here = world();
  const routes = await here.auth.routes();
  expect(routes.filter((route) => route.path.startsWith("/api-keys"))).toEqual([]);
  const { status } = await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": "lk_x" } });
  expect(status).toBe(401);
  expect(here.events).toEqual([]);
});
