import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { openConnections } from "../../src/adapters/open-connections.ts";
import { type WebSocketOptions, websockets } from "../../src/adapters/websocket.ts";
import { signedInAs } from "../../src/domain/principal.ts";
import type { UserChanges } from "../../src/domain/user.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import { rateLimit } from "../../src/guards/rate-limit.ts";
import { role } from "../../src/guards/rights.ts";
import type { Guard } from "../../src/ports/guard.ts";
import type { SessionStore } from "../../src/ports/session-store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { administered, holding, person, users } from "../administration/staff.ts";
import { gate } from "../support/gate.ts";
import { path, type TicketWorld, ticketOf, ticketWorld } from "../support/tickets.ts";
import { until } from "../support/until.ts";
import { cookieName, type World, type WorldOptions } from "../support/world.ts";

const origin = "https://app.example";

interface Setup extends WebSocketOptions {
  readonly guards?: readonly Guard[];
  /** Whether the library's socket is handed over, so that it takes leave. Default true. */
  readonly takesLeave?: boolean;
}

/** Sockets that greet whoever comes and note what they are told. */
async function sockets(options: WorldOptions = {}, setup: Setup = {}) {
  const here = ticketWorld(options);
  return { here, ...(await serving(here, setup)) };
}

async function serving(here: World, { guards = [], takesLeave = true, ...options }: Setup = {}) {
  const adapter = websockets(here.auth, options);
  const wss = new WebSocketServer({ noServer: true });
  const server = createServer();
  const told: string[] = [];
  const urls: string[] = [];
  const raw: Duplex[] = [];
  let [decided, openings, closings] = [0, 0, 0];
  server.on("upgrade", async (request, socket, head) => {
    raw.push(socket);
    const opened = await adapter.upgrade(request, socket, ...guards);
    urls.push(request.url ?? "");
    decided++;
    if (opened === null) return;
    openings++;
    wss.handleUpgrade(request, socket, head, (ws) => {
      if (takesLeave) opened.closes(ws);
      ws.on("close", () => closings++);
      ws.on("message", (data) => void told.push(`${opened.principal.displayName}: ${data}`));
      ws.send(`${opened.principal.via} ${opened.principal.user?.id ?? "nobody"}`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    adapter.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = (query = "", headers: Record<string, string> = { origin }) => dial(port, query, headers);
  const counts = () => ({ decided, openings, closings });
  return { adapter, port, open, told, urls, raw, counts };
}

/** A client's end: its first message or the answer that refused it, and how it was closed. */
async function dial(port: number, query: string, headers: Record<string, string>) {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}${query}`, { headers });
  onTestFinished(() => ws.terminate());
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.on("close", (code, reason) => resolve({ code, reason: String(reason) }));
  });
  ws.on("error", () => undefined);
  const said = await new Promise<string | { status: number; headers: object; body: Record<string, unknown> }>(
    (resolve) => {
      ws.on("message", (data) => resolve(String(data)));
      ws.on("unexpected-response", async (_, answer) => {
        let text = "";
        for await (const chunk of answer.setEncoding("utf8")) text += chunk;
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: text === "" ? {} : JSON.parse(text),
        });
      });
      ws.on("close", () => resolve("closed"));
    },
  );
  return { ws, said, closed };
}

/** Changes an account past every flow, as an application's own SQL would: no event tells of it. */
async function change(here: TicketWorld, userId: string, changes: UserChanges): Promise<void> {
  const { version } = await here.user(userId);
  await here.write({ kind: "user.update", userId, version, changes });
}

async function advance(here: TicketWorld, userId: string): Promise<void> {
  await here.write({ kind: "user.advance", userId, from: (await here.user(userId)).generation });
}

const refusal = (status: number, code: string) => ({
  status,
  headers: expect.objectContaining({ connection: "close", "content-type": "application/problem+json" }),
  body: expect.objectContaining({ code }),
});

describe("an upgrade", () => {
  test("opens with a ticket, once, and no log has it", async () => {
    const { here, open, urls } = await sockets();
    const ana = await here.registered();
    const ticket = await ticketOf(ana);
    expect((await open(`?ticket=${ticket}&room=1`)).said).toBe(`ticket ${ana.userId}`);
    expect((await open(`?ticket=${ticket}`)).said).toEqual(refusal(401, "token_invalid"));
    expect((await open(`?%74icket=${await ticketOf(ana)}`)).said).toBe(`ticket ${ana.userId}`);
    expect(urls).toEqual([`${path}?room=1`, path, path]);
    expect(JSON.stringify([here.log, here.events])).not.toContain(ticket);
  });

  test("opens with the session's cookie, and with nothing it does not", async () => {
    const { here, open } = await sockets();
    const ana = await here.registered();
    const cookie = `${cookieName}=${ana.jar.get(cookieName)}`;
    expect((await open("", { origin, cookie })).said).toBe(`session ${ana.userId}`);
    expect((await open()).said).toEqual(refusal(401, "not_authenticated"));
  });

  test("does not fall back to the cookie where the ticket is no good", async () => {
    const { here, open } = await sockets();
    const ana = await here.registered();
    const cookie = `${cookieName}=${ana.jar.get(cookieName)}`;
    for (const query of ["?ticket=", "?ticket=x.y", `?ticket=${await ticketOf(ana)}&ticket=x`]) {
      expect((await open(query, { origin, cookie })).said).toEqual(refusal(401, "token_invalid"));
    }
  });

  test.each([
    ["another origin", { origin: "https://evil.example" }],
    ["no origin that can be told", { origin: "null" }],
    ["the same site and another origin", { "sec-fetch-site": "same-site" }],
  ])("from a page of %s is refused, by cookie and by ticket, and spends nothing", async (_what, headers) => {
    const { here, open } = await sockets();
    const ana = await here.registered();
    const cookie = `${cookieName}=${ana.jar.get(cookieName)}`;
    const ticket = await ticketOf(ana);
    expect((await open("", { ...headers, cookie })).said).toEqual(refusal(403, "origin_rejected"));
    expect((await open(`?ticket=${ticket}`, headers)).said).toEqual(refusal(403, "origin_rejected"));
    expect(here.heard("csrf.refused")).toHaveLength(2);
    expect((await open(`?ticket=${ticket}`)).said).toBe(`ticket ${ana.userId}`);
  });

  test("of another origin is refused also where forms are protected by other means", async () => {
    const { open } = await sockets({ csrf: false, origin: "http://localhost:3000" }, { guards: [anyone()] });
    expect((await open("", { origin: "http://localhost:3000" })).said).toBe("anonymous nobody");
    expect((await open("", { origin })).said).toEqual(refusal(403, "origin_rejected"));
  });

  test("asks the guards about who has a ticket, and counts their limits", async () => {
    const guards = [role("editor"), rateLimit({ limit: 1, windowSeconds: 60, name: "sockets" })];
    const { here, open } = await sockets({ roles: { editor: [] } }, { guards });
    const editor = await here.registered();
    const other = await here.registered("bob@example.com");
    await change(here, editor.userId, { roles: ["editor"] });
    const [first, second] = [await ticketOf(editor), await ticketOf(editor)];
    expect((await open(`?ticket=${first}`)).said).toBe(`ticket ${editor.userId}`);
    expect((await open(`?ticket=${second}`)).said).toMatchObject({
      status: 429,
      headers: { "ratelimit-policy": '"sockets";q=1;w=60' },
    });
    expect((await open(`?ticket=${await ticketOf(other)}`)).said).toEqual(refusal(403, "forbidden"));
  });

  test("is open to anyone where a guard says so, from one's own pages", async () => {
    const { open } = await sockets({}, { guards: [anyone()] });
    expect((await open()).said).toBe("anonymous nobody");
    expect((await open("", { origin: "https://evil.example" })).said).toEqual(
      refusal(403, "origin_rejected"),
    );
  });

  test("is 503 where a store hangs", async () => {
    const { here, open } = await sockets({ storeTimeoutMs: 50 });
    const ana = await here.registered();
    const ticket = await ticketOf(ana);
    here.recorder.before = () => new Promise(() => undefined);
    expect((await open(`?ticket=${ticket}`)).said).toEqual(refusal(503, "store_unavailable"));
    here.recorder.before = () => null;
  });

  test("is 503 where a guard hangs, and what it says later opens nothing", async () => {
    const held = gate();
    const slow = guard("slow", async () => {
      await held.pass();
      return true;
    });
    const { here, open, counts } = await sockets({}, { guards: [slow], decideWithinSeconds: 1 });
    const ana = await here.registered();
    expect((await open(`?ticket=${await ticketOf(ana)}`)).said).toEqual(refusal(503, "overloaded"));
    held.open();
    expect(counts()).toMatchObject({ decided: 1, openings: 0 });
  });

  test("sends nobody to a sign-in page, and answers as the application's onError says", async () => {
    const plain = await sockets();
    const wanting = { origin, accept: "text/html", "sec-fetch-mode": "navigate" };
    expect((await plain.open("", wanting)).said).toEqual(refusal(401, "not_authenticated"));
    const own = await sockets({
      onError: () => Response.json({ own: true }, { status: 418, headers: { "X-Own": "1" } }),
    });
    expect((await own.open()).said).toMatchObject({
      status: 418,
      headers: { "x-own": "1" },
      body: { own: true },
    });
  });

  test("is answered by Latchkey where the application's onError never ends, and told once how long its body is", async () => {
    const hanging = await sockets({ onError: () => new Promise(() => {}) }, { decideWithinSeconds: 1 });
    expect((await hanging.open()).said).toEqual(refusal(401, "not_authenticated"));
    const own = await sockets({
      onError: () =>
        new Response("own", { status: 418, headers: { "Content-Length": "3", Connection: "keep-alive" } }),
    });
    const answer = await rawUpgrade(own.port);
    expect(answer.match(/^content-length:.*$/gim)).toEqual(["Content-Length: 3"]);
    expect(answer.match(/^connection:.*$/gim)).toEqual(["Connection: close"]);
  });

  test.each([
    ["let on", path],
    ["refused", "/elsewhere"],
  ])("of a client that goes away before it is %s harms nobody", async (_what, at) => {
    const { here, port, open, counts } = await sockets();
    const ana = await here.registered();
    const held = gate();
    here.recorder.before = ({ name }) => (name === "ephemeral.take" ? held.pass() : null);
    const gone = connect(port, "127.0.0.1");
    gone.on("error", () => undefined);
    const headers = ["Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    gone.write(
      `GET ${at}?ticket=${await ticketOf(ana)} HTTP/1.1\r\n${[...headers, key].join("\r\n")}\r\n\r\n`,
    );
    await held.reached;
    gone.resetAndDestroy();
    await once(gone, "close");
    held.open();
    await until(() => counts().decided === 1);
    here.recorder.before = () => null;
    expect((await open(`?ticket=${await ticketOf(ana)}`)).said).toBe(`ticket ${ana.userId}`);
  });

  test("whose socket is gone when it is decided opens nothing", async () => {
    const { here, open, raw, counts } = await sockets();
    const ana = await here.registered();
    const held = gate();
    here.recorder.before = ({ name }) => (name === "ephemeral.take" ? held.pass() : null);
    const opening = open(`?ticket=${await ticketOf(ana)}`);
    await held.reached;
    raw[0]?.destroy();
    held.open();
    expect((await opening).said).toBe("closed");
    await until(() => counts().decided === 1);
    expect(counts().openings).toBe(0);
  });

  test("with headers past the server's limit is answered by the server itself", async () => {
    const { open, counts } = await sockets();
    const { said } = await open("", { origin, "x-much": "x".repeat(20_000) });
    expect([said, counts().decided]).toMatchObject([{ status: 431 }, 0]);
  });
});

describe("an open connection", () => {
  const tickets = async (setup: Setup = {}, options: WorldOptions = {}) => {
    const made = await sockets(options, setup);
    const ana = await made.here.registered();
    const by = async () => made.open(`?ticket=${await ticketOf(ana)}`);
    return { ...made, ana, by };
  };

  test.each([
    [
      "its session is revoked",
      async ({ here, ana }: Awaited<ReturnType<typeof tickets>>) => {
        const [session] = await here.auth.sessions.list(ana.userId);
        await here.auth.sessions.revoke(ana.userId, session?.id ?? "");
      },
    ],
    ["every session is revoked", ({ here, ana }) => here.auth.sessions.revokeAll(ana.userId)],
    ["its owner signs out", ({ ana }) => ana.post("/api/v1/auth/logout")],
  ] as readonly (readonly [string, (made: Awaited<ReturnType<typeof tickets>>) => Promise<unknown>])[])(
    "is closed at once when %s, however it was opened",
    async (_what, end) => {
      const made = await tickets();
      const cookie = `${cookieName}=${made.ana.jar.get(cookieName)}`;
      const [byTicket, byCookie] = [await made.by(), await made.open("", { origin, cookie })];
      const bob = await made.here.registered("bob@example.com");
      const others = await made.open(`?ticket=${await ticketOf(bob)}`);
      await end(made);
      for (const { closed } of [byTicket, byCookie]) {
        expect(await closed).toEqual({ code: 1008, reason: "the session has ended" });
      }
      expect(others.ws.readyState).toBe(WebSocket.OPEN);
    },
  );

  test("hears nothing more of who may not stay, and does not wait for them to go", async () => {
    const { here, ana, by, told, counts } = await tickets();
    const { ws } = await by();
    ws.send("before");
    await until(() => told.length === 1);
    // It does not read that it is to go, and talks on.
    ws.pause();
    await here.auth.sessions.revokeAll(ana.userId);
    ws.send("after");
    await until(() => counts().closings === 1);
    expect(told).toHaveLength(1);
  });

  test("is forgotten when the client closes it", async () => {
    const { here, ana, adapter, by, counts } = await tickets();
    (await by()).ws.close();
    await until(() => counts().closings === 1);
    here.recorder.calls.length = 0;
    await adapter.recheck(ana.userId);
    expect(here.recorder.trace()).toEqual([]);
  });

  test.each([
    ["disabled", (here: TicketWorld, id: string) => change(here, id, { status: "disabled" })],
    ["of a new generation", (here, id) => advance(here, id)],
    ["to choose another password first", (here, id) => change(here, id, { mustChangePassword: true })],
  ] as readonly (readonly [string, (here: TicketWorld, id: string) => Promise<void>])[])(
    "ends when its owner is %s, with sessions in a store and in the cookie",
    async (_what, end) => {
      for (const mode of ["stateful", "stateless"] as const) {
        const { here, adapter, ana, by, open, told } = await tickets({}, { session: { mode } });
        const cookie = `${cookieName}=${ana.jar.get(cookieName)}`;
        const both = [await by(), await open("", { origin, cookie })];
        await adapter.recheck(ana.userId);
        for (const { ws } of both) ws.send("still here");
        await until(() => told.length === 2);
        await end(here, ana.userId);
        await adapter.recheck(ana.userId);
        for (const { closed } of both) expect((await closed).code).toBe(1008);
      }
    },
  );

  test("is decided past every cache, when it opens and whenever it is looked at", async () => {
    const through: unknown[] = [];
    const noting = (stores: Stores): Stores => {
      const find: SessionStore["find"] = (ids, call) => {
        through.push(call.readsThrough);
        return stores.sessions.find(ids, call);
      };
      const sessions = new Proxy(stores.sessions, {
        get: (target, key) => (key === "find" ? find : Reflect.get(target, key)),
      });
      return { ...stores, sessions };
    };
    const { adapter, ana, open } = await tickets({}, { wrap: noting });
    const cookie = `${cookieName}=${ana.jar.get(cookieName)}`;
    through.length = 0;
    await open("", { origin, cookie });
    await adapter.recheck(ana.userId);
    expect(through).toEqual([true, true]);
  });

  test("with the session in its cookie ends when that does at last, and not when the cookie it came with lay idle", async () => {
    const session = { mode: "stateless", idleSeconds: 60, absoluteSeconds: 600 } as const;
    const { here, adapter, ana, open, told } = await tickets({}, { session });
    const { ws, closed } = await open("", { origin, cookie: `${cookieName}=${ana.jar.get(cookieName)}` });
    here.clock.advance(599);
    await adapter.recheck(ana.userId);
    ws.send("still here");
    await until(() => told.length === 1);
    here.clock.advance(1);
    await adapter.recheck(ana.userId);
    expect((await closed).code).toBe(1008);
  });

  test("by a key is looked at without taking turns of limits, and ends with the key", async () => {
    const keys = apiKeys();
    const guards = [rateLimit({ limit: 1, windowSeconds: 3_600, name: "sockets" })];
    const { here, adapter, ana, open, told } = await tickets({ guards }, { features: [keys] });
    const { principal } = await here.auth.authenticate(ana.request("GET", "/"), { ip: "192.0.2.10" });
    const managing = here.auth.use(keys);
    const { key, id } = await managing.create(principal, { name: "CI" });
    const { ws, said, closed } = await open("", { "X-API-Key": key });
    expect(said).toBe(`api-key ${ana.userId}`);
    here.recorder.calls.length = 0;
    for (let look = 0; look < 3; look++) await adapter.recheck(ana.userId);
    expect(here.recorder.trace()).not.toContain("ephemeral.reserve");
    expect(here.heard("rate_limit.hit")).toEqual([]);
    ws.send("still here");
    await until(() => told.length === 1);
    await managing.revoke(principal, id);
    expect((await closed).code).toBe(1008);
  });

  test("whose session ends while it is decided about is closed at once", async () => {
    const deciding = gate();
    const guards = [guard("slow", async () => deciding.pass().then(() => true))];
    const { here, ana, open } = await tickets({ guards });
    const cookie = `${cookieName}=${ana.jar.get(cookieName)}`;
    const opening = open("", { origin, cookie });
    await deciding.reached;
    await here.auth.sessions.revokeAll(ana.userId);
    deciding.open();
    expect((await (await opening).closed).code).not.toBe(1000);
  });

  test("is looked at again for what happens just as a look ends", async () => {
    const { here, ana } = await tickets();
    const user = await here.user(ana.userId);
    const proof = { via: "ticket", amr: [], authTime: here.clock.now(), sessionId: null, scopes: null };
    const principal = signedInAs(user, proof);
    for (let steps = 0; steps < 8; steps++) {
      let looks = 0;
      let answer = (): void => {};
      const auth = {
        ...here.auth,
        recheckConnection: () =>
          new Promise<{ ok: true; principal: typeof principal }>((resolve) => {
            looks++;
            answer = () => resolve({ ok: true, principal });
          }),
      };
      const connections = openConnections(auth, 3_600);
      const request = { method: "GET", url: "/", headers: { get: () => null } };
      const opened = { principal, request, client: { ip: null }, guards: [] };
      const socket = new PassThrough();
      connections.keep(socket, opened, connections.heard);
      void connections.recheck(user.id);
      answer();
      for (let step = 0; step < steps; step++) await undefined;
      void connections.recheck(user.id);
      await until(() => looks === 2);
      answer();
      socket.destroy();
      connections.close();
    }
  });

  test("is cut where the library's socket was not handed over", async () => {
    const { here, ana, by } = await tickets({ takesLeave: false });
    const { closed } = await by();
    await here.auth.sessions.revokeAll(ana.userId);
    expect((await closed).code).toBe(1006);
  });

  test("ends when a guard no longer allows, and stays where it does", async () => {
    let isOpen = true;
    const { adapter, ana, by } = await tickets({ guards: [guard("open", () => isOpen)] });
    const { ws, closed } = await by();
    await adapter.recheck(ana.userId);
    expect(ws.readyState).toBe(WebSocket.OPEN);
    isOpen = false;
    await adapter.recheck(ana.userId);
    expect((await closed).code).toBe(1008);
  });

  test("is looked at regularly, without keeping its session alive or taking turns of limits", async () => {
    const guards = [rateLimit({ limit: 1, windowSeconds: 3_600, name: "sockets" })];
    const { here, ana, by } = await tickets({ guards, recheckSeconds: 1 });
    const { ws, closed } = await by();
    const [before] = await here.auth.sessions.list(ana.userId);
    here.clock.advance(600);
    here.recorder.calls.length = 0;
    const looks = () => here.recorder.calls.filter(({ name }) => name === "sessions.find").length;
    await until(() => looks() >= 1);
    expect(ws.readyState).toBe(WebSocket.OPEN);
    expect(here.recorder.trace()).not.toContain("ephemeral.reserve");
    await here.settle();
    const [after] = await here.auth.sessions.list(ana.userId);
    expect(after?.lastUsedAt).toEqual(before?.lastUsedAt);
    // Past its idle limit nobody says so: it is seen at the next look.
    here.clock.advance(30 * 86_400);
    expect((await closed).code).toBe(1008);
  });

  test("in somebody else's place ends with the session of who acts there", async () => {
    const here = administered();
    const { adapter, open } = await serving(here);
    const boss = await holding(here, "boss", "user:impersonate");
    await person(here, "ana");
    expect((await boss.post(`${users}/ana/impersonate`)).status).toBe(200);
    const cookie = `${cookieName}=${boss.jar.get(cookieName)}`;
    const { ws, said, closed } = await open("", { origin, cookie });
    expect(said).toMatch(/^session /);
    const ana = await here.auth.users.findByIdentifier("ana");
    await adapter.recheck(ana?.id ?? "");
    expect(ws.readyState).toBe(WebSocket.OPEN);
    await here.auth.sessions.revokeAll(boss.userId);
    expect((await closed).code).toBe(1008);
  });

  test("outlives one look that no store answers, and not two", async () => {
    const { here, adapter, ana, by, told } = await tickets({}, { storeTimeoutMs: 20 });
    const { ws, closed } = await by();
    here.recorder.before = () => new Promise(() => undefined);
    await adapter.recheck(ana.userId);
    expect(ws.readyState).toBe(WebSocket.OPEN);
    here.recorder.before = () => null;
    await adapter.recheck(ana.userId);
    here.recorder.before = () => new Promise(() => undefined);
    await adapter.recheck(ana.userId);
    ws.send("still here");
    await until(() => told.length === 1);
    await adapter.recheck(ana.userId);
    expect((await closed).code).toBe(1013);
    here.recorder.before = () => null;
  });

  test("knows its owner as of the last look", async () => {
    const { here, ana, by, told, adapter } = await tickets();
    const { ws } = await by();
    await change(here, ana.userId, { name: "Grace" });
    await adapter.recheck(ana.userId);
    ws.send("hello");
    await until(() => told.length === 1);
    expect(told).toEqual(["Grace: hello"]);
  });

  test("ends with the adapter, which opens none from then on", async () => {
    const deciding = gate();
    let isSlow = false;
    const guards = [guard("slow", async () => !isSlow || deciding.pass().then(() => true))];
    const { adapter, by } = await tickets({ guards });
    const { closed } = await by();
    isSlow = true;
    const opening = by();
    await deciding.reached;
    adapter.close();
    expect((await closed).code).toBe(1001);
    deciding.open();
    expect((await opening).said).toMatchObject(refusal(503, "overloaded"));
    isSlow = false;
    expect((await by()).said).toMatchObject(refusal(503, "overloaded"));
  });
});

test.each([
  [{ recheckSeconds: 0 }, /recheckSeconds has to be from 1 to 3600/],
  [{ recheckSeconds: Number.NaN }, /recheckSeconds/],
  [{ decideWithinSeconds: 61 }, /decideWithinSeconds has to be from 1 to 60/],
])("settings outside their range are refused: %j", (options, said) => {
  const { auth } = ticketWorld();
  expect(() => websockets(auth, options)).toThrow(said);
});

/** Everything that is answered to an upgrade without any proof, as text. */
async function rawUpgrade(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  const headers = ["Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"];
  socket.write(
    `GET ${path} HTTP/1.1\r\n${headers.join("\r\n")}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}
