import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createListener, type Fetch, type Listener } from "../../server/listener.ts";
import { createLog } from "../../server/log.ts";
import { rawSocket } from "./support/raw-socket.ts";

const opened: Listener[] = [];
let log = "";

afterEach(() => {
  for (const { server } of opened.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
  log = "";
});

async function listening(fetch: Fetch, requestTimeoutSeconds = 30): Promise<number> {
  const destination = { write: (line: string) => (log += line) };
  const listener = createListener({
    fetch,
    headers: () => [["X-Frame-Options", "DENY"]],
    origin: () => "http://localhost:3000",
    log: createLog({ level: "debug", destination }),
    requestTimeoutSeconds,
  });
  opened.push(listener);
  listener.server.listen(0, "127.0.0.1");
  await once(listener.server, "listening");
  return (listener.server.address() as AddressInfo).port;
}

const get = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

describe("what is answered before any route", () => {
  test.each([
    ["a text", "hunter2"],
    ["nothing", undefined],
  ])("%s that is thrown in place of an error is 500, and not in the log", async (_what, thrown) => {
    const port = await listening(() => Promise.reject(thrown));
    const raw = await rawSocket(port);
    raw.write(get);
    const answer = await raw.answer;
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer).toMatch(/^x-frame-options: DENY\r$/im);
    expect(answer).toContain('"code":"internal_error"');
    expect(log).toContain("a request failed");
    expect(answer + log).not.toContain("hunter2");
  });

  test("an expectation that nobody knows is a request like any other", async () => {
    const port = await listening(() => new Response("done"));
    const raw = await rawSocket(port);
    raw.write(get.replace("Connection", "Expect: a-miracle\r\nConnection"));
    expect(await raw.answer).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("nothing is written into an answer that has begun", async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode("first"));
      },
    });
    const port = await listening(() => new Response(body, { headers: { "Content-Type": "text/plain" } }));
    const raw = await rawSocket(port);
    raw.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(raw.socket, "data");
    raw.write("NONSENSE\r\n\r\n");
    expect(await raw.answer).not.toContain("400 Bad Request");
  });

  test("a method that is none is refused, whatever it is", async () => {
    const port = await listening(() => new Response("done"));
    for (const method of ["BREW", "CONNECT"]) {
      const raw = await rawSocket(port);
      raw.write(get.replace("GET", method));
      expect(await raw.answer).not.toMatch(/^HTTP\/1\.1 200/);
    }
  });
});
