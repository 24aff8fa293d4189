import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { type FaultProxy, openFaultProxy } from "./fault-proxy.ts";
import { until } from "./until.ts";

/** A server that sends back what it hears, remembers it, and puts a full stop behind the end. */
async function echo(): Promise<{ readonly address: string; readonly heard: () => string }> {
  let heard = "";
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("data", (chunk) => {
      heard += chunk;
      socket.write(chunk);
    });
    socket.on("end", () => socket.end("."));
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { address: `127.0.0.1:${address.port}`, heard: () => heard };
}

async function setUp() {
  const server = await echo();
  const proxy = await openFaultProxy(server.address);
  onTestFinished(() => proxy.end());
  return { ...server, proxy };
}

interface Client {
  readonly socket: Socket;
  readonly received: () => string;
  /** Resolves with the code of its error, or `closed`. */
  readonly ending: Promise<string>;
}

async function client({ port }: FaultProxy): Promise<Client> {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.on("data", (chunk) => {
    received += chunk;
  });
  const ending = new Promise<string>((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => resolve("closed"));
  });
  onTestFinished(() => void socket.destroy());
  await Promise.race([once(socket, "connect"), ending]);
  return { socket, received: () => received, ending };
}

describe("a fault proxy", () => {
  test("passes megabytes both ways unchanged, and an end in one direction leaves the other open", async () => {
    const { proxy } = await setUp();
    const socket = connect(proxy.port, "127.0.0.1");
    const sent = "latchkey".repeat(500_000);
    socket.end(sent);
    expect((await text(socket)) === `${sent}.`).toBe(true);
    await until(() => proxy.standing === 0);
  });

  test("refuses: resets what stands, listens no more, and again on the same port", async () => {
    const { proxy } = await setUp();
    const before = await client(proxy);
    before.socket.write("a");
    await until(() => before.received() === "a");
    await proxy.set("refuse");
    expect(await before.ending).toBe("ECONNRESET");
    expect(await (await client(proxy)).ending).toBe("ECONNREFUSED");
    await proxy.set("refuse");
    await proxy.set("pass");
    const after = await client(proxy);
    after.socket.write("b");
    await until(() => after.received() === "b");
  });

  test("hangs: accepts, lets nothing through, and delivers late what was held", async () => {
    const { proxy, heard } = await setUp();
    const before = await client(proxy);
    before.socket.write("a");
    await until(() => before.received() === "a");
    await proxy.set("hang");
    const during = await client(proxy);
    before.socket.write("b");
    during.socket.write("c");
    await until(() => proxy.connections === 2);
    // That nothing comes is seen by time alone.
    await sleep(50);
    expect(heard()).toBe("a");
    expect([before.received(), during.received()]).toEqual(["a", ""]);
    await proxy.set("pass");
    await until(() => before.received() === "ab" && during.received() === "c");
  });

  test("loses a client that gave up while it hung, with what it had sent", async () => {
    const { proxy, heard } = await setUp();
    await proxy.set("hang");
    const { socket } = await client(proxy);
    socket.write("late");
    await until(() => proxy.standing === 1);
    socket.resetAndDestroy();
    await until(() => proxy.standing === 0);
    await proxy.set("pass");
    expect(heard()).toBe("");
  });

  for (const bytes of [0, 1, 3, 4]) {
    test(`resets after ${bytes} bytes of a reply of 5, which the server has sent`, async () => {
      const { proxy, heard } = await setUp();
      await proxy.set({ resetAfterBytes: bytes });
      const { socket, received, ending } = await client(proxy);
      socket.write("hello");
      expect(await ending).toBe("ECONNRESET");
      expect(received()).toBe("hello".slice(0, bytes));
      expect(heard()).toBe("hello");
    });
  }

  test("counts the bytes of each connection by itself, from when the mode was set", async () => {
    const { proxy } = await setUp();
    const one = await client(proxy);
    one.socket.write("1234");
    await until(() => one.received() === "1234");
    await proxy.set({ resetAfterBytes: 4 });
    const two = await client(proxy);
    for (const each of [one, two]) each.socket.write("567");
    await until(() => one.received() === "1234567" && two.received() === "567");
    for (const each of [one, two]) each.socket.write("89");
    expect(await Promise.all([one.ending, two.ending])).toEqual(["ECONNRESET", "ECONNRESET"]);
    expect([one.received(), two.received()]).toEqual(["12345678", "5678"]);
  });

  test("counts anew when the mode is set again", async () => {
    const { proxy } = await setUp();
    const { socket, received, ending } = await client(proxy);
    for (const word of ["123", "456"]) {
      await proxy.set({ resetAfterBytes: 4 });
      socket.write(word);
      await until(() => received().endsWith(word));
    }
    socket.write("789");
    await ending;
    expect(received()).toBe("1234567");
  });

  test("slows each chunk, there and back", async () => {
    const { proxy } = await setUp();
    await proxy.set({ delayMs: 60 });
    const { socket, received } = await client(proxy);
    const startedAt = performance.now();
    socket.write("a");
    await until(() => received() === "a");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(118);
  });

  test("hangs also what it was holding back", async () => {
    const { proxy, heard } = await setUp();
    await proxy.set({ delayMs: 40 });
    const { socket } = await client(proxy);
    socket.write("a");
    await until(() => proxy.standing === 1);
    await proxy.set("hang");
    // Past the delay: what was held for that long would be there.
    await sleep(80);
    expect(heard()).toBe("");
  });

  test("resets a client whose server cannot be reached", async () => {
    const { proxy } = await setUp();
    const unreachable = await openFaultProxy(`127.0.0.1:${proxy.port}`);
    onTestFinished(() => unreachable.end());
    await proxy.end();
    expect(await (await client(unreachable)).ending).toBe("ECONNRESET");
  });

  test("stands in the place of the server in an address of any scheme", async () => {
    const { proxy } = await setUp();
    const url = proxy.urlOf("postgresql://me:se%40cret@db:5432/name?a=b");
    expect(url).toBe(`postgresql://me:se%40cret@127.0.0.1:${proxy.port}/name?a=b`);
  });

  test("ends with connections that stand, in any mode", async () => {
    for (const mode of ["pass", "hang", "refuse", { resetAfterBytes: 1 }, { delayMs: 10_000 }] as const) {
      const { proxy } = await setUp();
      const { socket, ending } = await client(proxy);
      await proxy.set(mode);
      if (mode !== "refuse") socket.write("a");
      await proxy.end();
      expect(await ending).toBe("ECONNRESET");
      expect(await (await client(proxy)).ending).toBe("ECONNREFUSED");
    }
  });
});
