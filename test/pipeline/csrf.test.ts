import { describe, expect, test } from "vitest";
import { all, any, anyone, signedIn } from "../../src/guards/guards.ts";
import { rateLimit } from "../../src/guards/rate-limit.ts";
import type { Guard } from "../../src/ports/guard.ts";
import type { ClientInfo } from "../../src/ports/request.ts";
import type { Browser, Send } from "../support/browser.ts";
import { bareRequest } from "../support/browser.ts";
import { cookieName, password, secret, type World, world } from "../support/world.ts";

const client: ClientInfo = { ip: "192.0.2.10", requestId: "r-1" };
const own = "https://app.example";
const trusted = "https://partner.example";
const evil = "https://evil.example";

/** What a check of the request says: `ok`, or the code of the refusal. */
async function said({ auth }: World, from: Browser, method: string, options: Send = {}): Promise<string> {
  const verdict = await auth.check(from.request(method, "/x", options), client);
  return verdict.ok ? "ok" : verdict.error.code;
}

describe("the origin stage", () => {
  // Sec-Fetch-Site, Origin, and whether a write with a good token passes.
  const matrix: readonly (readonly [site: string | null, origin: string | null, passes: boolean])[] = [
    ["same-origin", own, true],
    ["same-origin", null, true],
    ["same-origin", "null", true],
    ["same-origin", evil, true],
    ["same-site", own, true],
    ["same-site", trusted, true],
    ["same-site", "https://other.app.example", false],
    ["same-site", null, false],
    ["cross-site", trusted, true],
    ["cross-site", evil, false],
    ["cross-site", "null", false],
    ["cross-site", null, false],
    ["none", own, true],
    ["none", null, false],
    ["none", evil, false],
    ["unheard-of", null, false],
    ["unheard-of", evil, false],
    [null, own, true],
    [null, trusted, true],
    [null, evil, false],
    [null, "null", false],
    [null, "", false],
    [null, `${own}.evil.example`, false],
    [null, `${own}:8443`, false],
    [null, "http://app.example", false],
    [null, `${own}/`, false],
    [null, own.toUpperCase(), false],
    [null, null, true],
  ];

  test.each(matrix)("Sec-Fetch-Site %s with Origin %s passes: %s", async (site, origin, passes) => {
    const here = world({ trustedOrigins: [trusted] });
    const ana = await here.registered();
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "post", "PROPFIND"]) {
      const request = ana.request("POST", "/x");
      const headers = new Headers(request.headers);
      for (const [name, value] of [["sec-fetch-site", site] as const, ["origin", origin] as const]) {
        if (value === null) headers.delete(name);
        else headers.set(name, value);
      }
      // Not as a Request: that would write its methods in capitals.
      const verdict = await here.auth.check({ method, url: "/x", headers }, client);
      expect(verdict.ok ? "ok" : verdict.error.code).toBe(passes ? "ok" : "origin_rejected");
    }
  });

  test("does not concern what changes nothing", async () => {
    const here = world();
    const ana = await here.registered();
    const headers = { "sec-fetch-site": "cross-site", origin: evil };
    for (const method of ["GET", "HEAD", "OPTIONS"])
      expect(await said(here, ana, method, { csrf: false, headers })).toBe("ok");
  });

  test("does not concern who sends no ambient proof", async () => {
    const here = world();
    const headers = { "sec-fetch-site": "cross-site", origin: evil };
    const verdict = await here.auth.check(
      here.browser().request("POST", "/x", { headers }),
      client,
      anyone(),
    );
    expect(verdict.ok).toBe(true);
  });

  test("trusts nobody where nothing is configured", async () => {
    const here = world();
    const ana = await here.registered();
    expect(
      await said(here, ana, "POST", { headers: { origin: trusted, "sec-fetch-site": "cross-site" } }),
    ).toBe("origin_rejected");
  });

  test("alone is not enough: a request from this origin without a token is refused", async () => {
    const here = world();
    const ana = await here.registered();
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      expect(await said(here, ana, method, { csrf: false })).toBe("csrf_required");
    }
  });

  test("comes first: a good token from another origin is refused", async () => {
    const here = world();
    const ana = await here.registered();
    expect(await said(here, ana, "POST", { headers: { origin: evil, "sec-fetch-site": null } })).toBe(
      "origin_rejected",
    );
  });
});

describe("a route that starts a session", () => {
  const starting = anyone({ startsSession: true });

  async function answered(
    here: World,
    from: Browser,
    options: Send,
    ...guards: readonly Guard[]
  ): Promise<string> {
    const verdict = await here.auth.check(from.request("POST", "/x", options), client, ...guards);
    return verdict.ok ? "ok" : verdict.error.code;
  }

  test("asks who still has a session for no token of it; other open routes do", async () => {
    const here = world();
    const ana = await here.registered();
    const withoutToken = { csrf: false };
    expect(await answered(here, ana, withoutToken, anyone())).toBe("csrf_required");
    expect(await answered(here, ana, withoutToken, starting)).toBe("ok");
    expect(
      await answered(here, ana, withoutToken, rateLimit({ limit: 5, windowSeconds: 60 }), starting),
    ).toBe("ok");
  });

  test("asks everybody for their origin: also who carries nothing yet", async () => {
    const here = world();
    const elsewhere = { csrf: false, headers: { origin: evil, "sec-fetch-site": "cross-site" } };
    for (const from of [here.browser(), await here.registered()]) {
      expect(await answered(here, from, elsewhere, starting)).toBe("origin_rejected");
      expect(await answered(here, from, { csrf: false }, starting)).toBe("ok");
    }
    expect(await answered(here, here.browser(), elsewhere, anyone())).toBe("ok");
    expect(await answered(here, here.browser(), elsewhere, all(starting))).toBe("origin_rejected");
  });

  test("says so for all that stand together, and for none of which another may let on", async () => {
    const here = world();
    const ana = await here.registered();
    const limit = rateLimit({ limit: 5, windowSeconds: 60 });
    expect(await answered(here, ana, { csrf: false }, all(starting, limit))).toBe("ok");
    expect(await answered(here, ana, { csrf: false }, any(starting, starting))).toBe("ok");
    expect(await answered(here, ana, { csrf: false }, any(starting, signedIn()))).toBe("csrf_required");
  });

  test("may be read from anywhere", async () => {
    const here = world();
    const headers = { origin: evil, "sec-fetch-site": "cross-site" };
    const verdict = await here.auth.check(here.browser().request("GET", "/x", { headers }), client, starting);
    expect(verdict.ok).toBe(true);
  });
});

describe("the token stage", () => {
  test("accepts the session's token in the header, with either secret, of any answer", async () => {
    const here = world();
    const ana = await here.registered();
    const tokens = [ana.jar.get(`${cookieName}-csrf`)];
    for (let i = 0; i < 2; i++) tokens.push(String((await ana.get("/api/v1/auth/csrf")).body.csrf_token));
    expect(new Set(tokens).size).toBe(3);
    const rotated = here.again({ secrets: ["another secret of thirty-two bytes and more", secret] });
    for (const token of tokens) {
      const options = { csrf: false, headers: { "x-csrf-token": token ?? "" } };
      expect(await said(here, ana, "POST", options)).toBe("ok");
      expect(await said(rotated, ana, "POST", options)).toBe("ok");
    }
    const foreign = here.again({ secrets: ["another secret of thirty-two bytes and more"] });
    expect(await said(foreign, ana, "POST")).toBe("csrf_failed");
  });

  test("refuses the token of another session, of the same person too", async () => {
    const here = world();
    const ana = await here.registered();
    const again = here.browser();
    await again.post("/api/v1/auth/login", { email: "ana@example.com", password });
    const bob = await here.registered("bob@example.com");
    for (const other of [again, bob]) {
      const token = other.jar.get(`${cookieName}-csrf`) ?? "";
      expect(await said(here, ana, "POST", { csrf: false, headers: { "x-csrf-token": token } })).toBe(
        "csrf_failed",
      );
    }
  });

  test("refuses the token of the session's former id", async () => {
    const here = world();
    const ana = await here.registered();
    const former = ana.jar.get(`${cookieName}-csrf`) ?? "";
    await ana.post("/api/v1/auth/reauthenticate", { password });
    expect(await said(here, ana, "POST", { csrf: false, headers: { "x-csrf-token": former } })).toBe(
      "csrf_failed",
    );
    expect(await said(here, ana, "POST")).toBe("ok");
  });

  test.each([
    ["garbage", "x"],
    ["an empty MAC", `c1.${"A".repeat(86)}`],
    ["a token in a query would be", "c1."],
    ["a very long one", "c1.".padEnd(5_000, "a")],
  ])("refuses %s", async (_, token) => {
    const here = world();
    const ana = await here.registered();
    expect(await said(here, ana, "POST", { csrf: false, headers: { "x-csrf-token": token } })).toBe(
      "csrf_failed",
    );
  });

  test("reads an empty header as none", async () => {
    const here = world();
    const ana = await here.registered();
    expect(await said(here, ana, "POST", { csrf: false, headers: { "x-csrf-token": "" } })).toBe(
      "csrf_required",
    );
  });

  test("a changed bit anywhere in the token fails", async () => {
    const here = world();
    const ana = await here.registered();
    const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
    for (const at of [3, 20, 45, 46, 60, 87]) {
      const changed = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
      expect(await said(here, ana, "POST", { csrf: false, headers: { "x-csrf-token": changed } })).toBe(
        "csrf_failed",
      );
    }
  });
});

describe("the form field", () => {
  const urlencoded = "application/x-www-form-urlencoded";

  test("carries the token where no header can, and the body is still there for the handler", async () => {
    const here = world();
    const ana = await here.registered();
    const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
    const form = { _token: token, name: "Ana" };
    const handler = here.auth.protect(
      async (request: Request) => Response.json([...(await request.formData())]),
      signedIn(),
    );
    const answer = await handler(
      ana.request("POST", "/x", { csrf: false, form, headers: { "content-length": "150" } }),
      client,
    );
    expect(await answer.json()).toEqual(Object.entries(form));
    const multipart = new FormData();
    for (const [name, value] of Object.entries(form)) multipart.set(name, value);
    const request = ana.request("POST", "/x", {
      csrf: false,
      body: multipart,
      headers: { "content-length": "500" },
    });
    expect((await handler(request, client)).status).toBe(200);
  });

  test("counts a form token of this session too, until it expires, for any form", async () => {
    const here = world({ session: { idleSeconds: 7_200 } });
    const ana = await here.registered();
    const visit = { request: ana.request("GET", "/x"), client };
    const { token } = await here.auth.forms.token("profile", visit);
    const send = () =>
      said(here, ana, "POST", { csrf: false, form: { _token: token }, headers: { "content-length": "200" } });
    expect(await send()).toBe("ok");
    const bob = await here.registered("bob@example.com");
    const { token: bobs } = await here.auth.forms.token("profile", {
      request: bob.request("GET", "/x"),
      client,
    });
    expect(await said(here, ana, "POST", { csrf: false, headers: { "x-csrf-token": bobs } })).toBe(
      "csrf_failed",
    );
    const { token: strangers } = await here.auth.forms.token("profile", {
      request: here.browser().request("GET", "/x"),
      client,
    });
    expect(await said(here, ana, "POST", { csrf: false, headers: { "x-csrf-token": strangers } })).toBe(
      "csrf_failed",
    );
    here.clock.advance(3_599);
    expect(await send()).toBe("ok");
    here.clock.advance(1);
    expect(await send()).toBe("csrf_failed");
  });

  test("is not read of JSON, of what says no length or too much of it, or of what was read already", async () => {
    const here = world();
    const ana = await here.registered();
    const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
    const form = { _token: token };
    const ask = (options: Send) => said(here, ana, "POST", { csrf: false, ...options });
    expect(await ask({ json: form, headers: { "content-length": "150" } })).toBe("csrf_required");
    expect(await ask({ form })).toBe("csrf_required");
    expect(await ask({ form, headers: { "content-length": "65537" } })).toBe("csrf_required");
    for (const length of ["", "-1", "1e3"])
      expect(await ask({ form, headers: { "content-length": length } })).toBe("csrf_required");
    expect(await ask({ form, headers: { "content-length": "65536" } })).toBe("ok");
    const read = ana.request("POST", "/x", { csrf: false, form, headers: { "content-length": "150" } });
    await read.text();
    expect(await here.auth.check(read, client)).toMatchObject({
      ok: false,
      error: { code: "csrf_required" },
    });
  });

  test("that is a file, or in a broken form, is none", async () => {
    const here = world();
    const ana = await here.registered();
    const multipart = new FormData();
    multipart.set("_token", new Blob(["x"]));
    const headers = { "content-length": "300" };
    expect(await said(here, ana, "POST", { csrf: false, body: multipart, headers })).toBe("csrf_required");
    const broken = { ...headers, "content-type": "multipart/form-data; boundary=x" };
    expect(await said(here, ana, "POST", { csrf: false, body: "garbage", headers: broken })).toBe(
      "csrf_required",
    );
  });

  test("is asked of the adapter where it has one", async () => {
    const here = world();
    const ana = await here.registered();
    const asked: string[] = [];
    const { method, url, headers } = ana.request("POST", "/x", {
      csrf: false,
      headers: { "content-type": urlencoded },
    });
    const formField = (value: string | null) => (name: string) => {
      asked.push(name);
      return value;
    };
    const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
    const check = (value: string | null) =>
      here.auth.check({ method, url, headers, formField: formField(value) }, client);
    expect((await check(token)).ok).toBe(true);
    expect(await check(null)).toMatchObject({ ok: false, error: { code: "csrf_required" } });
    expect(asked).toEqual(["_token", "_token"]);
  });

  test("is read once for token and input alike on Latchkey's own routes", async () => {
    const here = world();
    const ana = await here.registered();
    const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
    const good = await ana.send("PATCH", "/api/v1/users/me", {
      csrf: false,
      form: { _token: token, name: "Ana" },
    });
    expect(good).toMatchObject({ status: 200, body: { name: "Ana" } });
    const missing = await ana.send("PATCH", "/api/v1/users/me", { csrf: false, form: { name: "Eve" } });
    expect(missing).toMatchObject({ status: 403, body: { code: "csrf_required" } });
    const inJson = await ana.patch("/api/v1/users/me", { _token: token, name: "Bea" }, { csrf: false });
    expect(inJson.status).toBe(200);
    expect((await ana.patch("/api/v1/users/me", { _token: 7 }, { csrf: false })).body.code).toBe(
      "csrf_required",
    );
  });
});

describe("routes that start a session", () => {
  const login = { email: "ana@example.com", password };

  test("ask for the origin, and for no token", async () => {
    const here = world();
    await here.registered();
    for (const [path, body, status] of [
      ["/api/v1/auth/login", login, 200],
      ["/api/v1/auth/register", { email: "new@example.com", password }, 201],
    ] as const) {
      const stranger = here.browser();
      const forged = { headers: { origin: evil, "sec-fetch-site": "cross-site" } };
      expect((await stranger.post(path, body, forged)).body.code).toBe("origin_rejected");
      expect(
        (await stranger.post(path, body, { headers: { origin: "null", "sec-fetch-site": null } })).body.code,
      ).toBe("origin_rejected");
      expect(stranger.jar.size).toBe(0);
      expect((await stranger.post(path, body)).status).toBe(status);
    }
  });

  test("ask for no token of somebody who is signed in either", async () => {
    const here = world();
    const ana = await here.registered();
    expect((await ana.post("/api/v1/auth/login", login, { csrf: false })).status).toBe(200);
  });

  test("of the library ask for the origin too", async () => {
    const here = world();
    await here.registered();
    const request = here
      .browser()
      .request("POST", "/login", { headers: { origin: evil, "sec-fetch-site": "cross-site" } });
    const input = { identifier: login.email, password };
    await expect(here.auth.users.login(input, { request, client })).rejects.toMatchObject({
      code: "origin_rejected",
    });
    await expect(
      here.auth.users.register({ email: "x@example.com", password }, { request, client }),
    ).rejects.toMatchObject({
      code: "origin_rejected",
    });
    const token = String(await world().auth.users.issueSetupToken());
    await expect(
      here.auth.users.setUp(token, { email: "x@example.com", password }, { request, client }),
    ).rejects.toMatchObject({
      code: "origin_rejected",
    });
    expect(
      await here.auth.users.login(input, { request: bareRequest({ method: "POST" }), client }),
    ).toBeDefined();
  });
});

describe("signing out", () => {
  test("asks for the origin also where no cookie came: its answer clears one", async () => {
    const here = world();
    const headers = { origin: evil, "sec-fetch-site": "cross-site" };
    const forged = await here.browser().post("/api/v1/auth/logout", undefined, { headers });
    expect(forged).toMatchObject({ status: 403, body: { code: "origin_rejected" }, cookies: [] });
    expect((await here.browser().post("/api/v1/auth/logout")).status).toBe(200);
  });

  test("by a link of an application's own page, and with csrf: false, asks for none", async () => {
    const headers = { origin: evil, "sec-fetch-site": "cross-site" };
    const here = world();
    const request = here.browser().request("GET", "/sign-out", { headers });
    expect(await here.auth.sessions.logout({ request, client })).toMatchObject({ ended: false });
    const open = world({ origin: "http://localhost:3000", csrf: false });
    expect((await open.browser().post("/api/v1/auth/logout", undefined, { headers })).status).toBe(200);
  });
});

describe("a refusal", () => {
  test("is an event that names the stage, the method and the path without its query", async () => {
    const here = world();
    const ana = await here.registered();
    const evils = { origin: evil, "sec-fetch-site": "cross-site" };
    await here.auth.check(ana.request("POST", "/pay?to=eve", { csrf: false }), client);
    await here.auth.check(ana.request("DELETE", `/${"x".repeat(300)}`, { headers: evils }), client);
    await here.auth.check(here.browser().request("POST", "/x", { headers: evils }), client, anyone());
    const events = here.heard("csrf.refused");
    expect(events).toMatchObject([
      { userId: ana.userId, requestId: "r-1", payload: { method: "POST", path: "/pay", stage: "token" } },
      { userId: ana.userId, payload: { method: "DELETE", stage: "origin" } },
    ]);
    expect(events[0]?.sessionId).toMatch(/^\w{24}$/);
    expect(events[1]?.payload.path).toHaveLength(200);
    expect(await here.audit("csrf.refused")).toHaveLength(2);
  });

  test("changes nothing, and the session goes on", async () => {
    const here = world();
    const ana = await here.registered();
    here.recorder.calls.length = 0;
    const answer = await ana.post("/api/v1/auth/logout-all", undefined, { csrf: false });
    expect(answer).toMatchObject({ status: 403, body: { code: "csrf_required" }, cookies: [] });
    expect(here.recorder.trace()).toEqual(["sessions.find"]);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
  });
});

test("csrf: false, on loopback, switches both stages off everywhere", async () => {
  const here = world({ origin: "http://localhost:3000", csrf: false });
  const forged = { csrf: false, headers: { origin: evil, "sec-fetch-site": "cross-site" } };
  const ana = here.browser();
  expect(
    (await ana.post("/api/v1/auth/register", { email: "ana@example.com", password }, forged)).status,
  ).toBe(201);
  expect((await ana.patch("/api/v1/users/me", { name: "Ana" }, forged)).status).toBe(200);
  const request = ana.request("POST", "/login", forged);
  expect(
    await here.auth.users.login({ identifier: "ana@example.com", password }, { request, client }),
  ).toBeDefined();
});

test("every answer that rotates the session carries the new session's token, in body and cookie", async () => {
  const here = world();
  const ana = await here.registered();
  const rotating = [
    () => ana.post("/api/v1/auth/login", { email: "ana@example.com", password }),
    () => ana.post("/api/v1/auth/reauthenticate", { password }),
    () => ana.put("/api/v1/users/me/password", { current_password: password, new_password: `${password}!` }),
  ];
  for (const rotate of rotating) {
    const answer = await rotate();
    expect(answer.status).toBe(200);
    const cookie = answer.cookies.find(({ name }) => name === `${cookieName}-csrf`);
    expect(cookie?.value).toBe(answer.body.csrf_token);
    expect((await ana.patch("/api/v1/users/me", { name: "Ana" })).status).toBe(200);
  }
});

test("without a session there is no token to be had", async () => {
  const { browser } = world();
  expect((await browser().get("/api/v1/auth/csrf")).body).toEqual({ csrf_token: null });
});
