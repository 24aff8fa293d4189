import { describe, expect, test } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import { backends } from "../support/backends.ts";
import { type Browser, bareRequest } from "../support/browser.ts";
import { bearer } from "../support/strategies.ts";
import { cookieName, password, type World, world } from "../support/world.ts";

const email = "ana@example.com";
const client = { ip: "192.0.2.10" };
const mine = "/api/v1/users/me/sessions";

function sessionId(browser: Browser): string {
  return parseSessionToken(browser.jar.get(cookieName) ?? "")?.id ?? "";
}

async function signedIn(here: World): Promise<Browser> {
  const browser = here.browser();
  const { status } = await browser.post("/api/v1/auth/login", { email, password });
  if (status !== 200) throw new Error(`login answered ${status}`);
  return browser;
}

/** Whether the session that a browser carries now still works; its cookies are left alone. */
async function works(browser: Browser): Promise<boolean> {
  return (await browser.copy().get("/api/v1/users/me")).status === 200;
}

describe.each(backends)("signing out, on $backend", ({ open }) => {
  test("ends the session, its row and its data, and clears the cookies", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const [id, thief] = [sessionId(ana), ana.copy()];
    const { status, body, cookies } = await ana.post("/api/v1/auth/logout");
    expect({ status, body, names: cookies.map(({ name, value }) => [name, value]) }).toEqual({
      status: 200,
      body: { ended: true },
      names: [
        [cookieName, ""],
        [`${cookieName}-csrf`, ""],
      ],
    });
    expect(await works(thief)).toBe(false);
    expect(await here.services.stores.sessions.find([id], here.call())).toEqual([null]);
    expect(here.heard("user.logged_out")).toMatchObject([{ userId: ana.userId, sessionId: id }]);
    expect(await here.audit("user.logged_out")).toHaveLength(1);
  });

  test("twice at once ends one session, with one row", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const both = await Promise.all([ana, ana].map((each) => each.copy().post("/api/v1/auth/logout")));
    expect(both.map(({ body }) => body.ended).sort()).toEqual([false, true]);
    expect(await here.audit("user.logged_out")).toHaveLength(1);
  });

  test("without a session, or with a stale one, says so and clears the cookie all the same", async () => {
    const here = world({ stores: await open() });
    const stranger = here.browser();
    expect(await stranger.post("/api/v1/auth/logout")).toMatchObject({ status: 200, body: { ended: false } });
    stranger.jar.set(cookieName, `${"a".repeat(24)}.${"b".repeat(43)}`);
    expect(await stranger.post("/api/v1/auth/logout")).toMatchObject({
      status: 200,
      body: { ended: false },
      cookies: [{}, {}],
    });
    expect(await here.audit()).toEqual([]);
  });

  test("everywhere ends every session, and every sign-in under way", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const others = [await signedIn(here), await signedIn(here)];
    const bob = await here.registered("bob@example.com");
    here.events.length = 0;
    const thief = ana.copy();
    const { status, body, cookies } = await ana.post("/api/v1/auth/logout-all");
    expect({ status, body, names: cookies.map(({ name }) => name) }).toEqual({
      status: 200,
      body: { ended: 3 },
      names: [cookieName, `${cookieName}-csrf`],
    });
    expect(await Promise.all([thief, ...others, bob].map(works))).toEqual([false, false, false, true]);
    expect((await here.user(ana.userId)).generation).toBe(2);
    expect(here.events.map(({ type }) => type)).toEqual([
      ...Array<string>(3).fill("session.revoked"),
      "sessions.revoked_all",
    ]);
    expect(here.heard("sessions.revoked_all")[0]?.payload).toEqual({ by: "self", count: 3 });
  });
});

describe.each(backends)("a person's sessions, on $backend", ({ open }) => {
  test("are listed most recently used first, and say which is this one; never their digests", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(10);
    const other = await signedIn(here);
    await here.registered("bob@example.com");
    const { status, body } = await ana.get(mine);
    expect(status).toBe(200);
    expect(body.next_cursor).toBeNull();
    expect(body.items?.map(({ id, current }) => [id, current])).toEqual([
      [sessionId(other), false],
      [sessionId(ana), true],
    ]);
    expect(body.items?.[1]).toEqual({
      id: sessionId(ana),
      created_at: "2026-01-01T00:00:00.000Z",
      last_used_at: "2026-01-01T00:00:00.000Z",
      expires_at: "2026-01-02T00:00:00.000Z",
      idle_expires_at: "2026-01-01T00:30:00.000Z",
      ip: "192.0.2.10",
      user_agent: "ExampleBrowser/1.0",
      current: true,
      impersonated: false,
    });
    expect((await here.auth.sessions.list(ana.userId))[0]).not.toHaveProperty("secretDigest");
  });

  test("that have expired are not listed", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(1_800);
    expect(await here.auth.sessions.list(ana.userId)).toEqual([]);
  });

  test("end one by one, at once", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const other = await signedIn(here);
    expect(await ana.delete(`${mine}/${sessionId(other)}`)).toMatchObject({
      status: 204,
      text: "",
      cookies: [],
    });
    expect([await works(ana), await works(other)]).toEqual([true, false]);
    expect(here.heard("session.revoked")).toMatchObject([
      { userId: ana.userId, sessionId: sessionId(other), payload: { by: "self" } },
    ]);
    expect((await ana.delete(`${mine}/${sessionId(other)}`)).status).toBe(404);
    expect(await here.audit("session.revoked")).toHaveLength(1);
  });

  test("of somebody else are not there", async () => {
    const here = world({ stores: await open() });
    const [ana, bob] = [await here.registered(), await here.registered("bob@example.com")];
    expect(await ana.delete(`${mine}/${sessionId(bob)}`)).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    });
    expect(await works(bob)).toBe(true);
    expect(await here.audit("session.revoked")).toEqual([]);
    expect(await here.auth.sessions.revoke(ana.userId, sessionId(bob))).toBe(false);
  });

  test.each(["x", "%00", "%F0%9F%98%80", "a%2Fb", "%E0%A4%A", "__proto__"])(
    "of the id %s are not there",
    async (id) => {
      const here = world({ stores: await open() });
      expect((await (await here.registered()).delete(`${mine}/${id}`)).status).toBe(404);
    },
  );

  test("include this one: ending it clears the cookie", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const { status, cookies } = await ana.delete(`${mine}/${sessionId(ana)}`);
    expect({ status, names: cookies.map(({ name, value }) => name + value) }).toEqual({
      status: 204,
      names: [cookieName, `${cookieName}-csrf`],
    });
  });

  test("but this one end together; this one goes on under a new id", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const other = await signedIn(here);
    const former = ana.copy();
    here.recorder.calls.length = 0;
    here.events.length = 0;
    const { status, cookies } = await ana.delete(mine);
    expect({ status, names: cookies.map(({ name }) => name) }).toEqual({
      status: 204,
      names: [cookieName, `${cookieName}-csrf`],
    });
    expect(await Promise.all([ana, former, other].map(works))).toEqual([true, false, false]);
    expect(here.recorder.trace()).toContain(
      "directory.commit(user.advance session.rotate audit.insert session.delete_all)",
    );
    expect(here.events.map(({ type }) => type)).toEqual([
      "session.rotated",
      "session.revoked",
      "sessions.revoked_all",
    ]);
    expect(here.heard("sessions.revoked_all")[0]?.payload).toEqual({ by: "self", count: 1 });
    expect((await ana.get(mine)).body.items).toHaveLength(1);
    expect((await ana.get("/api/v1/auth/session")).body.authenticated_at).toBe("2026-01-01T00:00:00.000Z");
  });

  test("but this one end together only while this one lives", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const both = await Promise.all([ana, ana].map((each) => each.copy().delete(mine)));
    expect(both.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(1);
  });
});

describe.each(backends)("an operator, on $backend", ({ open }) => {
  test("ends one session or all of a user's, and is named for it", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const others = [await signedIn(here), await signedIn(here)];
    here.events.length = 0;
    expect(await here.auth.sessions.revoke(ana.userId, sessionId(ana))).toBe(true);
    expect(await here.auth.sessions.revoke(ana.userId, sessionId(ana))).toBe(false);
    expect(await here.auth.sessions.revokeAll(ana.userId)).toBe(2);
    expect(await Promise.all([ana, ...others].map(works))).toEqual([false, false, false]);
    expect(here.events.map(({ type, payload, ip }) => [type, payload, ip])).toEqual([
      ["session.revoked", { by: "operator" }, null],
      ["session.revoked", { by: "operator" }, null],
      ["session.revoked", { by: "operator" }, null],
      ["sessions.revoked_all", { by: "operator", count: 2 }, null],
    ]);
    await expect(here.auth.sessions.revokeAll("nobody")).rejects.toMatchObject({ code: "not_found" });
  });

  test("ending all of nobody's sessions is on record too", async () => {
    const here = world({ stores: await open() });
    const user = await here.plant({ email });
    expect(await here.auth.sessions.revokeAll(user.id)).toBe(0);
    expect(await here.audit("sessions.revoked_all")).toHaveLength(1);
  });

  test("who ends expired rows with the others tells of each what happened to it", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(1_000);
    const other = await signedIn(here);
    here.clock.advance(801);
    here.events.length = 0;
    expect(await here.auth.sessions.revokeAll(ana.userId)).toBe(1);
    expect(here.events.map(({ type, sessionId: id }) => [type, id])).toEqual([
      ["session.expired", sessionId(ana)],
      ["session.revoked", sessionId(other)],
      ["sessions.revoked_all", null],
    ]);
    expect(here.heard("sessions.revoked_all")[0]?.payload.count).toBe(1);
    await here.auth.sessions.sweep();
    expect(await here.audit("session.expired")).toHaveLength(1);
  });

  test("finds no expired session to end", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(1_800);
    expect(await here.auth.sessions.revoke(ana.userId, sessionId(ana))).toBe(false);
    expect((await here.audit()).map(({ type }) => type).slice(2)).toEqual(["session.expired"]);
  });
});

describe("sessions.start", () => {
  test("signs in whom the application has recognised, with the rows of a sign-in", async () => {
    const here = world();
    const user = await here.plant({ email });
    const { session, change } = await here.auth.sessions.start(user.id, { amr: ["fed"], isRemembered: true });
    expect(session).toMatchObject({
      userId: user.id,
      amr: ["fed"],
      isRemembered: true,
      authTime: here.clock.now(),
      ip: null,
    });
    expect(change.session).toMatchObject({ maxAgeSeconds: 30 * 86_400 });
    expect(here.events.map(({ type, payload }) => [type, payload])).toEqual([
      ["session.started", { isVisitor: false }],
      ["user.logged_in", { amr: ["fed"], isRemembered: true }],
    ]);
  });

  test("replaces the session of the visit, keeps the address, and carries a visitor's data over, and one's own", async () => {
    const here = world();
    const user = await here.plant({ email });
    const visitor = here.browser();
    const handler = here.auth.protect(
      async (_request, _principal, session) => {
        await session.set("cart", [1]);
        return new Response();
      },
      { name: "open", asksAnonymous: true, decide: () => ({ allow: true, because: "" }) },
    );
    const [cookie] = (await handler(visitor.request("POST", "/cart"), client)).headers.getSetCookie();
    visitor.jar.set(cookieName, cookie?.split(";")[0]?.split("=")[1] ?? "");
    const before = sessionId(visitor);
    const first = await here.auth.sessions.start(user.id, {
      visit: { request: visitor.request("POST", "/x"), client },
    });
    expect(first.session).toMatchObject({ data: { cart: [1] }, ip: "192.0.2.10", rotatedFrom: before });
    if (typeof first.change.session !== "object") throw new Error("no session");
    visitor.jar.set(cookieName, first.change.session.token);
    const second = await here.auth.sessions.start(user.id, {
      visit: { request: visitor.request("POST", "/x"), client },
    });
    expect(second.session.data).toEqual({ cart: [1] });
    expect(await here.auth.sessions.list(user.id)).toHaveLength(1);
    visitor.jar.set(cookieName, typeof second.change.session === "object" ? second.change.session.token : "");
    const bob = await here.plant({ email: "bob@example.com" });
    const third = await here.auth.sessions.start(bob.id, {
      visit: { request: visitor.request("POST", "/x"), client },
    });
    expect(third.session.data).toEqual({});
  });

  test("starts none for who may not sign in", async () => {
    const here = world();
    const off = await here.plant({ email: "off@example.com", status: "disabled" });
    for (const id of [off.id, "nobody"])
      await expect(here.auth.sessions.start(id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("starts none where the generation moves meanwhile", async () => {
    const here = world();
    const user = await here.plant({ email });
    here.recorder.before = ({ name, writes }) => {
      if (name !== "directory.commit" || !writes.includes("session.insert")) return null;
      return here.write({ kind: "user.advance", userId: user.id, from: 1 });
    };
    await expect(here.auth.sessions.start(user.id)).rejects.toMatchObject({ code: "conflict" });
    expect(here.events).toEqual([]);
  });
});

describe("what a browser asks about its session", () => {
  test("is answered for somebody and for nobody", async () => {
    const here = world();
    const ana = await here.registered();
    expect((await ana.get("/api/v1/auth/session")).body).toEqual({
      authenticated: true,
      user: (await ana.get("/api/v1/users/me")).body,
      via: "session",
      session_id: sessionId(ana),
      authenticated_at: "2026-01-01T00:00:00.000Z",
      impersonator: null,
    });
    expect(await here.browser().get("/api/v1/auth/session")).toMatchObject({
      status: 200,
      body: { authenticated: false, user: null, via: null, session_id: null, authenticated_at: null },
    });
  });

  test("names no session where the proof has none", async () => {
    const base = world();
    const user = await base.plant({ email });
    const { browser } = base.again({ strategies: [bearer(user)] });
    const headers = { authorization: "Test good" };
    expect((await browser().get("/api/v1/auth/session", { headers })).body).toMatchObject({
      via: "bearer",
      session_id: null,
    });
    expect((await browser().get("/api/v1/auth/csrf", { headers })).body).toEqual({ csrf_token: null });
    expect((await browser().post("/api/v1/auth/logout", undefined, { headers })).body).toEqual({
      ended: false,
    });
    expect((await browser().post("/api/v1/auth/logout-all", undefined, { headers })).body).toEqual({
      ended: 0,
    });
    expect((await browser().get(mine, { headers })).status).toBe(200);
  });
});

describe("calls on behalf of a request", () => {
  test("need somebody signed in, as the request's own proof says", async () => {
    const here = world();
    const stranger = { request: bareRequest({ method: "POST" }), client };
    const stale = {
      request: bareRequest({
        method: "POST",
        headers: { cookie: `${cookieName}=${"a".repeat(24)}.${"b".repeat(43)}` },
      }),
      client,
    };
    for (const call of [
      (visit: typeof stranger) => here.auth.sessions.logoutAll(visit),
      (visit: typeof stranger) => here.auth.sessions.revokeOthers(visit),
      (visit: typeof stranger) => here.auth.sessions.revokeOwn("x", visit),
      (visit: typeof stranger) =>
        here.auth.users.changePassword({ current: password, next: `${password}!` }, visit),
      (visit: typeof stranger) => here.auth.users.reauthenticate(password, visit),
      (visit: typeof stranger) => here.auth.users.update({ name: "Ana" }, visit),
      (visit: typeof stranger) => here.auth.users.delete({ erase: false }, visit),
    ]) {
      await expect(call(stranger)).rejects.toMatchObject({ code: "not_authenticated" });
      await expect(call(stale)).rejects.toMatchObject({ code: "session_expired" });
    }
    expect(await here.auth.sessions.csrfToken(stranger)).toBeNull();
    expect(await here.auth.sessions.logout(stranger)).toEqual({ ended: false, change: { session: "clear" } });
  });
});
