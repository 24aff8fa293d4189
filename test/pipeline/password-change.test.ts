import { describe, expect, test } from "vitest";
import type { User } from "../../src/domain/user.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tickets } from "../../src/features/tickets.ts";
import { tokens } from "../../src/features/tokens.ts";
import { issueResetToken } from "../../src/flows/account/reset-password.ts";
import { anyone, signedIn } from "../../src/guards/guards.ts";
import { permission } from "../../src/guards/rights.ts";
import type { Browser } from "../support/browser.ts";
import { pathOf } from "../support/routes.ts";
import { password, type World, world } from "../support/world.ts";

const features = [apiKeys(), tokens(), tickets()];
const required = { status: 403, body: { code: "password_change_required" } };
const next = "another horse, another battery";

/** Somebody signed in, whose password was set by somebody else since. */
async function scene(user: Partial<User> = {}): Promise<{ here: World; ana: User; browser: Browser }> {
  const here = world({ features });
  const ana = await here.plant({ mustChangePassword: true, ...user });
  const browser = here.browser();
  const answer = await browser.post("/api/v1/auth/login", { email: ana.email, password });
  expect(answer).toMatchObject({ status: 200, body: { user: { must_change_password: true } } });
  return { here, ana, browser };
}

/** Rows of Latchkey's own that answer: those by which a password is changed or somebody leaves, and what strangers may do as well. */
const answering = [
  "GET /users/me",
  "PUT /users/me/password",
  "POST /auth/reauthenticate",
  "POST /auth/logout-all",
];

describe("who has to choose another password first", () => {
  test("is refused every other route for people, by session, API key and access token", async () => {
    const { here, ana, browser } = await scene({ isSuperuser: true });
    const rows = await here.auth.routes();
    const closed = rows.filter(
      ({ method, path, guards }) =>
        guards.some(({ asksAnonymous }) => !asksAnonymous) && !answering.includes(`${method} ${path}`),
    );
    expect(closed.length).toBeGreaterThan(10);
    for (const { method, path } of closed) {
      const json = method === "GET" ? undefined : {};
      const answer = await browser.send(method, pathOf({ path }), { json });
      expect(answer, `${method} ${path}`).toMatchObject(required);
    }
    const keys = here.auth.use(features[0] as ReturnType<typeof apiKeys>);
    const { key } = await keys.create(await principalOf(here, browser), { name: "CI" });
    const byKey = here.browser().request("GET", "/", { headers: { "X-API-Key": key } });
    expect(await here.auth.check(byKey, { ip: null })).toMatchObject({ ok: false, error: required.body });
    const issued = await here.browser().post("/api/v1/auth/token", { email: ana.email, password });
    expect(issued.status).toBe(200);
    const headers = { Authorization: `Bearer ${issued.body.access_token}` };
    expect(await here.browser().get("/api/v1/users/me/sessions", { headers })).toMatchObject(required);
  });

  test("is refused an application's routes, open ones too, unless a guard says otherwise", async () => {
    const { here, browser } = await scene();
    const ask = async (...guards: Parameters<typeof here.auth.check>[2][]) => {
      const verdict = await here.auth.check(browser.request("GET", "/"), { ip: null }, ...guards);
      return verdict.ok ? "ok" : verdict.error.code;
    };
    expect(await ask()).toBe(required.body.code);
    expect(await ask(signedIn())).toBe(required.body.code);
    expect(await ask(anyone())).toBe(required.body.code);
    expect(await ask(anyone({ whilePasswordChange: true }))).toBe("ok");
    expect(await ask(signedIn({ whilePasswordChange: true }))).toBe("ok");
    expect(await ask(signedIn({ whilePasswordChange: true }), permission("a:b"))).toBe(required.body.code);
  });

  test("whose page is sent to the form", async () => {
    const { here, browser } = await scene();
    const request = browser.request("GET", "/reports", { headers: { Accept: "text/html" } });
    expect(await here.auth.check(request, { ip: null })).toMatchObject({
      ok: false,
      redirect: "/account#password",
    });
    const moved = here.again({ passwordPath: "/me/password" });
    expect(await moved.auth.check(request, { ip: null })).toMatchObject({ redirect: "/me/password" });
  });

  test("learns who they are, gets a CSRF token, proves who they are, and signs out", async () => {
    const { browser } = await scene();
    expect((await browser.get("/api/v1/users/me")).body).toMatchObject({ must_change_password: true });
    expect((await browser.get("/api/v1/auth/session")).body).toMatchObject({ authenticated: true });
    expect((await browser.get("/api/v1/auth/csrf")).body.csrf_token).toMatch(/^c1\./);
    expect((await browser.post("/api/v1/auth/reauthenticate", { password })).status).toBe(200);
    expect((await browser.post("/api/v1/auth/logout-all", {})).status).toBe(200);
    expect((await browser.get("/api/v1/users/me")).status).toBe(401);
  });

  test("goes on once it is changed, to another one", async () => {
    const { here, ana, browser } = await scene();
    const change = (new_password: string) =>
      browser.put("/api/v1/users/me/password", { current_password: password, new_password });
    expect(await change(password)).toMatchObject({
      status: 400,
      body: { code: "password_rejected", errors: [{ field: "new_password", code: "unchanged" }] },
    });
    expect(await browser.get("/api/v1/users/me/sessions")).toMatchObject(required);
    expect(await change(next)).toMatchObject({
      status: 200,
      body: { user: { must_change_password: false } },
    });
    expect((await browser.get("/api/v1/users/me/sessions")).status).toBe(200);
    expect(await here.user(ana.id)).toMatchObject({ mustChangePassword: false, generation: 2 });
  });

  test("goes on once it was reset", async () => {
    const { here, ana, browser } = await scene();
    const token = await issueResetToken(here.services, ana.id);
    const answer = await browser.post("/api/v1/auth/password/reset", { token, new_password: next });
    expect([200, 204]).toContain(answer.status);
    expect((await here.user(ana.id)).mustChangePassword).toBe(false);
  });

  test("goes on by no reset to the one they have, and the link still works", async () => {
    const { here, ana, browser } = await scene();
    const token = await issueResetToken(here.services, ana.id);
    const reset = (new_password: string) =>
      browser.post("/api/v1/auth/password/reset", { token, new_password });
    expect(await reset(password)).toMatchObject({
      status: 400,
      body: { code: "password_rejected", errors: [{ field: "new_password", code: "unchanged" }] },
    });
    expect(await here.user(ana.id)).toMatchObject({ mustChangePassword: true, generation: 1 });
    expect((await reset(next)).status).toBeLessThan(300);
    expect((await here.user(ana.id)).mustChangePassword).toBe(false);
  });

  test("goes on by no other spelling of the one they have", async () => {
    const { here, ana, browser } = await scene();
    const [composed, decomposed] = ["caf\u00e9 in the old harbour", "cafe\u0301 in the old harbour"];
    const change = (current_password: string, new_password: string) =>
      browser.put("/api/v1/users/me/password", { current_password, new_password });
    expect((await change(password, composed)).status).toBe(200);
    const { version } = await here.user(ana.id);
    const changes = { mustChangePassword: true };
    await here.write({ kind: "user.update", userId: ana.id, version, changes });
    expect((await change(composed, decomposed)).body.errors?.[0]?.code).toBe("unchanged");
    expect((await here.user(ana.id)).mustChangePassword).toBe(true);
    expect((await change(composed, next)).status).toBe(200);
  });

  test("does nothing by calling a flow past the routes", async () => {
    const { here, browser } = await scene();
    const visit = { request: browser.request("PATCH", "/"), client: { ip: null } };
    await expect(here.auth.users.update({ name: "Ana" }, visit)).rejects.toMatchObject(required.body);
    await expect(here.auth.sessions.revokeOthers(visit)).rejects.toMatchObject(required.body);
  });

  test("may keep what they chose themselves", async () => {
    const browser = await world().registered();
    const body = { current_password: password, new_password: password };
    expect((await browser.put("/api/v1/users/me/password", body)).status).toBe(200);
  });

  test("may reset to what they chose themselves", async () => {
    const here = world();
    const ana = await here.plant();
    const token = await issueResetToken(here.services, ana.id);
    const answer = await here
      .browser()
      .post("/api/v1/auth/password/reset", { token, new_password: password });
    expect(answer.status).toBeLessThan(300);
  });
});

async function principalOf(here: World, browser: Browser) {
  const { principal } = await here.auth.authenticate(browser.request("GET", "/"), { ip: null });
  if (!principal.isAuthenticated) throw new Error("nobody is signed in");
  return principal;
}
