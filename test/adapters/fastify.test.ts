import fastifyApp from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { fastify } from "../../src/adapters/fastify.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import { cookieName, type WorldOptions, world } from "../support/world.ts";

const form = "application/x-www-form-urlencoded";

async function shop(options: WorldOptions = {}) {
  const here = world(options);
  const ada = await here.registered();
  const { handle, required, current, principal, session } = fastify(here.auth);
  const app = fastifyApp();
  const failed: unknown[] = [];
  app.addContentTypeParser(form, { parseAs: "string" }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.addHook("onRequest", handle);
  app.post("/order", { preHandler: required() }, async (request) => current(request).displayName);
  app.get("/admin", { preHandler: required(guard("admin", () => false)) }, async () => "in");
  app.get("/open", { preHandler: required(anyone()) }, async (request) => current(request).displayName);
  app.get("/forgotten", async (request) => principal(request).displayName);
  app.post("/late", { preHandler: required(anyone()) }, async (request, reply) => {
    await reply.send("sent");
    await session(request)
      .set("seen", true)
      .catch((error: unknown) => failed.push(error));
  });
  app.setErrorHandler((error, _request, reply) => reply.code(418).send(String(error)));
  onTestFinished(() => app.close());
  const cookie = [...ada.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const token = ada.jar.get(`${cookieName}-csrf`) ?? "";
  const order = (type: string, payload: string) =>
    app.inject({
      method: "POST",
      url: "/order",
      headers: { cookie, "content-type": type, origin: "https://app.example" },
      payload,
    });
  return { here, app, cookie, token, order, failed };
}

describe("Fastify", () => {
  test("the CSRF token is found in the form that a parser has read, and in JSON it is not", async () => {
    const { order, token } = await shop();
    expect((await order(form, `_token=${encodeURIComponent(token)}`)).statusCode).toBe(200);
    expect((await order(form, "_token=c1.someoneelse")).json().code).toBe("csrf_failed");
    expect((await order("application/json", JSON.stringify({ _token: token }))).json().code).toBe(
      "csrf_required",
    );
  });

  test("a refusal is what the application's onError makes of it, with every header and cookie", async () => {
    const { app, cookie } = await shop({
      onError: ({ code }) =>
        new Response(`own ${code}`, {
          status: 451,
          headers: [
            ["X-Own", "1"],
            ["Set-Cookie", "one=1"],
            ["Set-Cookie", "two=2"],
          ],
        }),
    });
    const refused = await app.inject({ url: "/admin", headers: { cookie } });
    expect([refused.statusCode, refused.body, refused.headers["x-own"]]).toEqual([451, "own forbidden", "1"]);
    expect(refused.headers["set-cookie"]).toEqual(expect.arrayContaining(["one=1", "two=2"]));
  });

  test("a page request that has somewhere to go is no refusal to make anything of", async () => {
    const { app } = await shop({ onError: () => new Response("own") });
    const sent = await app.inject({ method: "GET", url: "/open", headers: { accept: "text/html" } });
    expect(sent.statusCode).toBe(418);
    const order = await app.inject({ url: "/admin", headers: { accept: "text/html" } });
    expect([order.statusCode, order.headers.location]).toEqual([302, "/login?next=%2Fadmin"]);
  });

  test("a visitor's first data after the answer begins no session, and the operator is told", async () => {
    const { here, app, failed } = await shop();
    const before = here.heard("session.started").length;
    const answer = await app.inject({ method: "POST", url: "/late" });
    expect([answer.statusCode, answer.headers["set-cookie"]]).toEqual([200, undefined]);
    expect(String(failed[0])).toMatch(/^TypeError: session.set: the headers were sent/);
    expect(here.heard("session.started")).toHaveLength(before);
    expect(here.log).toMatchObject([{ level: "error", cause: { name: "TypeError" } }]);
  });

  test("what a guard refuses is told with the address that a trusted proxy gives", async () => {
    const { here, cookie } = await shop();
    const { required } = fastify(here.auth, { trustedProxies: ["127.0.0.1"] });
    const app = fastifyApp();
    onTestFinished(() => app.close());
    app.get("/admin", { onRequest: required(guard("admin", () => false)) }, async () => "in");
    const headers = { cookie, "x-forwarded-for": "203.0.113.9" };
    expect((await app.inject({ url: "/admin", headers })).statusCode).toBe(403);
    expect(here.heard("permission.denied")[0]?.ip).toBe("203.0.113.9");
  });

  test("a route that asks nobody says so in place of guessing", async () => {
    const { app, cookie } = await shop();
    const forgotten = await app.inject({ url: "/forgotten", headers: { cookie } });
    expect([forgotten.statusCode, forgotten.body]).toEqual([418, expect.stringMatching(/put required\(\)/)]);
    const open = await app.inject({ url: "/open" });
    expect([open.statusCode, open.body]).toEqual([418, expect.stringMatching(/nobody is signed in/)]);
  });
});
