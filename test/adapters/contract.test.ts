import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import expressApp from "express";
import fastifyApp from "fastify";
import { Hono } from "hono";
import { describe, it } from "vitest";
import { express } from "../../src/adapters/express.ts";
import { fastify } from "../../src/adapters/fastify.ts";
import { hono } from "../../src/adapters/hono.ts";
import { node } from "../../src/adapters/node.ts";
import { type Auth, createAuth } from "../../src/auth.ts";
import { passwords } from "../../src/features/passwords.ts";
import { anyone } from "../../src/guards/guards.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { memory } from "../../src/stores/memory.ts";
import {
  type AdapterHarness,
  type AdapterParts,
  type AdapterScene,
  adapterContract,
} from "../../src/testing/testing.ts";

const secret = "a secret of the application";
const forEverybody = "public, max-age=60";
const later = () => new Promise((resolve) => setTimeout(resolve, 300));

const authOf = ({ options }: AdapterParts): Auth =>
  createAuth({
    ...options,
    stores: memory(),
    features: [passwords({ hashers: [argon2id({ memoryKiB: 8, passes: 1 })] })],
  });

async function listening(auth: Auth, server: Server): Promise<AdapterScene> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    auth,
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await auth.close();
    },
  };
}

const onNode: AdapterHarness = {
  canParseFirst: false,
  start(parts) {
    const auth = authOf(parts);
    const { handle, protect } = node(auth, parts);
    const hello = protect((_req, res, { displayName }) => {
      res.appendHeader("Set-Cookie", "shop=open");
      res.setHeader("Cache-Control", forEverybody);
      res.end(`Hello, ${displayName}`);
    });
    const board = protect((_req, res) => res.end("board"), parts.policy);
    const routes: Readonly<Record<string, RequestListener>> = {
      "GET /hello": hello,
      "HEAD /hello": hello,
      [`GET ${parts.prefix}/hello`]: hello,
      "GET /maybe": protect(
        (_req, res, { displayName }) =>
          res.writeHead(200, { "Cache-Control": forEverybody }).end(`Hello, ${displayName}`),
        anyone(),
      ),
      "GET /staff": protect((_req, res) => res.end("staff"), parts.staff),
      "POST /note": protect(async (req, res) => {
        let text = "";
        for await (const chunk of req.setEncoding("utf8")) text += chunk;
        res.end(JSON.stringify({ text: JSON.parse(text).text }));
      }),
      "POST /visit": protect(async (_req, res, _principal, session) => {
        await session.set("seen", true);
        res.appendHeader("Set-Cookie", "shop=open");
        res.appendHeader("Cache-Control", forEverybody);
        res.end("ok");
      }, anyone()),
      "GET /stream": protect(async (_req, res) => {
        res.write("one");
        await later();
        res.end("two");
      }),
      "GET /fails": protect(() => {
        throw new Error(secret);
      }),
      "GET /board": board,
      "HEAD /board": board,
      "POST /board": board,
      "POST /board/letters": protect((_req, res) => res.end("letters"), anyone()),
      "GET /board/drafts": protect((_req, res) => res.end("drafts")),
    };
    const server = createServer(async (req, res) => {
      if (await handle(req, res)) return;
      const route = routes[`${req.method} ${new URL(req.url ?? "/", "http://localhost").pathname}`];
      if (route === undefined) res.writeHead(404).end("nothing here");
      else await route(req, res);
    });
    return listening(auth, server);
  },
};

const onHono: AdapterHarness = {
  canParseFirst: false,
  start(parts) {
    const auth = authOf(parts);
    const { handle, protect } = hono(auth, parts);
    const hello = protect(
      (_c, { displayName }) =>
        new Response(`Hello, ${displayName}`, {
          headers: { "set-cookie": "shop=open", "cache-control": forEverybody },
        }),
    );
    const app = new Hono();
    app.use(handle as never);
    app.get("/hello", hello as never);
    app.route(parts.prefix, new Hono().get("/hello", hello as never));
    app.get(
      "/maybe",
      protect(
        (_c, { displayName }) =>
          new Response(`Hello, ${displayName}`, { headers: { "cache-control": forEverybody } }),
        anyone(),
      ) as never,
    );
    app.get("/staff", protect(() => new Response("staff"), parts.staff) as never);
    app.post("/note", protect(async (c) => Response.json(await c.req.raw.json())) as never);
    app.post(
      "/visit",
      protect(async (_c, _principal, session) => {
        await session.set("seen", true);
        return new Response("ok", {
          headers: { "set-cookie": "shop=open", "cache-control": forEverybody },
        });
      }, anyone()) as never,
    );
    app.get("/stream", protect(() => new Response(inTwoParts())) as never);
    app.get(
      "/fails",
      protect(() => {
        throw new Error(secret);
      }) as never,
    );
    const board = new Hono().basePath("/board");
    board.on(["GET", "POST"], "/", protect(() => new Response("board"), parts.policy) as never);
    board.post("/letters", protect(() => new Response("letters"), anyone()) as never);
    board.get("/drafts", protect(() => new Response("drafts")) as never);
    app.route("/", board);
    return listening(auth, createAdaptorServer(app) as Server);
  },
};

function inTwoParts(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from("one"));
      await later();
      try {
        controller.enqueue(Buffer.from("two"));
        controller.close();
      } catch {
        // Whoever read it has gone away.
      }
    },
  });
}

const onExpress: AdapterHarness = {
  start(parts) {
    const auth = authOf(parts);
    const { handle, protect, required, current, principal, session } = express<
      expressApp.Request,
      expressApp.Response
    >(auth, parts);
    const app = expressApp();
    if (parts.parsesFirst) app.use(expressApp.json());
    app.use(handle);
    app.use(expressApp.json());
    const hello: expressApp.RequestHandler = (req, res) =>
      void res
        .append("Set-Cookie", "shop=open")
        .set("Cache-Control", forEverybody)
        .send(`Hello, ${current(req).displayName}`);
    app.get("/hello", required(), hello);
    app.use(parts.prefix, expressApp.Router().get("/hello", required(), hello));
    app.get(
      "/maybe",
      required(anyone()),
      (req, res) => void res.set("Cache-Control", forEverybody).send(`Hello, ${principal(req).displayName}`),
    );
    app.get("/staff", required(parts.staff), (_req, res) => void res.send("staff"));
    app.post(
      "/note",
      protect((req, res) => res.json({ text: req.body.text })),
    );
    app.post("/visit", required(anyone()), async (req, res) => {
      await session(req).set("seen", true);
      res.append("Set-Cookie", "shop=open").set("Cache-Control", forEverybody).send("ok");
    });
    app.get("/stream", required(), async (_req, res) => {
      res.write("one");
      await later();
      res.end("two");
    });
    app.get(
      "/fails",
      protect(() => {
        throw new Error(secret);
      }),
    );
    const board = expressApp.Router();
    // Before the line of the policy: what stands above it says for itself who may.
    board.post("/letters", required(anyone()), (_req, res) => void res.send("letters"));
    board.use(required(parts.policy));
    board.all("/", (_req, res) => void res.send("board"));
    board.get("/drafts", required(), (_req, res) => void res.send("drafts"));
    app.use("/board", board);
    return listening(auth, createServer(app));
  },
};

const onFastify: AdapterHarness = {
  canParseFirst: false,
  async start(parts) {
    const auth = authOf(parts);
    const { handle, required, current, principal, session } = fastify(auth, parts);
    const app = fastifyApp();
    app.addHook("onRequest", handle);
    const signedIn = { preHandler: required() };
    const open = { preHandler: required(anyone()) };
    const hello = async (request: never, reply: { header(name: string, value: string): unknown }) => {
      reply.header("Set-Cookie", "shop=open");
      reply.header("Cache-Control", forEverybody);
      return `Hello, ${current(request).displayName}`;
    };
    app.get("/hello", signedIn, hello as never);
    app.register(async (shop) => void shop.get("/hello", signedIn, hello as never), { prefix: parts.prefix });
    app.get("/maybe", open, async (request, reply) => {
      reply.header("Cache-Control", forEverybody);
      return `Hello, ${principal(request).displayName}`;
    });
    app.get("/staff", { preHandler: required(parts.staff) }, async () => "staff");
    app.post("/note", signedIn, async ({ body }) => ({ text: (body as { text: string }).text }));
    app.post("/visit", open, async (request, reply) => {
      await session(request).set("seen", true);
      reply.header("Set-Cookie", "shop=open");
      reply.header("Cache-Control", forEverybody);
      return "ok";
    });
    app.get("/stream", signedIn, async () => new Response(inTwoParts()));
    app.get("/fails", signedIn, async () => {
      throw new Error(secret);
    });
    app.register(async (board) => {
      board.addHook("onRequest", required(parts.policy));
      board.route({ method: ["GET", "POST"], url: "/board", handler: async () => "board" });
      board.get("/board/drafts", signedIn, async () => "drafts");
    });
    // Outside of the group, whose hooks are its own.
    app.post("/board/letters", open, async () => "letters");
    app.setErrorHandler((_error, _request, reply) => reply.code(500).send({ message: "failed" }));
    await app.ready();
    await app.listen({ host: "127.0.0.1", port: 0 });
    return {
      auth,
      port: (app.server.address() as AddressInfo).port,
      async close() {
        app.server.closeAllConnections();
        await app.close();
        await auth.close();
      },
    };
  },
};

describe.each([
  ["node:http", onNode],
  ["Hono", onHono],
  ["Express", onExpress],
  ["Fastify", onFastify],
])("the contract of adapters: %s", (_name, harness) => {
  for (const { section, name, run } of adapterContract(harness)) it(`${section}: ${name}`, run);
});
