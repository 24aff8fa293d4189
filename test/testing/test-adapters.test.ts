import { once } from "node:events";
import { createServer } from "node:http";
import expressApp from "express";
import fastifyApp from "fastify";
import { type Context, Hono } from "hono";
import { expect, onTestFinished, test } from "vitest";
import { express } from "../../src/adapters/express.ts";
import { fastify } from "../../src/adapters/fastify.ts";
import { hono } from "../../src/adapters/hono.ts";
import { next } from "../../src/adapters/next.ts";
import { node } from "../../src/adapters/node.ts";
import type { Auth } from "../../src/auth.ts";
import { role } from "../../src/guards/rights.ts";
import { mockPrincipal, signedIn, type TestApp, testAuth, visitor } from "../../src/testing/testing.ts";

/** Applications with `POST /staff` behind `role("admin")`, which answers the principal's name. */
const applications: Readonly<Record<string, (auth: Auth) => Promise<TestApp>>> = {
  async "node:http"(auth) {
    const { protect } = node(auth);
    const staff = protect(
      (_request, response, { displayName }) => void response.end(displayName),
      role("admin"),
    );
    const server = createServer(staff);
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    return server;
  },
  async Hono(auth) {
    const { protect } = hono<Context>(auth);
    const app = new Hono();
    app.post(
      "/staff",
      protect((c, { displayName }) => c.text(displayName), role("admin")),
    );
    return app.fetch;
  },
  async Express(auth) {
    const { required, current } = express(auth);
    const app = expressApp();
    app.post("/staff", required(role("admin")), (request, response) => {
      response.send(current(request).displayName);
    });
    const server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    return server;
  },
  async Fastify(auth) {
    const { required, current } = fastify(auth);
    const app = fastifyApp();
    app.post(
      "/staff",
      { preHandler: required(role("admin")) },
      async (request) => current(request).displayName,
    );
    await app.listen({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => app.close());
    return app.server;
  },
  async Next(auth) {
    const unused = (): never => {
      throw new Error("no page is rendered");
    };
    const headers = async (): Promise<Headers> => new Headers();
    const { protect } = next(auth, {
      headers,
      cookies: unused,
      redirect: unused,
      NextResponse: { next: unused },
    });
    const route = protect(
      (_request: Request, _context, { displayName }) => new Response(displayName),
      role("admin"),
    );
    return (request) => route(request, {});
  },
};

test.each(Object.entries(applications))(
  "on %s a client is signed in, and a request is from whom the test says",
  async (_, start) => {
    const { auth, actAs } = testAuth();
    onTestFinished(() => auth.close());
    const app = await start(auth);
    const [client, boss] = [
      visitor(auth, { app }),
      await signedIn(auth, { app, user: { roles: ["admin"] } }),
    ];
    expect((await client.post("/staff")).status).toBe(401);
    const answer = await boss.post("/staff");
    expect([answer.status, await answer.text()]).toEqual([200, boss.user.username]);
    expect((await boss.post("/staff", {}, { headers: { "X-CSRF-Token": null } })).status).toBe(403);
    actAs(mockPrincipal({ name: "Somebody" }));
    expect((await client.post("/staff")).status).toBe(403);
    actAs(mockPrincipal({ name: "Somebody", roles: ["admin"] }));
    expect(await (await client.post("/staff")).text()).toBe("Somebody");
    actAs(null);
    expect((await client.post("/staff")).status).toBe(401);
  },
);
