import { once } from "node:events";
import {
  createServer,
  get,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import expressApp from "express";
import fastifyApp from "fastify";
import { describe, expect, onTestFinished, test } from "vitest";
import { express } from "../../src/adapters/express.ts";
import { fastify } from "../../src/adapters/fastify.ts";
import { type NodeHandler, node } from "../../src/adapters/node.ts";
import { anyone } from "../../src/guards/guards.ts";
import { type World, world } from "../support/world.ts";

const forEverybody = "public, max-age=60";

async function signedIn(here: World): Promise<string> {
  const ana = await here.registered();
  return [...ana.jar].map(([name, value]) => `${name}=${value}`).join("; ");
}

/** What a real server of `listener` answers. */
async function asked(listener: RequestListener, cookie = ""): Promise<IncomingMessage> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const [answer] = await once(get({ host: "127.0.0.1", port, headers: { cookie } }), "response");
  answer.resume();
  return answer;
}

const spellings: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  "a header": (response) => response.setHeader("Cache-Control", forEverybody).end("x"),
  "one header more": (response) => response.appendHeader("cache-control", forEverybody).end("x"),
  "all headers at once": (response) =>
    response.setHeaders(new Headers({ "Cache-Control": forEverybody })).end("x"),
  "a header taken away": (response) => {
    response.removeHeader("Cache-Control");
    response.end("x");
  },
  "headers of writeHead": (response) => response.writeHead(200, { "CACHE-control": forEverybody }).end("x"),
  "headers of writeHead behind a reason": (response) =>
    response.writeHead(200, "Fine", { "Cache-Control": forEverybody }).end("x"),
  "headers of writeHead in turn": (response) =>
    response.writeHead(200, ["X-Own", "1", "Cache-Control", forEverybody, "X-More", "2"]).end("x"),
  "headers that are flushed": (response) => {
    response.setHeader("Cache-Control", forEverybody).flushHeaders();
    response.end("x");
  },
  "what writeHead was put around": (response) => {
    const { writeHead } = response;
    response.writeHead = function (this: ServerResponse, ...given: unknown[]) {
      this.setHeader("Cache-Control", forEverybody);
      return Reflect.apply(writeHead, this, given);
    } as ServerResponse["writeHead"];
    response.end("x");
  },
};

describe("a handler that says who may keep its answer", () => {
  test.each(Object.entries(spellings))("has no say where somebody is signed in: by %s", async (_, say) => {
    const here = world();
    const cookie = await signedIn(here);
    const { protect } = node(here.auth);
    const answer = await asked(
      protect((_request, response) => say(response)),
      cookie,
    );
    expect([answer.statusCode, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
  });

  test("has no say beside a cookie that it has sealed itself, before or after", async () => {
    const { auth, make } = world();
    const { sink } = node(auth);
    const change = { form: make.user().id } as const;
    const listeners: readonly RequestListener[] = [
      (_request, response) => {
        response.setHeader("Cache-Control", forEverybody);
        auth.seal(sink(response), change);
        auth.seal(sink(response), { language: "de" });
        response.writeHead(200, { "Cache-Control": forEverybody }).end("x");
      },
      (_request, response) => {
        auth.seal(sink(response), change);
        response.setHeader("Cache-Control", forEverybody).end("x");
      },
    ];
    for (const listener of listeners) {
      const { headers } = await asked(listener);
      expect([headers["cache-control"], headers["set-cookie"]?.length]).toEqual([
        "no-store",
        listener === listeners[0] ? 2 : 1,
      ]);
    }
  });

  test("keeps its other headers", async () => {
    const here = world();
    const cookie = await signedIn(here);
    const given: readonly NodeHandler<unknown>[] = [
      (_request, response) =>
        response.writeHead(201, "Made", { "X-Own": ["1", "2"], "Cache-Control": forEverybody }).end(),
      (_request, response) =>
        response.writeHead(201, "Made", ["X-Own", "1", "X-Own", "2", "Cache-Control", forEverybody]).end(),
    ];
    for (const handler of given) {
      const answer = await asked(node(here.auth).protect(handler), cookie);
      expect([answer.statusCode, answer.statusMessage, answer.headers["x-own"]]).toEqual([
        201,
        "Made",
        "1, 2",
      ]);
      expect(answer.headers["cache-control"]).toBe("no-store");
    }
  });

  test("has its say for a stranger on an open route", async () => {
    const { auth } = world();
    const listener = node(auth).protect((_request, response) => spellings["a header"]?.(response), anyone());
    expect((await asked(listener)).headers["cache-control"]).toBe(forEverybody);
  });
});

describe("with HTTP/2", () => {
  test.each([
    ["as an object", { "Cache-Control": forEverybody }],
    ["as pairs", [["cache-control", forEverybody]]],
  ])("headers of writeHead have no say either: %s", async (_, headers) => {
    const here = world();
    const cookie = await signedIn(here);
    const { protect } = node(here.auth);
    const server = createHttp2Server(
      protect((_request, response) => response.writeHead(200, headers as never).end("x")) as never,
    ).listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      client.destroy();
      server.close();
    });
    const [answer] = await once(client.request({ cookie }), "response");
    expect([answer[":status"], answer["cache-control"]]).toEqual([200, "no-store"]);
  });
});

describe("a framework's own means", () => {
  test("have no say behind Express's required, in whatever comes after it", async () => {
    const here = world();
    const cookie = await signedIn(here);
    const { required } = express(here.auth);
    const app = expressApp();
    app.use(required());
    app.use((_request, response, next) => {
      response.set("Cache-Control", forEverybody);
      next();
    });
    app.use(expressApp.static(import.meta.dirname, { cacheControl: true, maxAge: 60_000 }));
    app.get("/", (_request, response) => void response.json({}));
    expect((await asked(app, cookie)).headers["cache-control"]).toBe("no-store");
  });

  test.each(["a reply", "a stream", "a Response", "a hook", "a reply taken over"])(
    "have no say behind Fastify's required: %s",
    async (way) => {
      const here = world();
      const cookie = await signedIn(here);
      const { required } = fastify(here.auth);
      const app = fastifyApp();
      onTestFinished(() => app.close());
      app.addHook("onSend", async (_request, reply) => {
        if (way === "a hook") reply.header("Cache-Control", forEverybody);
      });
      app.get("/", { preHandler: required() }, async (_request, reply) => {
        if (way === "a hook") return "x";
        if (way === "a Response") return new Response("x", { headers: { "Cache-Control": forEverybody } });
        if (way === "a reply taken over") {
          reply.hijack();
          reply.raw.writeHead(200, { "Cache-Control": forEverybody }).end("x");
          return reply;
        }
        reply.header("Cache-Control", forEverybody);
        return way === "a stream" ? Readable.from(["x"]) : "x";
      });
      await app.ready();
      const answer = await asked((request, response) => app.routing(request, response), cookie);
      expect([answer.statusCode, answer.headers["cache-control"]]).toEqual([200, "no-store"]);
    },
  );
});
