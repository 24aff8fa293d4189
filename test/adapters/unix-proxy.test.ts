import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { describe, expect, onTestFinished, test } from "vitest";
import { hono } from "../../src/adapters/hono.ts";
import { node } from "../../src/adapters/node.ts";
import { type World, world } from "../support/world.ts";

function closing(server: Server): Server {
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

/** What a request through a Unix socket is answered. */
async function throughSocket(server: Server, forwardedFor: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-socket-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const socketPath = join(folder, "app.sock");
  await once(closing(server).listen(socketPath), "listening");
  const sent = request({ socketPath, path: "/", headers: { "x-forwarded-for": forwardedFor } });
  const [answer] = await once(sent.end(), "response");
  let text = "";
  for await (const chunk of answer) text += chunk;
  return text;
}

const servers: Readonly<Record<string, (here: World, trustedProxies: readonly string[]) => Server>> = {
  "node:http": ({ auth }, trustedProxies) => {
    const { visit } = node(auth, { trustedProxies });
    return createServer((req, res) => res.end(String(visit(req).client.ip)));
  },
  Hono: ({ auth }, trustedProxies) => {
    const { client } = hono(auth, { trustedProxies });
    return createAdaptorServer(new Hono().get("/", (c) => c.text(String(client(c).ip)))) as Server;
  },
};

describe.each(Object.entries(servers))("behind a proxy on a Unix socket, %s", (_, server) => {
  test("says the client's address where that is trusted by name", async () => {
    expect(await throughSocket(server(world(), ["unix"]), "203.0.113.9")).toBe("203.0.113.9");
    expect(
      await throughSocket(server(world(), ["unix", "10.0.0.0/8"]), "1.1.1.1, 203.0.113.9, 10.0.0.2"),
    ).toBe("203.0.113.9");
  });

  test("says none where it is not", async () => {
    expect(await throughSocket(server(world(), ["127.0.0.1"]), "203.0.113.9")).toBe("null");
    expect(await throughSocket(server(world(), []), "203.0.113.9")).toBe("null");
  });
});

// It sends a request and, told to, makes the connection end at once.
const client = `
const { workerData: { port, turn } } = require("node:worker_threads");
const socket = require("node:net").connect(port, "127.0.0.1");
socket.write("GET / HTTP/1.1\\r\\nHost: a\\r\\nX-Forwarded-For: 203.0.113.9\\r\\n\\r\\n");
const wait = setInterval(() => {
  if (Atomics.load(turn, 0) !== 1) return;
  clearInterval(wait);
  socket.resetAndDestroy();
  socket.once("close", () => {
    Atomics.store(turn, 0, 2);
    Atomics.notify(turn, 0);
  });
}, 1);`;

test("a client of the network that has just gone is no proxy on a Unix socket, whether this was noticed or not", async () => {
  const turn = new Int32Array(new SharedArrayBuffer(4));
  const { visit } = node(world().auth, { trustedProxies: ["unix"] });
  const seen: unknown[] = [];
  const listener: RequestListener = (req) => {
    Atomics.store(turn, 0, 1);
    // Nothing is heard of the end meanwhile.
    Atomics.wait(turn, 0, 1, 10_000);
    seen.push([req.socket.remoteAddress, req.socket.destroyed, visit(req).client.ip]);
    req.socket.once("close", () => seen.push([req.socket.remoteAddress, visit(req).client.ip]));
  };
  const server = closing(createServer(listener).listen(0, "127.0.0.1"));
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const worker = new Worker(client, { eval: true, workerData: { port, turn } });
  onTestFinished(() => void worker.terminate());
  await expect
    .poll(() => seen)
    .toEqual([
      [undefined, false, null],
      [undefined, null],
    ]);
});
