import { once } from "node:events";
import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { node } from "../../src/adapters/node.ts";
import { createAuth } from "../../src/auth.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tokens } from "../../src/features/tokens.ts";
import { fresh } from "../../src/guards/fresh.ts";
import { anyone } from "../../src/guards/guards.ts";
import { permission, role } from "../../src/guards/rights.ts";
import { memory } from "../../src/stores/memory.ts";
import {
  mockUser,
  session,
  signedIn,
  type TestAuthOptions,
  testAuth,
  testPassword,
  testPasswords,
  testSecret,
  virtualClock,
  visitor,
  withApiKey,
  withToken,
} from "../../src/testing/testing.ts";

const me = "/api/v1/users/me";

function world(options: TestAuthOptions = {}) {
  const here = testAuth(options);
  onTestFinished(() => here.auth.close());
  return here;
}

describe("a client of a test", () => {
  test("is a visitor until it signs in, keeps its cookies and sends its CSRF token", async () => {
    const { auth } = world();
    const client = visitor(auth);
    expect((await client.get(me)).status).toBe(401);
    const person = { email: "ana@example.com", password: testPassword };
    expect((await client.post("/api/v1/auth/register", person)).status).toBe(201);
    expect((await client.patch(me, { name: "Ana" })).status).toBe(200);
    const answer = await client.get<{ name: string }>(me);
    expect((await answer.json()).name).toBe("Ana");
    const unsaid = await client.patch(me, { name: "Eve" }, { headers: { "X-CSRF-Token": null } });
    expect(unsaid.status).toBe(403);
    expect((await client.post("/api/v1/auth/logout")).status).toBe(200);
    expect(client.cookies().map(({ name }) => name)).toEqual(["latchkey-device"]);
    expect((await client.get(me)).status).toBe(401);
  });

  test("is another one each time: nobody has another's cookies", async () => {
    const { auth } = world();
    const [ana, bob] = [await signedIn(auth), await signedIn(auth)];
    expect(ana.user.id).not.toBe(bob.user.id);
    expect((await bob.post("/api/v1/auth/logout")).status).toBe(200);
    expect((await ana.get(me)).status).toBe(200);
  });

  test("is signed in as whoever is wanted, with their rights, and by a session that is on record", async () => {
    const { auth } = world({ roles: { editor: ["post:write"] } });
    const app = auth.protect(() => new Response("written"), permission("post:write"));
    const user = { email: "ana@example.com", roles: ["editor"] };
    const ana = await signedIn(auth, { app, user });
    expect(await (await ana.post("/post")).text()).toBe("written");
    const bob = await signedIn(auth, { app });
    expect((await bob.post("/post")).status).toBe(403);
    expect((await auth.sessions.list(ana.user.id)).map(({ id }) => id)).toEqual([ana.session.id]);
  });

  test("takes the account that has the address, an id or a whole user, and makes no second one", async () => {
    const { auth } = world();
    const ana = await signedIn(auth, { user: { email: "ana@example.com" } });
    for (const user of [{ email: "Ana@Example.com" }, ana.user.id, ana.user])
      expect((await signedIn(auth, { user })).user.id).toBe(ana.user.id);
    await expect(signedIn(auth, { user: "nobody" })).rejects.toThrow("no user has the id nobody");
    await expect(signedIn(auth, { user: mockUser() })).rejects.toMatchObject({ code: "not_found" });
    await expect(
      signedIn(auth, { user: { email: "b@example.com", status: "disabled" } }),
    ).rejects.toMatchObject({
      code: "not_found",
    });
  });

  test("an account that it makes signs in with the password of tests, or one of its own", async () => {
    const { auth } = world();
    await signedIn(auth, { user: { email: "ana@example.com" } });
    await signedIn(auth, { user: { email: "bob@example.com", password: "another one entirely" } });
    const login = (email: string, password: string) =>
      visitor(auth).post("/api/v1/auth/login", { email, password });
    expect((await login("ana@example.com", testPassword)).status).toBe(200);
    expect((await login("bob@example.com", "another one entirely")).status).toBe(200);
    expect((await login("bob@example.com", testPassword)).status).toBe(401);
  });

  test("follows redirects within its origin where it is asked to, and turns a form into a read", async () => {
    const { auth } = world();
    const seen: string[] = [];
    const to = (status: number, Location: string) => new Response(null, { status, headers: { Location } });
    const app = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      seen.push(`${request.method} ${pathname} ${await request.text()}`);
      if (pathname === "/form") return to(303, "/kept");
      if (pathname === "/kept") return to(307, "end");
      if (pathname === "/away") return to(302, "https://elsewhere.example/");
      if (pathname === "/round") return to(307, "/round");
      return new Response("end");
    };
    const client = visitor(auth, { app });
    expect((await client.post("/form", "a=1")).status).toBe(303);
    expect(await (await client.post("/form", "a=1", { redirect: "follow" })).text()).toBe("end");
    expect(seen).toEqual(["POST /form a=1", "POST /form a=1", "GET /kept ", "GET /end "]);
    expect((await client.get("/away", { redirect: "follow" })).status).toBe(302);
    seen.length = 0;
    expect((await client.post("/round", "b", { redirect: "follow" })).status).toBe(307);
    expect(seen).toEqual(Array(21).fill("POST /round b"));
    await expect(client.get("https://elsewhere.example/")).rejects.toThrow(TypeError);
  });

  test("sends cookies to the paths that they are for, and drops those that are deleted", async () => {
    const { auth } = world();
    const app = (request: Request): Response => {
      const answer = new Response(request.headers.get("cookie"));
      if (!request.url.endsWith("/set")) return answer;
      answer.headers.append("Set-Cookie", "shop=1; Path=/shop; Max-Age=60; Secure; SameSite=Strict");
      answer.headers.append("Set-Cookie", "all=a=b; HttpOnly");
      answer.headers.append("Set-Cookie", "gone=1");
      answer.headers.append("Set-Cookie", "gone=; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
      return answer;
    };
    const client = visitor(auth, { app });
    await client.get("/set");
    const sent = async (path: string): Promise<string> => (await client.get(path)).text();
    expect(await sent("/")).toBe("all=a=b");
    expect([await sent("/shop"), await sent("/shop/x")]).toEqual(Array(2).fill("shop=1; all=a=b"));
    expect(await sent("/shopping")).toBe("all=a=b");
    const [shop, all] = client.storageState().cookies;
    expect(shop).toMatchObject({ domain: "localhost", path: "/shop", secure: true, sameSite: "Strict" });
    expect((shop?.expires ?? 0) - Date.now() / 1000).toBeCloseTo(60, -1);
    expect(all).toMatchObject({ name: "all", value: "a=b", expires: -1, httpOnly: true, sameSite: "Lax" });
  });

  test("sends text, forms and bytes as they are, and anything else as JSON", async () => {
    const { auth } = world();
    const app = async (request: Request): Promise<Response> =>
      Response.json([request.headers.get("content-type"), await request.text()]);
    const client = visitor(auth, { app });
    const sent = async (body: object | string) => (await client.put<[string, string]>("/", body)).json();
    expect(await sent({ a: 1 })).toEqual(["application/json", '{"a":1}']);
    expect(await sent([1])).toEqual(["application/json", "[1]"]);
    expect(await sent("a")).toEqual(["text/plain;charset=UTF-8", "a"]);
    expect(await sent(new URLSearchParams({ a: "b" }))).toEqual([
      "application/x-www-form-urlencoded;charset=UTF-8",
      "a=b",
    ]);
    expect(await sent(new TextEncoder().encode("b"))).toEqual([null, "b"]);
  });

  test("says that it is a page of the site, whose address and browser the session knows", async () => {
    const { auth } = world({ session: { binding: "ip+user-agent" } });
    const usual = await signedIn(auth);
    expect((await usual.get(me)).status).toBe(200);
    expect((await usual.get(me, { headers: { "User-Agent": "Other/1.0" } })).status).toBe(401);
    const other = await signedIn(auth, { ip: "198.51.100.7", userAgent: "Other/1.0" });
    expect((await other.get(me)).status).toBe(200);
    const [row] = await auth.sessions.list(other.user.id);
    expect(row).toMatchObject({ ip: "198.51.100.7", userAgent: "Other/1.0" });
  });

  test("asks a server that listens, by itself or by its address", async () => {
    const { auth } = world();
    const { handle, protect } = node(auth);
    const hello = protect(
      (_request, response, { displayName }) => void response.end(`Hello, ${displayName}`),
    );
    const server = createServer(async (request, response) => {
      if (!(await handle(request, response))) hello(request, response);
    });
    expect(() => visitor(auth, { app: server })).toThrow("listens on no port yet");
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    for (const app of [server, `http://127.0.0.1:${port}`, new URL(`http://127.0.0.1:${port}/x`)]) {
      const client = await signedIn(auth, { app });
      expect(await (await client.get("/hello")).text()).toBe(`Hello, ${client.user.username}`);
      expect((await client.patch(me, { name: "Ana" })).status).toBe(200);
      expect((await client.fetch(me, { method: "HEAD" })).body).toBeNull();
      expect((await client.post("/api/v1/auth/logout")).status).toBe(200);
      expect(client.cookies()).toEqual([]);
    }
  });

  test("gives up an answer of a server that is waited for no longer", async () => {
    const { auth } = world();
    const ending = new AbortController();
    const server = createServer(() => ending.abort(new Error("enough")));
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.closeAllConnections());
    onTestFinished(() => void server.close());
    const client = visitor(auth, { app: server });
    await expect(client.get("/", { signal: ending.signal })).rejects.toThrow("enough");
    await expect(client.get("/", { signal: ending.signal })).rejects.toThrow("enough");
  }, 2_000);

  test("meets a connection that breaks within an answer as a body that fails", async () => {
    const { auth } = world();
    const server = createServer((request, response) => {
      response.writeHead(200, { "Content-Length": "10" });
      response.write("one", () => setTimeout(() => request.socket.resetAndDestroy(), 20));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const answer = await visitor(auth, { app: server }).get("/");
    await expect(answer.text()).rejects.toThrow();
  });

  test("speaks plain HTTP alone, and says so", () => {
    const { auth } = world();
    expect(() => visitor(auth, { app: "https://127.0.0.1:3000" })).toThrow("app: plain HTTP");
  });
});

describe("proofs that a test makes", () => {
  test("a session counts from when it is said to have begun", async () => {
    const { auth, clock } = world();
    const app = auth.protect(() => new Response("fresh"), fresh());
    const ago = (seconds: number): Date => new Date(clock.now().getTime() - seconds * 1000);
    const status = async (createdAt?: Date, isRemembered = false): Promise<number> =>
      (await (await signedIn(auth, { app, isRemembered, ...(createdAt && { createdAt }) })).get("/")).status;
    expect(await status()).toBe(200);
    expect(await status(ago(599))).toBe(200);
    expect(await status(ago(601))).toBe(403);
    expect(await status(ago(1_801))).toBe(401);
    expect(await status(ago(1_801), true)).toBe(403);
    await expect(status(new Date(clock.now().getTime() + 1))).rejects.toThrow(TypeError);
  });

  test.each([{ mode: "stateless" }, { encrypt: true }] as const)(
    "a session works with %o",
    async (settings) => {
      const { auth } = world({ session: settings });
      expect((await (await signedIn(auth)).get(me)).status).toBe(200);
    },
  );

  test("a session gives what a client of one's own sends", async () => {
    const { auth } = world();
    const { cookies, csrfToken, token, user } = await session(
      auth,
      { email: "ana@example.com" },
      { amr: ["otp"] },
    );
    expect(cookies).toBe(`latchkey=${token}; latchkey-csrf=${csrfToken}`);
    const headers = { cookie: cookies, origin: auth.config.origin, "x-csrf-token": csrfToken };
    const app = auth.protect((_, principal) => Response.json([principal.user.id, principal.amr]));
    const answer = await app(new Request("http://localhost:3000/", { method: "POST", headers }), {
      ip: null,
    });
    expect(await answer.json()).toEqual([user.id, ["otp"]]);
  });

  test("a program has a token or an API key, and no cookie", async () => {
    const [keys, access] = [apiKeys(), tokens()];
    const { auth } = world({ features: [keys, access] });
    const app = auth.protect((_, { via, scopes }) => Response.json([via, scopes]));
    const user = { email: "ana@example.com", permissions: ["invoice:read", "invoice:write"] };
    const bearer = await withToken(auth, access, { app, user });
    expect(await (await bearer.post("/")).json()).toEqual(["jwt", null]);
    const key = { permissions: ["invoice:read"] };
    const program = await withApiKey(auth, keys, { app, user, key });
    expect(await (await program.post("/")).json()).toEqual(["api-key", ["invoice:read"]]);
    expect(program.user.id).toBe(bearer.user.id);
    expect([...bearer.cookies(), ...program.cookies()]).toEqual([]);
    const more = { permissions: ["audit:read"] };
    await expect(withApiKey(auth, keys, { user, key: more })).rejects.toMatchObject({
      code: "invalid_input",
    });
  });

  test("work with an application's own auth, as far as it lets accounts be made", async () => {
    const keys = apiKeys();
    const auth = createAuth({
      origin: "http://localhost:3000",
      secrets: [testSecret],
      stores: memory(),
      clock: virtualClock(),
      features: [testPasswords(), keys],
    });
    onTestFinished(() => auth.close());
    const app = auth.protect(() => new Response("staff"), role("admin"));
    const boss = await signedIn(auth, { app, user: { email: "boss@example.com", isSuperuser: true } });
    expect((await boss.get("/")).status).toBe(200);
    const program = await withApiKey(auth, keys, { user: boss.user });
    expect((await program.get(me)).status).toBe(200);
    await expect(signedIn(auth, { user: { email: "x@example.com", roles: ["admin"] } })).rejects.toThrow(
      "user: roles: only with testAuth",
    );
    expect(
      await (await visitor(auth, { app: auth.protect(() => new Response("all"), anyone()) }).get("/")).text(),
    ).toBe("all");
  });
});
