import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import expressApp from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { describe, expect, onTestFinished, test } from "vitest";
import { express } from "../../src/adapters/express.ts";
import { fastify } from "../../src/adapters/fastify.ts";
import { hono } from "../../src/adapters/hono.ts";
import { node } from "../../src/adapters/node.ts";
import type { Auth } from "../../src/auth.ts";
import type { SignIn } from "../../src/flows/sign-in/start-session.ts";
import type { Visit } from "../../src/ports/visit.ts";
import { cookieName, password, world } from "../support/world.ts";

const options = { trustedProxies: ["127.0.0.1/32"] };

/** What a sign-in of an application's own does with a visit. */
type SignsIn = (visit: Visit) => Promise<SignIn>;

async function listening(server: Server): Promise<string> {
  if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An application in each framework whose `POST /shop/sign-in` calls the flow by itself, and seals what it answers. */
const frameworks: Readonly<Record<string, (auth: Auth, signIn: SignsIn) => Promise<string>>> = {
  node: (auth, signIn) => {
    const { visit } = node(auth, options);
    const server = createServer(async (request, response) => {
      const { change } = await signIn(visit(request));
      auth.seal({ append: (name, value) => void response.appendHeader(name, value) }, change);
      response.end("in");
    });
    return listening(server);
  },
  express: (auth, signIn) => {
    const { visit } = express(auth, options);
    const shop = expressApp.Router();
    shop.post("/sign-in", async (request, response) => {
      const { change } = await signIn(visit(request));
      auth.seal({ append: (name, value) => void response.appendHeader(name, value) }, change);
      response.end("in");
    });
    const app = expressApp();
    app.use("/shop", shop);
    return listening(createServer(app));
  },
  fastify: async (auth, signIn) => {
    const { visit, sink } = fastify(auth, options);
    const app = Fastify();
    app.post("/shop/sign-in", async (request, reply) => {
      reply.header("Set-Cookie", "own=1");
      const { change } = await signIn(visit(request));
      auth.seal(sink(reply), change);
      return "in";
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    onTestFinished(() => app.close());
    return listening(app.server);
  },
  hono: async (auth, signIn) => {
    const { visit } = hono(auth, { ...options, remoteAddress: () => "127.0.0.1" });
    const app = new Hono();
    app.post("/shop/sign-in", async (c) => auth.seal(c.body("in"), (await signIn(visit(c))).change));
    return listening(
      createServer(async (incoming, outgoing) => {
        const { method = "GET", url = "/" } = incoming;
        const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
          name,
          String(value),
        ]);
        const answer = await app.fetch(new Request(`http://localhost${url}`, { method, headers }));
        for (const cookie of answer.headers.getSetCookie()) outgoing.appendHeader("Set-Cookie", cookie);
        outgoing.writeHead(answer.status).end(await answer.text());
      }),
    );
  },
};

describe.each(Object.entries(frameworks))("a sign-in of the application's own, in %s", (name, serve) => {
  test("knows the browser, its address behind a trusted proxy and where on the site it is", async () => {
    const { auth, ...here } = world();
    await here.registered();
    const visits: Visit[] = [];
    const base = await serve(auth, (visit) => {
      visits.push(visit);
      return auth.users.login({ identifier: "ana@example.com", password }, visit);
    });
    const answer = await fetch(`${base}/shop/sign-in?a=1`, {
      method: "POST",
      headers: { "x-forwarded-for": "203.0.113.9", "user-agent": "Reader/3" },
    });
    expect(answer.status).toBe(200);
    const cookies = answer.headers.getSetCookie().map((cookie) => cookie.split("=")[0]);
    const sealed = [cookieName, `${cookieName}-csrf`, `${cookieName}-device`];
    expect(cookies).toEqual(name === "fastify" ? ["own", ...sealed] : sealed);
    const { pathname, search } = new URL(visits[0]?.request.url ?? "", "http://localhost");
    expect([visits[0]?.request.method, pathname + search]).toEqual(["POST", "/shop/sign-in?a=1"]);
    expect(here.heard("user.logged_in")).toMatchObject([{ ip: "203.0.113.9", userAgent: "Reader/3" }]);
  });

  test("carries what the browser sent: its former session ends, and another site's form is refused", async () => {
    const { auth, ...here } = world();
    const ana = await here.registered();
    const codes: unknown[] = [];
    const base = await serve(auth, async (visit) => {
      const attempt = auth.users.login({ identifier: "ana@example.com", password }, visit);
      codes.push(
        await attempt.then(
          () => "in",
          ({ code }) => code,
        ),
      );
      return attempt.catch(() => ({ change: {} }) as SignIn);
    });
    const cookie = [...ana.jar].map(([key, value]) => `${key}=${value}`).join("; ");
    const post = (headers: Record<string, string>) =>
      fetch(`${base}/shop/sign-in`, { method: "POST", headers });
    await post({ cookie, origin: "https://evil.example" });
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    await post({ cookie, origin: here.origin });
    expect(codes).toEqual(["origin_rejected", "in"]);
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
  });
});
