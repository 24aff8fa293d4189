import { describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import type { Feature } from "../../src/features/feature.ts";
import { anyone } from "../../src/guards/guards.ts";
import { routeTable } from "../../src/pipeline/route-table.ts";
import type { Route } from "../../src/ports/route.ts";
import { bareRequest, readAnswer } from "../support/browser.ts";
import { cookieName, password, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };

function route(method: Route["method"], path: string, more: Partial<Route> = {}): Route {
  return {
    method,
    path,
    summary: "",
    guards: [anyone()],
    answers: {},
    handle: async () => ({ status: 204 }),
    ...more,
  };
}

function feature(...routes: readonly Route[]): Feature<null> {
  return { name: "extra", install: () => ({ api: null, routes: async () => routes }) };
}

describe("the table of routes", () => {
  const me = route("GET", "/users/me");
  const table = routeTable(
    [
      me,
      route("PATCH", "/users/me"),
      route("DELETE", "/things/{id}"),
      route("GET", "/healthz", { isAtRoot: true }),
    ],
    "/api",
  );

  test("finds a route with and without a slash at its end", () => {
    for (const path of ["/api/users/me", "/api/users/me/"]) expect(table.match("GET", path)?.route).toBe(me);
    expect(table.match("GET", "/api/users/me//")).toBeNull();
    expect(table.match("GET", "/healthz")?.route?.path).toBe("/healthz");
  });

  test("knows nothing of other paths", () => {
    for (const path of [
      "/users/me",
      "/api/users",
      "/api/healthz",
      "/",
      "/api/things",
      "/api/things/",
      "/api/things//",
      "/api/things/a/b",
      "/api/Users/me",
    ]) {
      expect(table.match("GET", path)).toBeNull();
    }
  });

  test("answers HEAD as GET", () => {
    expect(table.match("HEAD", "/api/users/me")?.route).toBe(me);
  });

  test("says which methods a path answers to", () => {
    expect(table.match("PUT", "/api/users/me")).toEqual({
      route: null,
      allowed: ["GET", "PATCH"],
      params: {},
    });
  });

  test("reads variable segments, escapes undone, broken ones as they stand", () => {
    expect(table.match("DELETE", "/api/things/a%2Fb")?.params).toEqual({ id: "a/b" });
    expect(table.match("DELETE", "/api/things/%E0%A4%A")?.params).toEqual({ id: "%E0%A4%A" });
  });

  test("has no two routes of one method and path", () => {
    expect(() => routeTable([me, route("GET", "/users/me")], "")).toThrow(TypeError);
    expect(() => routeTable([route("GET", "/a/{id}"), route("GET", "/a/{id}")], "")).toThrow(TypeError);
    expect(() => routeTable([route("GET", "/a/{id}"), route("PUT", "/a/{id}")], "")).not.toThrow();
  });

  test("at the base path / lies at the root", () => {
    expect(routeTable([me], "/").match("GET", "/users/me")?.route).toBe(me);
  });
});

describe("handle", () => {
  test("answers null for what is nobody's route, so that the application goes on", async () => {
    const { auth, recorder } = world();
    for (const path of ["/", "/api/v1", "/api/v1/nothing", "/users/me"]) {
      expect(await auth.handle(bareRequest({ url: path }), client)).toBeNull();
    }
    expect(recorder.calls).toEqual([]);
  });

  test("answers a wrong method with 405 and the right ones", async () => {
    const { browser } = world();
    const { status, body, headers } = await browser().send("OPTIONS", "/api/v1/users/me");
    expect({ status, code: body.code, allow: headers.get("allow") }).toEqual({
      status: 405,
      code: "method_not_allowed",
      allow: "GET, PATCH, PUT, DELETE",
    });
  });

  test("lies below the configured base path", async () => {
    const { browser, auth } = world({ basePath: "/auth-api" });
    expect((await browser().get("/auth-api/auth/session")).status).toBe(200);
    expect(await auth.handle(bareRequest({ url: "/api/v1/auth/session" }), client)).toBeNull();
  });

  test("gives every answer a request id: the caller's, or a fresh one, the same in the problem and in the audit log", async () => {
    const { auth, browser, heard } = world();
    const own = await auth.handle(bareRequest({ url: "/healthz" }), { ip: null, requestId: "r-1" });
    expect(own?.headers.get("x-request-id")).toBe("r-1");
    const { headers, body } = await browser().post("/api/v1/auth/login", {
      email: "nobody@example.com",
      password,
    });
    expect(headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    expect(body.request_id).toBe(headers.get("x-request-id"));
    expect(heard("user.login_failed")[0]?.requestId).toBe(body.request_id);
  });

  test("answers JSON that nothing sniffs and no cache keeps", async () => {
    const { browser } = world();
    const { headers } = await browser().get("/api/v1/auth/session");
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("vary")).toContain("Cookie");
  });

  test("clears a stale cookie on public routes and in refusals alike", async () => {
    const { browser } = world();
    for (const [path, status] of [
      ["/api/v1/auth/session", 200],
      ["/api/v1/users/me", 401],
    ] as const) {
      const visitor = browser();
      visitor.jar.set(cookieName, `${"a".repeat(24)}.${"b".repeat(43)}`);
      const answer = await visitor.get(path);
      expect(answer.status).toBe(status);
      expect(answer.cookies).toMatchObject([
        { name: cookieName, value: "", attributes: { "max-age": "0" } },
        { name: `${cookieName}-csrf`, value: "", attributes: { "max-age": "0" } },
      ]);
    }
  });

  test("reads the body only of a route that has input, and only past the guards", async () => {
    const { auth } = world();
    let isRead = false;
    const body = (): ReadableStream<Uint8Array> => {
      isRead = true;
      throw new Error("read");
    };
    const request = (method: string, url: string) => ({
      ...bareRequest({ method, url }),
      get body() {
        return body();
      },
    });
    expect((await auth.handle(request("POST", "/api/v1/auth/logout"), client))?.status).toBe(200);
    expect((await auth.handle(request("PATCH", "/api/v1/users/me"), client))?.status).toBe(401);
    expect(isRead).toBe(false);
  });

  test("hands on exactly what the schema let through", async () => {
    const seen: unknown[] = [];
    const input = {
      "~standard": { validate: (value: unknown) => ({ value: { only: (value as { only: unknown }).only } }) },
    };
    const echo = route("POST", "/echo", {
      input,
      async handle(call) {
        seen.push(call.input);
        return { status: 204 };
      },
    });
    const { browser } = world({ features: [feature(echo)] });
    expect((await browser().post("/api/v1/echo", { only: 1, role: "admin" })).status).toBe(204);
    expect(seen).toEqual([{ only: 1 }]);
  });

  test("names each field that a schema refuses, wherever the schema says it is", async () => {
    const issues = [
      { message: "a", path: ["name"] },
      { message: "b", path: [{ key: "email" }] },
      { message: "c" },
    ];
    const input = { "~standard": { validate: async () => ({ issues }) } };
    const { browser } = world({ features: [feature(route("POST", "/echo", { input }))] });
    expect(await browser().post("/api/v1/echo", {})).toMatchObject({
      status: 400,
      body: {
        code: "invalid_input",
        errors: [
          { field: "name", code: "invalid", message: "a" },
          { field: "email", code: "invalid", message: "b" },
          { field: "", code: "invalid", message: "c" },
        ],
      },
    });
  });

  test("turns what a handler throws into an answer: a refusal as it is, anything else without a word of it", async () => {
    const refuses = route("GET", "/refuses", { handle: () => Promise.reject(new AuthError("conflict")) });
    const breaks = route("GET", "/breaks", { handle: () => Promise.reject(new Error("password hunter2")) });
    const { browser, log } = world({ features: [feature(refuses, breaks)] });
    expect(await browser().get("/api/v1/refuses")).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(log).toEqual([]);
    const { status, body, text } = await browser().get("/api/v1/breaks");
    expect({ status, code: body.code }).toEqual({ status: 500, code: "internal_error" });
    expect(text).not.toContain("hunter2");
    expect(log).toMatchObject([{ level: "error", cause: new Error("password hunter2") }]);
  });

  test("is busy, and not broken, where hashing is overloaded: the operator's log stays quiet", async () => {
    const { browser, threads, log } = world();
    threads.before = async () => {
      throw new AuthError("overloaded", { retryAfterSeconds: 2 });
    };
    const { status, body, headers } = await browser().post("/api/v1/auth/login", {
      email: "a@example.com",
      password,
    });
    expect({ status, code: body.code, after: headers.get("retry-after") }).toEqual({
      status: 503,
      code: "overloaded",
      after: "2",
    });
    expect(log).toEqual([]);
  });
});

describe("onError", () => {
  test("makes the answer in place of the problem document, cookies sealed in all the same", async () => {
    const seen: string[] = [];
    const onError = (error: AuthError, request: { url: string }) => {
      seen.push(`${error.code} ${new URL(request.url).pathname}`);
      return error.code === "session_expired" ? new Response("sorry", { status: 418 }) : null;
    };
    const { auth, browser } = world({ onError });
    const visitor = browser();
    const stale = `${"a".repeat(24)}.${"b".repeat(43)}`;
    visitor.jar.set(cookieName, stale);
    expect(await visitor.get("/api/v1/users/me")).toMatchObject({
      status: 418,
      text: "sorry",
      cookies: [{ name: cookieName }, {}],
    });
    expect(await visitor.get("/api/v1/users/me")).toMatchObject({
      status: 401,
      body: { code: "not_authenticated" },
    });
    const handler = auth.protect(async () => new Response("in"));
    expect((await handler(visitor.request("GET", "/page"), client)).status).toBe(401);
    visitor.jar.set(cookieName, stale);
    const own = await readAnswer(await handler(visitor.request("GET", "/page"), client));
    expect(own).toMatchObject({ status: 418, cookies: [{ name: cookieName }, {}] });
    expect(seen).toEqual([
      "session_expired /api/v1/users/me",
      "not_authenticated /api/v1/users/me",
      "not_authenticated /page",
      "session_expired /page",
    ]);
  });

  test("is not asked where a page request is sent on", async () => {
    const { auth, browser } = world({ onError: () => new Response("own") });
    const handler = auth.protect(async () => new Response("in"));
    const answer = await handler(
      browser().request("GET", "/account", { headers: { "sec-fetch-mode": "navigate" } }),
      client,
    );
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/login?next=%2Faccount"]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });
});

describe("CORS", () => {
  const preflight = { origin: "https://spa.example", "access-control-request-method": "PATCH" };
  const cors = { origins: ["https://spa.example"], credentials: true, headers: ["X-Own", "X-API-Key"] };

  test("is nothing where none is configured", async () => {
    const { browser } = world();
    const answer = await browser().send("OPTIONS", "/api/v1/users/me", { headers: preflight });
    expect(answer.status).toBe(405);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
  });

  test("answers the preflight of a configured origin", async () => {
    const { browser, recorder } = world({ cors });
    const { status, headers } = await browser().send("OPTIONS", "/api/v1/users/me", { headers: preflight });
    expect(status).toBe(204);
    expect(Object.fromEntries(headers)).toMatchObject({
      "access-control-allow-origin": "https://spa.example",
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "Authorization, Content-Type, X-CSRF-Token, X-API-Key, X-Own",
      vary: "Origin",
    });
    expect(recorder.calls).toEqual([]);
  });

  test("gives another origin no leave, and no path that is none of ours", async () => {
    const { auth, browser } = world({ cors });
    const other = await browser().send("OPTIONS", "/api/v1/users/me", {
      headers: { ...preflight, origin: "https://evil.example" },
    });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    expect(other.headers.get("vary")).toBe("Origin");
    expect(
      await auth.handle(bareRequest({ method: "OPTIONS", url: "/other", headers: preflight }), client),
    ).toBeNull();
  });

  test("is a preflight only with origin and method", async () => {
    const { browser } = world({ cors });
    for (const missing of [{ origin: null }, { "access-control-request-method": null }]) {
      expect(
        (await browser().send("OPTIONS", "/api/v1/users/me", { headers: { ...preflight, ...missing } }))
          .status,
      ).toBe(405);
    }
    expect((await browser().get("/api/v1/auth/session", { headers: preflight })).status).toBe(200);
  });

  test("lets a configured origin read answers and refusals, others not", async () => {
    const { browser } = world({ cors });
    for (const path of ["/api/v1/auth/session", "/api/v1/users/me"]) {
      const good = await browser().get(path, { headers: { origin: "https://spa.example" } });
      expect(good.headers.get("access-control-allow-origin")).toBe("https://spa.example");
      expect(good.headers.get("access-control-allow-credentials")).toBe("true");
      expect(good.headers.get("vary")).toContain("Origin");
      const bad = await browser().get(path, { headers: { origin: "https://evil.example" } });
      expect(bad.headers.get("access-control-allow-origin")).toBeNull();
      expect(bad.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  test("of origins that are nearly the configured one gives no leave", async () => {
    const { browser } = world({ cors });
    for (const origin of [
      ...[
        "null",
        "http://spa.example",
        "https://spa.example.",
        "https://spa.example:8443",
        "https://SPA.example",
      ],
      ...[
        "https://evil.spa.example",
        "https://spa.example.evil.example",
        "https://spa.example/",
        "https://spa.exampl",
      ],
    ]) {
      const { headers } = await browser().get("/api/v1/auth/session", { headers: { origin } });
      expect(headers.get("access-control-allow-origin"), origin).toBeNull();
      expect(headers.get("access-control-expose-headers"), origin).toBeNull();
    }
  });

  test("shows scripts when to come again, also on a refusal by a limit", async () => {
    const { browser } = world({ cors, login: { maxAttempts: 1 } });
    const wrong = { email: "nobody@example.com", password: "not the password" };
    const headers = { origin: "https://spa.example", "sec-fetch-site": null };
    await browser().post("/api/v1/auth/login", wrong);
    const answer = await browser().post("/api/v1/auth/login", wrong, { headers });
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://spa.example");
    expect(answer.headers.get("access-control-expose-headers")?.split(", ")).toContain("Retry-After");
  });

  test("answers a preflight before limits and strategies, whoever asks how often", async () => {
    const { browser, recorder } = world({ cors });
    for (let times = 0; times < 200; times++) {
      const headers = { ...preflight, "access-control-request-method": "POST", cookie: "__Host-latchkey=x" };
      expect((await browser().send("OPTIONS", "/api/v1/auth/register", { headers })).status).toBe(204);
    }
    expect(recorder.calls).toEqual([]);
  });

  test("without credentials gives no leave for cookies; * is for everybody", async () => {
    const some = world({ cors: { origins: ["https://spa.example"] } });
    const { headers } = await some.browser().get("/healthz", { headers: { origin: "https://spa.example" } });
    expect(headers.get("access-control-allow-credentials")).toBeNull();
    const all = world({ origin: "http://localhost:3000", cors: { origins: "*" } });
    const anyones = await all.browser().get("/healthz", { headers: { origin: "https://x.example" } });
    expect(anyones.headers.get("access-control-allow-origin")).toBe("*");
  });
});
