import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, expect, test } from "vitest";
import { hono } from "../../src/adapters/hono.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import type { SessionData } from "../../src/ports/session-data.ts";
import { readAnswer, type Send } from "../support/browser.ts";
import { cookieName, password, type WorldOptions, world } from "../support/world.ts";

/** Node's request as `@hono/node-server` hands it on. */
const env = { incoming: { socket: { remoteAddress: "198.51.100.4" } } };

async function usual(options: WorldOptions = {}) {
  const here = world(options);
  const ana = await here.registered();
  // The three lines that protect a route.
  const { handle, protect, client } = hono<Context>(here.auth);
  const app = new Hono();
  app.use(handle);
  app.get(
    "/hello",
    protect((c, { displayName }) => c.text(`Hello, ${displayName}`)),
  );
  return { app, protect, client, here, ana };
}

test("three lines protect a route", async () => {
  const { app, ana, here } = await usual();
  expect(await (await app.fetch(ana.request("GET", "/hello"))).text()).toMatch(/^Hello, u/);
  const refused = await app.fetch(here.browser().request("GET", "/hello"));
  expect([refused.status, refused.headers.get("content-type")]).toEqual([401, "application/problem+json"]);
});

test("handle answers Latchkey's own routes, and leaves the others to the app", async () => {
  const { app, here } = await usual();
  app.get("/mine", (c) => c.text("mine"));
  expect((await app.fetch(here.browser().request("GET", "/healthz"))).status).toBe(200);
  expect(await (await app.fetch(here.browser().request("GET", "/mine"))).text()).toBe("mine");
  expect((await app.fetch(here.browser().request("GET", "/nothing"))).status).toBe(404);
});

describe("protect", () => {
  test("hands on the context with what the route knows of it", async () => {
    const { app, protect, ana } = await usual();
    app.get(
      "/things/:id",
      protect((c, { user }) => c.json({ id: c.req.param("id"), user: user.id })),
    );
    const answer = await readAnswer(await app.fetch(ana.request("GET", "/things/7")));
    expect(answer.body).toEqual({ id: "7", user: ana.userId });
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test("reads the CSRF token of a form, and the handler reads the same form", async () => {
    const { app, protect, ana } = await usual();
    app.post(
      "/name",
      protect(async (c) => c.json(await c.req.parseBody())),
    );
    const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
    // As a browser declares it; a `Request` that never was on a wire does not say.
    const headers = { "content-length": "500" };
    const send = async (options: Send) =>
      readAnswer(await app.fetch(ana.request("POST", "/name", { csrf: false, headers, ...options })));
    expect((await send({ form: { _token: token, name: "Ana" } })).body).toEqual({
      _token: token,
      name: "Ana",
    });
    const multipart = new FormData();
    multipart.set("_token", token);
    multipart.set("name", "Ana");
    expect((await send({ body: multipart })).body).toEqual({ _token: token, name: "Ana" });
    expect((await send({ form: { name: "Eve" } })).body.code).toBe("csrf_required");
    const file = new FormData();
    file.set("_token", new Blob([token]));
    expect((await send({ body: file })).body.code).toBe("csrf_required");
  });

  test("reads no form in another charset than UTF-8", async () => {
    const { app, protect, ana } = await usual();
    app.post(
      "/name",
      protect((c) => c.text("in")),
    );
    const form = { _token: ana.jar.get(`${cookieName}-csrf`) ?? "" };
    const type = "application/x-www-form-urlencoded; charset=iso-8859-1";
    const headers = { "content-type": type, "content-length": "150" };
    const { body } = await readAnswer(
      await app.fetch(ana.request("POST", "/name", { csrf: false, form, headers })),
    );
    expect(body.code).toBe("csrf_required");
  });

  test("does not read a body that is no form", async () => {
    const { app, protect, ana } = await usual();
    app.post(
      "/json",
      protect(async (c) => c.json(await c.req.json())),
    );
    const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
    const answer = await readAnswer(
      await app.fetch(ana.request("POST", "/json", { json: { _token: token } })),
    );
    expect(answer.body).toEqual({ _token: token });
    const without = await readAnswer(
      await app.fetch(ana.request("POST", "/json", { csrf: false, json: { _token: token } })),
    );
    expect(without.body.code).toBe("csrf_required");
  });

  test("takes guards, and an open one makes the principal anybody", async () => {
    const { app, protect, ana, here } = await usual();
    app.get(
      "/admin",
      protect(
        (c) => c.text("in"),
        guard("admin", () => false),
      ),
    );
    app.get(
      "/open",
      protect((c, { displayName }) => c.text(displayName), anyone()),
    );
    expect((await app.fetch(ana.request("GET", "/admin"))).status).toBe(403);
    expect(await (await app.fetch(here.browser().request("GET", "/open"))).text()).toBe("Anonymous");
  });

  test("seals the session that a visitor's first set creates", async () => {
    const { app, protect, here } = await usual();
    const add = protect(async (c, _, session) => {
      await session.set("cart", [1]);
      return c.text("ok");
    }, anyone());
    app.post("/cart", add);
    const { cookies } = await readAnswer(await app.fetch(here.browser().request("POST", "/cart")));
    expect(cookies.map(({ name }) => name)).toEqual([cookieName, `${cookieName}-csrf`]);
  });
});

describe("a handler that throws Hono's HTTPException", () => {
  async function thrower(thrown: () => unknown) {
    const { app, protect, ana, here } = await usual();
    const handler = async (_: Context, __: unknown, session: SessionData): Promise<Response> => {
      await session.set("cart", [1]);
      throw thrown();
    };
    app.get("/signed-in", protect(handler));
    app.post("/cart", protect(handler, anyone()));
    const visitor = here.browser().request("POST", "/cart");
    return {
      here,
      signedIn: await readAnswer(await app.fetch(ana.request("GET", "/signed-in"))),
      guest: await readAnswer(await app.fetch(visitor)),
    };
  }

  test("answers what it says, and nothing is lost of the session, nor logged", async () => {
    const { here, signedIn, guest } = await thrower(() => new HTTPException(409, { message: "Sold out." }));
    for (const { status, text } of [signedIn, guest]) expect([status, text]).toEqual([409, "Sold out."]);
    expect(signedIn.headers.get("cache-control")).toBe("no-store");
    expect(guest.cookies.map(({ name }) => name)).toEqual([cookieName, `${cookieName}-csrf`]);
    expect(here.log).toEqual([]);
  });

  test("answers with its own response", async () => {
    const { signedIn } = await thrower(() => {
      const res = Response.json({ error: "busy" }, { headers: { "Retry-After": "7" } });
      return new HTTPException(429, { res });
    });
    expect([signedIn.status, signedIn.body]).toEqual([429, { error: "busy" }]);
    expect(signedIn.headers.get("retry-after")).toBe("7");
  });

  test("is logged from 500 on, by what was thrown", async () => {
    const thrown = new HTTPException(502, { message: "The warehouse does not answer." });
    const { here, signedIn, guest } = await thrower(() => thrown);
    for (const { status, text } of [signedIn, guest]) expect([status, text]).toEqual([502, thrown.message]);
    expect(here.log).toMatchObject(
      Array.from({ length: 2 }, () => ({
        level: "error",
        fields: { code: "internal_error" },
        cause: thrown,
      })),
    );
  });

  test("of another copy of Hono is one as well", async () => {
    const { signedIn } = await thrower(() =>
      Object.assign(new Error("elsewhere"), { getResponse: () => new Response("mine", { status: 418 }) }),
    );
    expect([signedIn.status, signedIn.text]).toEqual([418, "mine"]);
  });

  test("is told from what only looks like it", async () => {
    const { here, signedIn } = await thrower(() => ({ getResponse: () => new Response("hunter2") }));
    expect([signedIn.status, signedIn.body.code]).toEqual([500, "internal_error"]);
    expect(signedIn.text).not.toContain("hunter2");
    expect(here.log).toHaveLength(2);
  });
});

describe("the client's address", () => {
  const body = {
    json: { email: "nobody@example.com", password },
    headers: { "x-forwarded-for": "203.0.113.9" },
  };

  async function seen(options?: Parameters<typeof hono>[1], environment: unknown = env) {
    const here = world();
    const app = new Hono();
    app.use(hono(here.auth, options).handle);
    await app.fetch(here.browser().request("POST", "/api/v1/auth/login", body), environment as object);
    return here.heard("user.login_failed")[0]?.ip;
  }

  test("is the socket's where no proxy is trusted", async () => {
    expect(await seen()).toBe("198.51.100.4");
  });

  test("is the forwarded one behind a trusted proxy", async () => {
    expect(await seen({ trustedProxies: ["198.51.100.0/24"] })).toBe("203.0.113.9");
  });

  test("is told by the platform where there is no socket, and null where nobody tells", async () => {
    expect(await seen({ remoteAddress: () => "192.0.2.3" }, {})).toBe("192.0.2.3");
    expect(await seen({}, {})).toBeNull();
  });

  test("is what an application hands to the library's calls", async () => {
    const { app, client, here } = await usual();
    app.post("/sign-in", async (c) => {
      const visit = { request: c.req.raw, client: client(c) };
      const { change } = await here.auth.users.login({ identifier: "ana@example.com", password }, visit);
      return here.auth.seal(c.text("ok"), change);
    });
    const { status, cookies } = await readAnswer(
      await app.fetch(here.browser().request("POST", "/sign-in"), env),
    );
    const names = [cookieName, `${cookieName}-csrf`, `${cookieName}-device`];
    expect([status, cookies.map(({ name }) => name)]).toEqual([200, names]);
    expect(here.heard("user.logged_in")[0]?.ip).toBe("198.51.100.4");
  });
});
