import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import expressApp from "express";
import fc from "fast-check";
import fastifyApp from "fastify";
import { type Context, Hono } from "hono";
import { describe, expect, onTestFinished, test } from "vitest";
import { express } from "../../src/adapters/express.ts";
import { fastify } from "../../src/adapters/fastify.ts";
import { hono } from "../../src/adapters/hono.ts";
import type { Auth } from "../../src/auth.ts";
import { tierLimits } from "../../src/features/tier-limits.ts";
import { world } from "../support/world.ts";

const limited = ["/reports", "/articles/:id/:slug"];
const limits = ["/reports", "/articles/*"].map((path) => ({ path, limit: 1_000_000, windowSeconds: 60 }));

/** Applications of their own router, whose two routes are limited. */
const frameworks: Readonly<Record<string, (auth: Auth) => Promise<Server>>> = {
  async Express(auth) {
    const app = expressApp();
    const { protect } = express<expressApp.Request, expressApp.Response>(auth);
    for (const path of limited)
      app.get(
        path,
        protect((_req, res) => res.send("routed")),
      );
    return createServer(app);
  },
  async Fastify(auth) {
    const app = fastifyApp();
    const { required } = fastify(auth);
    for (const path of limited) app.get(path, { preHandler: required() }, async () => "routed");
    await app.ready();
    return createServer((request, response) => app.routing(request, response));
  },
  async Hono(auth) {
    const app = new Hono();
    const { protect } = hono<Context>(auth);
    for (const path of limited)
      app.get(
        path,
        protect((c) => c.text("routed")),
      );
    return createAdaptorServer(app) as Server;
  },
};

async function asking(name: string): Promise<(target: string) => Promise<string>> {
  const here = world({ features: [tierLimits({ withoutTier: limits })] });
  const ana = await here.registered();
  const cookie = [...ana.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const server = (await frameworks[name]?.(here.auth)) as Server;
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  // Past every client, which would tidy the target up.
  return async (target) => {
    const socket = connect(port, "127.0.0.1").setEncoding("latin1");
    let answer = "";
    socket.on("data", (text) => (answer += text));
    socket.on("error", () => undefined);
    const head = `Host: app.example\r\nCookie: ${cookie}\r\nConnection: close`;
    socket.write(`GET ${target} HTTP/1.1\r\n${head}\r\n\r\n`, "latin1");
    await once(socket, "close");
    return answer;
  };
}

const isRouted = (answer: string) => answer.endsWith("routed");
const isCounted = (answer: string) => /^ratelimit: /im.test(answer);

const schemes = ["http://", "HTTPS://", "x://"];
const authorities = ["a", ":99999", "[x]", "?", "#", "%", "'", ";", "@", "u:p@", ".", "\\", "!", ""];
const pieces = ["/", "//", "\\", "%2f", "%5C", ".", "..", "%2e%2E", "/..", "/.", ";", "?", "#", "%", "%25"];
const edges = ["\t", "\f", "\u00a0", "%20", "%a0", "x", "X", "%72", "articles", "reports"];

/** A path of a limited route, bent here and there, and by chance with an authority. */
function spellings(): fc.Arbitrary<string> {
  const bent = fc
    .tuple(
      fc.constantFrom<string>(
        "/reports",
        "/REPORTS",
        "/%72eports",
        "/articles/42/a-title",
        "/articles/4%2F2/..",
      ),
      fc.array(fc.tuple(fc.nat(20), fc.constantFrom(...pieces, ...edges)), { maxLength: 3 }),
    )
    .map(([path, more]) =>
      more.reduce((text, [at, piece]) => text.slice(0, at) + piece + text.slice(at), path),
    );
  const authority = fc
    .array(fc.constantFrom(...authorities), { maxLength: 3 })
    .map((parts) => parts.join(""));
  const before = fc.tuple(fc.constantFrom(...schemes), authority).map((parts) => parts.join(""));
  return fc.tuple(fc.oneof(fc.constant(""), before), bent).map((parts) => parts.join(""));
}

describe.each(Object.keys(frameworks))("a path that %s leads to a limited route", (name) => {
  test.each([
    "/reports",
    "http://localhost/reports",
    "http://a:99999/reports",
    "http://a?b/reports",
    "http://a#b/reports",
    "http://[x]/reports",
    "/reports\u00a0",
    "/reports#\\",
    "/articles/42/..",
    "/articles/42/%2e%2e",
    "/articles\\42\\..#",
    "http://a:99999/articles/42/.",
  ])("is counted: %j", async (target) => {
    const answer = await (await asking(name))(target);
    expect(isCounted(answer)).toBe(isRouted(answer));
  });

  test("is counted, however it is spelt", { timeout: 60_000 }, async () => {
    const ask = await asking(name);
    let routed = 0;
    await fc.assert(
      fc.asyncProperty(spellings(), async (target) => {
        const answer = await ask(target);
        if (!isRouted(answer)) return;
        routed++;
        expect(isCounted(answer), JSON.stringify(target)).toBe(true);
      }),
      { numRuns: 400 },
    );
    expect(routed).toBeGreaterThan(10);
  });
});
