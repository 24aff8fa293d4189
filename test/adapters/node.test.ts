import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
} from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { type NodeListener, node, nodeRequest } from "../../src/adapters/node.ts";
import { AuthError } from "../../src/errors.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import type { Strategy } from "../../src/ports/strategy.ts";
import { bearer, bearerPrincipal } from "../support/strategies.ts";
import { until } from "../support/until.ts";
import { cookieName, password, type World, type WorldOptions, world } from "../support/world.ts";

interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent;
}

/** A real server, and a client that sends exactly what it is told. */
async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return {
    server,
    port,
    ask: (path: string, { method = "GET", headers = {}, body, agent }: Ask = {}) =>
      new Promise<Reply>((resolve, reject) => {
        const sent = httpRequest(
          { host: "127.0.0.1", port, path, method, headers, agent },
          async (response) => {
            let text = "";
            for await (const chunk of response) text += chunk;
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
          },
        );
        sent.on("error", reject);
        sent.end(body);
      }),
  };
}

/** The usual server of the module's own example, and somebody who is signed in. */
async function usual(options: WorldOptions = {}) {
  const here = world(options);
  const ana = await here.registered();
  const cookie = [...ana.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const csrf = ana.jar.get(`${cookieName}-csrf`) ?? "";
  const { handle, protect } = node(here.auth);
  const hello = protect((_, res, { displayName }) => void res.end(`Hello, ${displayName}`));
  const server = await serve(async (req, res) => void ((await handle(req, res)) || (await hello(req, res))));
  return { ...server, here, cookie, csrf, ana };
}

const json = { "content-type": "application/json" };

describe("handle", () => {
  test("answers Latchkey's own routes, and leaves the others", async () => {
    const { ask, cookie } = await usual();
    expect(await ask("/healthz")).toMatchObject({ status: 200, text: '{"status":"ok"}' });
    expect(await ask("/hello", { headers: { cookie } })).toMatchObject({
      status: 200,
      text: expect.stringMatching(/^Hello, u/),
    });
    expect(await ask("/hello")).toMatchObject({ status: 401, headers: { "www-authenticate": "Cookie" } });
  });

  test("reads the body, and sets each cookie in a header of its own", async () => {
    const { ask } = await usual();
    const body = JSON.stringify({ email: "ana@example.com", password });
    const { status, headers } = await ask("/api/v1/auth/login", { method: "POST", headers: json, body });
    expect(status).toBe(200);
    const names = headers["set-cookie"]?.map((each) => each.split("=")[0]);
    expect(names).toEqual([cookieName, `${cookieName}-csrf`, `${cookieName}-device`]);
    expect(headers["set-cookie"]?.[0]).toMatch(new RegExp(`^${cookieName}=\\w{24}\\.`));
  });

  test("answers HEAD with the headers of GET and no body", async () => {
    const { ask } = await usual();
    const { status, headers, text } = await ask("/api/v1/auth/session", { method: "HEAD" });
    expect({ status, text, type: headers["content-type"] }).toEqual({
      status: 200,
      text: "",
      type: "application/json",
    });
  });

  test("takes the CSRF token from the header, and from a form's field", async () => {
    const { ask, cookie, csrf } = await usual();
    const patch = (headers: Record<string, string>, body: string) =>
      ask("/api/v1/users/me", { method: "PATCH", headers: { cookie, ...headers }, body });
    expect((await patch({ ...json, "x-csrf-token": csrf }, '{"name":"Ana"}')).status).toBe(200);
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect((await patch(form, `_token=${csrf}&name=Bea`)).status).toBe(200);
    expect((await patch(form, "name=Eve")).status).toBe(403);
  });

  test("keeps the connection where the body was read or there was none, and gives it up where one was left unread", async () => {
    const { ask, server, cookie } = await usual();
    let connections = 0;
    server.on("connection", () => connections++);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (let i = 0; i < 3; i++) await ask("/healthz", { agent });
    await ask("/hello", { agent });
    await ask("/api/v1/users/me", { agent, headers: { cookie } });
    await ask("/api/v1/auth/login", { agent, method: "POST", headers: json, body: "{}" });
    expect(connections).toBe(1);
    const large = `{"email":"${"x".repeat(3_000_000)}"}`;
    const refused = await ask("/api/v1/auth/login", { agent, method: "POST", headers: json, body: large });
    expect(refused).toMatchObject({ status: 413, headers: { connection: "close" } });
    expect((await ask("/healthz", { agent })).status).toBe(200);
    expect(connections).toBe(2);
  });

  test("refuses a body that declares no size as soon as it is too large", async () => {
    const { ask } = await usual();
    const headers = { ...json, "transfer-encoding": "chunked" };
    const answer = await ask("/api/v1/auth/login", {
      method: "POST",
      headers,
      body: `{"email":"${"x".repeat(100_000)}"}`,
    });
    expect(answer).toMatchObject({ status: 413 });
  });

  test("keeps cookies that the application set before", async () => {
    const { auth } = world();
    const { handle } = node(auth);
    const { ask } = await serve(async (req, res) => {
      res.appendHeader("Set-Cookie", "own=1");
      await handle(req, res);
    });
    const { headers } = await ask("/api/v1/auth/logout", { method: "POST" });
    expect(headers["set-cookie"]).toHaveLength(3);
  });
});

describe("protect", () => {
  test("builds no Response, and its answer to somebody signed in is kept by no cache", async () => {
    const { ask, cookie } = await usual();
    expect((await ask("/hello", { headers: { cookie } })).headers).toMatchObject({
      "cache-control": "no-store",
    });
  });

  test("leaves the answer to a stranger on an open route as it is", async () => {
    const { protect } = node(world().auth);
    const { ask } = await serve(protect((_, res, { displayName }) => void res.end(displayName), anyone()));
    const { headers, text } = await ask("/");
    expect(text).toBe("Anonymous");
    expect(headers["cache-control"]).toBe(undefined);
  });

  test("seals what clears a stale cookie into answers and refusals", async () => {
    const { ask } = await usual();
    const { status, headers, text } = await ask("/hello", {
      headers: { cookie: `${cookieName}=${"a".repeat(24)}.${"b".repeat(43)}` },
    });
    expect({ status, code: JSON.parse(text).code }).toEqual({ status: 401, code: "session_expired" });
    expect(headers["set-cookie"]).toHaveLength(2);
  });

  test("asks for the CSRF token of a write", async () => {
    const { ask, cookie, csrf } = await usual();
    expect((await ask("/hello", { method: "POST", headers: { cookie } })).status).toBe(403);
    expect((await ask("/hello", { method: "POST", headers: { cookie, "x-csrf-token": csrf } })).status).toBe(
      200,
    );
  });

  test("sends a page request of a stranger to sign in", async () => {
    const { ask } = await usual();
    const { status, headers } = await ask("/hello?a=1", { headers: { accept: "text/html" } });
    expect([status, headers.location]).toEqual([302, "/login?next=%2Fhello%3Fa%3D1"]);
  });

  test("lets strategies ask for headers as they are written", async () => {
    const base = world();
    const { auth } = base.again({ strategies: [bearer(base.make.user({ name: "Bea" }))] });
    const { protect } = node(auth);
    const { ask } = await serve(protect((_, res, { displayName }) => void res.end(displayName)));
    expect((await ask("/", { headers: { authorization: "Test good" } })).text).toBe("Bea");
  });

  test("turns what the handler throws into an answer, and tells the operator what was no refusal", async () => {
    const { auth, log } = world();
    const { protect } = node(auth);
    const refusing = protect(() => Promise.reject(new AuthError("conflict")), anyone());
    const broken = protect(() => Promise.reject(new Error("hunter2")), anyone());
    const { ask } = await serve((req, res) => void (req.url === "/broken" ? broken : refusing)(req, res));
    expect(await ask("/")).toMatchObject({ status: 409 });
    expect(log).toEqual([]);
    const { status, text } = await ask("/broken");
    expect(status).toBe(500);
    expect(text).not.toContain("hunter2");
    expect(log).toMatchObject([{ level: "error", cause: new Error("hunter2") }]);
  });

  test("seals the session that a visitor's first set creates, once", async () => {
    const { protect } = node(world().auth);
    const { ask } = await serve(
      protect(async (_, res, _principal, session) => {
        expect([session.id, session.change]).toEqual([null, null]);
        await session.set("cart", [1]);
        await session.set("cart", [1, 2]);
        await session.delete("none");
        expect(session.id).toMatch(/^\w{24}$/);
        res.end(JSON.stringify(session.get("cart")));
        await session.clear();
      }, anyone()),
    );
    const { headers, text } = await ask("/", { method: "POST" });
    expect(text).toBe("[1,2]");
    expect(headers["set-cookie"]?.map((each) => each.split("=")[0])).toEqual([
      cookieName,
      `${cookieName}-csrf`,
    ]);
  });

  test("asks onError first, for refusals and failures alike", async () => {
    const onError = (error: AuthError) =>
      error.code === "not_found"
        ? null
        : new Response("own", { status: 418, headers: { "set-cookie": "own=1" } });
    const { auth } = world({ onError });
    const { protect } = node(auth);
    const closed = protect((_, res) => void res.end("in"));
    const broken = protect(() => Promise.reject(new Error()), anyone());
    const missing = protect(() => Promise.reject(new AuthError("not_found")), anyone());
    const { ask } = await serve(
      (req, res) => void ({ "/broken": broken, "/missing": missing }[req.url ?? ""] ?? closed)(req, res),
    );
    expect(await ask("/", { headers: { cookie: `${cookieName}=x` } })).toMatchObject({
      status: 418,
      text: "own",
    });
    expect((await ask("/", { headers: { cookie: `${cookieName}=x` } })).headers["set-cookie"]).toHaveLength(
      3,
    );
    expect(await ask("/broken")).toMatchObject({ status: 418, text: "own" });
    expect(await ask("/missing")).toMatchObject({ status: 404 });
    expect(await ask("/", { headers: { accept: "text/html" } })).toMatchObject({ status: 302 });
  });

  test("has one request id for the refusal's event and its problem document", async () => {
    const { here, cookie } = await usual();
    const { protect } = node(here.auth);
    const { ask } = await serve(
      protect(
        () => {},
        guard("no", () => false),
      ),
    );
    const { text } = await ask("/", { headers: { cookie } });
    expect(here.heard("permission.denied")[0]?.requestId).toBe(JSON.parse(text).request_id);
  });

  test("keeps the connection of a refused read, and gives up that of a refused upload", async () => {
    const { ask, server } = await usual();
    let connections = 0;
    server.on("connection", () => connections++);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (let i = 0; i < 3; i++) expect((await ask("/hello", { agent })).status).toBe(401);
    expect(connections).toBe(1);
    const upload = { agent, method: "POST", body: "x".repeat(3_000_000) };
    expect(await ask("/hello", upload)).toMatchObject({ status: 401, headers: { connection: "close" } });
  });
});

test("the narrow view of a request opens the body where one may come, and only once", async () => {
  const bodies: unknown[] = [];
  const { ask } = await serve(async (req, res) => {
    const request = nodeRequest(req);
    const { body } = request;
    bodies.push(req.method, body === null, request.body === body);
    res.end();
  });
  for (const method of ["GET", "HEAD", "POST", "DELETE"]) await ask("/", { method });
  expect(bodies).toEqual(["GET", true, true, "HEAD", true, true, "POST", false, true, "DELETE", false, true]);
});

describe("the client's address", () => {
  const forwarded = { "x-forwarded-for": "203.0.113.9" };

  async function seen(here: World, trustedProxies?: readonly string[]) {
    const { handle } = node(here.auth, trustedProxies === undefined ? {} : { trustedProxies });
    const { ask } = await serve(async (req, res) => void (await handle(req, res)));
    const body = JSON.stringify({ email: "nobody@example.com", password });
    await ask("/api/v1/auth/login", { method: "POST", headers: { ...json, ...forwarded }, body });
    await until(() => here.heard("user.login_failed").length === 1);
    return here.heard("user.login_failed")[0]?.ip;
  }

  test("is the socket's where no proxy is trusted", async () => {
    expect(await seen(world())).toBe("127.0.0.1");
  });

  test("is the forwarded one behind a trusted proxy", async () => {
    expect(await seen(world(), ["127.0.0.0/8"])).toBe("203.0.113.9");
  });
});

describe("a proof that asks how its request was answered", () => {
  /** A server whose requests are all accepted by a strategy that notes the statuses it is told. */
  async function asking() {
    const told: number[] = [];
    const state = { isAsked: false };
    const here = world();
    const user = await here.plant();
    const accepts: Strategy = {
      name: "asking",
      ambient: false,
      challenge: "Test",
      authenticate: ({ headers }) =>
        headers.get("x-proof")
          ? {
              kind: "accepted",
              principal: bearerPrincipal(user, here.clock.now()),
              answered: (status) => void told.push(status),
            }
          : { kind: "absent" },
    };
    const { auth } = here.again({ strategies: [accepts] });
    const { handle, protect } = node(auth);
    const byPath: Readonly<Record<string, NodeListener>> = {
      "/late": protect((_, res) => void setImmediate(() => res.writeHead(201).end())),
      "/broken": protect(() => {
        throw new Error("broken");
      }),
      "/closed": protect(
        (_, res) => void res.end(),
        guard("no", () => false),
      ),
      "/never": protect(() => {
        state.isAsked = true;
      }),
    };
    const server = await serve(
      async (req, res) => void ((await handle(req, res)) || (await byPath[req.url ?? ""]?.(req, res))),
    );
    return { ...server, told, state };
  }
  const headers = { "x-proof": "x" };

  test.each([
    ["/late", 201],
    ["/broken", 500],
    ["/closed", 403],
    ["/api/v1/users/me", 200],
  ])("is told once the answer is given: %s", async (path, status) => {
    const { ask, told } = await asking();
    expect((await ask(path, { headers })).status).toBe(status);
    await until(() => told.length > 0);
    await ask("/late");
    expect(told).toEqual([status]);
  });

  test("is told 499 where the client went away before", async () => {
    const { port, told, state } = await asking();
    const sent = httpRequest({ host: "127.0.0.1", port, path: "/never", headers });
    sent.on("error", () => undefined);
    sent.end();
    await until(() => state.isAsked);
    sent.destroy();
    await until(() => told.length > 0);
    expect(told).toEqual([499]);
  });
});
