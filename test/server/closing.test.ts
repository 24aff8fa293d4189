import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { closingOf } from "../../server/closing.ts";
import { createListener, type Fetch } from "../../server/listener.ts";
import { createLog } from "../../server/log.ts";
import { gate } from "../support/gate.ts";
import { rawSocket } from "./support/raw-socket.ts";

async function closable(fetch: Fetch, graceMs?: number) {
  const log = createLog({ level: "silent", destination: { write: () => {} } });
  const options = {
    headers: () => [],
    origin: () => "http://localhost:3000",
    log,
    requestTimeoutSeconds: 30,
  };
  const listener = createListener({ fetch, ...options });
  listener.server.listen(0, "127.0.0.1");
  await once(listener.server, "listening");
  const closed: string[] = [];
  const closeBack = async () => void closed.push("stores");
  listener.server.on("close", () => closed.push("connections"));
  const { port } = listener.server.address() as AddressInfo;
  return { port, closed, ...closingOf(listener, closeBack, log, graceMs) };
}

const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

test("an answer that has begun finishes, and its connection does not linger although it promised to", async () => {
  const rest = gate();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(new TextEncoder().encode("first, "));
      await rest.pass();
      controller.enqueue(new TextEncoder().encode("second"));
      controller.close();
    },
  });
  const { port, stop, closed } = await closable(() => new Response(body));
  const raw = await rawSocket(port);
  raw.write(get);
  await once(raw.socket, "data");
  const stoppedAt = performance.now();
  const stopped = stop();
  rest.open();
  await stopped;
  expect(await raw.answer).toMatch(/first, [\s\S]*second/);
  expect(performance.now() - stoppedAt).toBeLessThan(3_000);
  expect(closed).toEqual(["connections", "stores"]);
});

test("the stores are closed once, however often it is asked for, and not before the last answer", async () => {
  const held = gate();
  const { port, stop, closed, hasBegun } = await closable(async () => {
    await held.pass();
    return new Response("done");
  });
  const raw = await rawSocket(port);
  raw.write(get);
  await held.reached;
  expect(hasBegun()).toBe(false);
  const both = [stop(), stop()];
  expect(hasBegun()).toBe(true);
  expect(closed).toEqual([]);
  held.open();
  await Promise.all(both);
  expect(await raw.answer).toContain("done");
  expect(closed).toEqual(["connections", "stores"]);
});

test("an answer that does not come is cut off when the time is up", async () => {
  const held = gate();
  const { port, stop, closed } = await closable(async () => {
    await held.pass();
    return new Response("done");
  }, 20);
  const raw = await rawSocket(port);
  raw.write(get);
  await held.reached;
  await stop();
  expect(await raw.answer).toBe("");
  expect(closed).toEqual(["connections", "stores"]);
});
