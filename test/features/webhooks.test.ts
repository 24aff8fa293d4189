import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type WebhookEndpoint, webhooks } from "../../src/features/webhooks.ts";
import { world } from "../support/world.ts";

const secret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;

interface Received {
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

type Answering = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that notes what it was sent, and answers as it is told. */
async function receiver(answer: Answering = (response) => void response.writeHead(204).end()) {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    received.push({ headers: request.headers, body });
    answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { received, url: `http://127.0.0.1:${port}/hook`, port };
}

/** Writes past the server: a beginning, and then one piece after the other until the other side hangs up. */
function drip({ socket }: ServerResponse, beginning: string, piece: string): void {
  socket?.on("error", () => undefined).write(beginning);
  const timer = setInterval(() => socket?.write(piece), 5);
  socket?.on("close", () => clearInterval(timer));
}

const switching: Answering = ({ socket }) =>
  void socket?.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");

function told(...endpoints: readonly (Partial<WebhookEndpoint> & { readonly url: string })[]) {
  const feature = webhooks({
    pollSeconds: 0,
    endpoints: endpoints.map((endpoint, index) => ({
      name: `endpoint-${index}`,
      secret,
      from: "beginning",
      allowsPrivateAddresses: true,
      ...endpoint,
    })),
  });
  const here = world({ features: [feature] });
  return { here, hooks: here.auth.use(feature) };
}

describe("a webhook", () => {
  test("is signed, and says what happened in snake_case", async () => {
    const { received, url } = await receiver();
    const { here, hooks } = told({ url });
    const { userId } = await here.registered();
    await here.browser().post("/api/v1/auth/login", { email: "nobody@example.com", password: "not the one" });
    await hooks.deliver();
    expect(received.map(({ headers }) => headers["webhook-id"])).toEqual(here.events.map(({ id }) => id));
    for (const { headers, body } of received) {
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const key = Buffer.alloc(24, 7);
      const signature = createHmac("sha256", key).update(signed).digest("base64");
      expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
      expect(headers["content-type"]).toBe("application/json");
    }
    const bodies = received.map(({ body }) => JSON.parse(body));
    expect(bodies[0]).toEqual({
      type: "user.registered",
      timestamp: here.clock.now().toISOString(),
      id: here.events[0]?.id,
      user_id: userId,
      session_id: null,
      ip: "192.0.2.10",
      user_agent: "ExampleBrowser/1.0",
      request_id: expect.any(String),
      data: { by: "self", is_superuser: false },
    });
    expect(bodies.at(-1)?.data).toEqual({ identifier_hmac: expect.any(String), reason: "credentials" });
  });

  test("that one endpoint does not take waits, in order, and hinders no other endpoint", async () => {
    let isBroken = true;
    const broken = await receiver((response) => void response.writeHead(isBroken ? 500 : 200).end());
    const whole = await receiver();
    const { here, hooks } = told({ url: broken.url }, { url: whole.url });
    await here.registered();
    await hooks.deliver();
    expect(whole.received).toHaveLength(here.events.length);
    expect(broken.received).toHaveLength(1);
    expect((await hooks.status()).map(({ last }) => last)).toEqual(["failed", "done"]);
    await hooks.deliver();
    expect(broken.received).toHaveLength(1);
    isBroken = false;
    here.clock.advance(5);
    await hooks.deliver();
    const ids = broken.received.map(({ headers }) => headers["webhook-id"]);
    expect(ids).toEqual([here.events[0]?.id, ...here.events.map(({ id }) => id)]);
    expect(here.log).toMatchObject([
      { level: "error", fields: { attempts: 1, follower: "webhook:endpoint-0" } },
    ]);
  });

  test("follows no redirect", async () => {
    const elsewhere = await receiver();
    const { received, url } = await receiver(
      (response) => void response.writeHead(307, { Location: elsewhere.url }).end(),
    );
    const { here, hooks } = told({ url });
    await here.registered();
    await hooks.deliver();
    expect(received).toHaveLength(1);
    expect(elsewhere.received).toHaveLength(0);
    expect((await hooks.status())[0]).toMatchObject({ last: "failed", toldSeq: 0 });
  });

  test("waits as long as the endpoint asks", async () => {
    const { received, url } = await receiver(
      (response) => void response.writeHead(429, { "Retry-After": "120" }).end(),
    );
    const { here, hooks } = told({ url });
    await here.registered();
    await hooks.deliver();
    here.clock.advance(119);
    await hooks.deliver();
    expect(received).toHaveLength(1);
    here.clock.advance(1);
    await hooks.deliver();
    expect(received).toHaveLength(2);
  });

  test.each<[string, Answering]>([
    ["never answers", () => {}],
    ["never ends its answer", (response) => void response.writeHead(200).write("a")],
    ["never ends its headers", (response) => drip(response, "HTTP/1.1 200 OK\r\n", "X: y\r\n")],
    ["says for ever that it is at it", (response) => drip(response, "", "HTTP/1.1 102 Processing\r\n\r\n")],
    ["wants to speak another protocol", switching],
  ])("to a server that %s is given up in time", { timeout: 10_000 }, async (_, answer) => {
    const { received, url } = await receiver(answer);
    const { here, hooks } = told({ url, timeoutSeconds: 1 });
    await here.registered();
    const startedAt = performance.now();
    await hooks.deliver();
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    expect(received.length).toBeGreaterThan(0);
  });

  test("that is answered by another protocol comes again, and hinders no end", {
    timeout: 10_000,
  }, async () => {
    let isBroken = true;
    const { received, url } = await receiver((response, request) =>
      isBroken ? switching(response, request) : void response.writeHead(204).end(),
    );
    const { here, hooks } = told({ url });
    await here.registered();
    await hooks.deliver();
    expect((await hooks.status())[0]).toMatchObject({ last: "failed", toldSeq: 0 });
    isBroken = false;
    here.clock.advance(5);
    await hooks.deliver();
    expect((await hooks.status())[0]?.last).toBe("done");
    expect(received).toHaveLength(1 + here.events.length);
    await here.auth.close();
  });

  test("to a server that answers without end reads little of it", async () => {
    let written = 0;
    const { url } = await receiver((response) => {
      response.writeHead(200);
      const write = (): void => {
        if (response.destroyed) return;
        written += 65_536;
        response.write(Buffer.alloc(65_536), write);
      };
      write();
    });
    const { here, hooks } = told({ url, types: ["user.registered"] });
    await here.registered();
    await hooks.deliver();
    expect(written).toBeLessThan(16 * 1_024 * 1_024);
    expect((await hooks.status())[0]?.last).toBe("done");
  });

  test("goes to no address of our own networks, by number or by name", async () => {
    const { received, port } = await receiver();
    for (const host of ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"]) {
      const url = `https://${host}:${port}/hook`;
      const { here, hooks } = told({ url, allowsPrivateAddresses: false });
      await here.registered();
      await hooks.deliver();
      expect(here.log[0]?.cause, host).toMatchObject({ name: "AddressRefused" });
    }
    expect(received).toHaveLength(0);
  });
});

describe("an endpoint", () => {
  test.each<[string, Partial<WebhookEndpoint>]>([
    ["a bad name", { name: "No Name" }],
    ["no url", { url: "hook" }],
    ["http to the public", { url: "http://hooks.example/", allowsPrivateAddresses: false }],
    ["another scheme", { url: "file:///etc/passwd" }],
    ["a password in its url", { url: "https://a:b@hooks.example/" }],
    ["a weak secret", { secret: "whsec_c2hvcnQ=" }],
    ["a timeout without end", { timeoutSeconds: 3_600 }],
  ])("with %s is refused at the start", (_, change) => {
    expect(() => told({ url: "https://hooks.example/", ...change })).toThrow(TypeError);
  });

  test("of a name that is taken is refused", () => {
    const url = "https://hooks.example/";
    expect(() => told({ url, name: "one" }, { url, name: "one" })).toThrow(TypeError);
  });

  test("that was taken out can be forgotten", async () => {
    const { url } = await receiver();
    const { here, hooks } = told({ url });
    await here.registered();
    await hooks.deliver();
    expect((await hooks.status())[0]?.toldSeq).toBeGreaterThan(0);
    await hooks.forget("endpoint-0");
    expect((await hooks.status())[0]?.toldSeq).toBeNull();
  });
});
