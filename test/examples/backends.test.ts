import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hash } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { importAccounts } from "../../examples/backends/accounts.ts";
import { backendsApp } from "../../examples/backends/app.ts";
import { authOptions } from "../../examples/backends/auth.ts";
import { type Auth, createAuth, verifyPassword } from "../../src/index.ts";
import { mockPrincipal, testAuth } from "../../src/testing/testing.ts";
import { type Answer, type Browser, browserOn, readAnswer } from "../support/browser.ts";
import { type RunningExample, startExample } from "./support/example.ts";

const formerSecret = "the secret of the former application";
const testUser = { username: "test_user", password: "password123" };
const boss = { username: "boss", password: "boss-password" };

let example: RunningExample;
/** Tokens of the boss and of the test user, from one sign-in each. */
let tokens: { readonly boss: string; readonly user: string };

beforeAll(async () => {
  example = await startExample("backends", { FORMER_JWT_SECRET: formerSecret, TRUSTED_PROXIES: "127.0.0.1" });
  tokens = { boss: await tokenOf(boss), user: await tokenOf(testUser) };
});

afterAll(() => example.remove());

let people = 0;

/** A browser at an address of its own, so that nobody waits for somebody else's limit. */
function person(): Browser {
  const address = `192.0.2.${++people}`;
  const send = async (request: Request): Promise<Response> => {
    request.headers.set("X-Forwarded-For", address);
    return fetch(request, { redirect: "manual" });
  };
  return browserOn(send, example.origin);
}

/** A program: it keeps no cookies. */
async function ask(
  method: string,
  path: string,
  headers: Record<string, string>,
  json?: unknown,
): Promise<Answer> {
  const body = json === undefined ? {} : { body: JSON.stringify(json) };
  const all = { "Content-Type": "application/json", ...headers };
  return readAnswer(
    await fetch(example.origin + path, { method, headers: all, redirect: "manual", ...body }),
  );
}

const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

async function tokenOf(who: typeof boss): Promise<string> {
  const { body } = await person().post("/jwt/login", who);
  return String(body.token);
}

async function keyOf(permissions: readonly string[]): Promise<string> {
  const { body } = await ask("POST", "/api-keys", bearer(tokens.boss), { permissions });
  return String(body.api_key);
}

/** Who the application says it is: their name, and how it knows. */
async function whoIs(headers: Record<string, string>): Promise<unknown[]> {
  const { status, body } = await ask("GET", "/whoami", headers);
  return [status, body.display_name, body.via];
}

function idOf(token: string): string {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()).user_id;
}

/** A token as the document's `jwt.encode` makes it. */
function encode(payload: object, secret: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part(payload)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const seconds = (): number => Math.floor(Date.now() / 1000);

describe("recognising people", () => {
  test("NX 1 · session backend: whoever signed in is loaded by the id of their session; others are sent to the login", async () => {
    const browser = person();
    const before = await browser.get("/profile");
    expect([before.status, before.headers.get("location")]).toEqual([302, "/login"]);
    await browser.post("/login", testUser);
    const { status, body } = await browser.get("/profile");
    expect(status).toBe(200);
    expect(body).toEqual({ id: idOf(tokens.user), username: "test_user", email: "test_user@example.com" });
    expect((await browser.get("/whoami")).body.via).toBe("session");
  });

  test("NX 2 · checks by hand: /admin tells strangers, people and admins apart", async () => {
    const asked = async (headers: Record<string, string>): Promise<unknown[]> => {
      const { status, body } = await ask("GET", "/admin", headers);
      return [status, body];
    };
    expect(await asked({})).toEqual([401, { error: "Authentication required" }]);
    expect(await asked(bearer(tokens.user))).toEqual([403, { error: "Admin access required" }]);
    expect(await asked(bearer(tokens.boss))).toEqual([200, { message: "Welcome to admin panel" }]);
  });

  test("NX 3 · API-key middleware: the header X-API-Key says who it is, and a bad one is refused on public routes too", async () => {
    const key = await keyOf([]);
    expect(await whoIs({ "X-API-Key": key })).toEqual([200, "boss", "api-key"]);
    const { status, body } = await ask("GET", "/whoami", { "X-API-Key": `${key.slice(0, -1)}!` });
    expect([status, body]).toEqual([
      401,
      { error: "Authentication failed", message: "The API key cannot be used." },
    ]);
  });

  test("NX 4 · two backends: a session and a token open the same routes, and the token wins where both are sent", async () => {
    const browser = person();
    await browser.post("/login", testUser);
    expect((await browser.get("/whoami")).body).toMatchObject({ display_name: "test_user", via: "session" });
    expect(await whoIs(bearer(tokens.boss))).toEqual([200, "boss", "jwt"]);
    const both = await browser.get("/whoami", { headers: bearer(tokens.boss) });
    expect(both.body).toMatchObject({ display_name: "boss", via: "jwt" });
    const spoilt = await browser.get("/whoami", { headers: bearer(`${tokens.boss}x`) });
    expect(spoilt.status).toBe(401);
  });

  test("NX 5 · user_key: an id that is written into a session signs nobody in", async () => {
    const browser = person();
    const written = await browser.send("PUT", "/preferences/user_id", { json: { value: idOf(tokens.boss) } });
    expect([written.status, written.body]).toEqual([200, { user_id: idOf(tokens.boss) }]);
    expect(browser.jar.has("latchkey")).toBe(true);
    expect((await browser.get("/whoami")).body).toMatchObject({ is_authenticated: false, via: "anonymous" });
    expect((await browser.get("/profile")).status).toBe(302);
  });

  test("NX 6 · session login and logout: the cookie opens, a wrong password and a logout do not", async () => {
    const browser = person();
    const wrong = await browser.post("/login", { ...testUser, password: "password124" });
    expect([wrong.status, wrong.body]).toEqual([401, { error: "Invalid credentials" }]);
    expect(wrong.headers.get("www-authenticate")).toBe("Cookie, Bearer");
    const nobody = await browser.post("/login", {});
    expect([nobody.status, nobody.body]).toEqual([401, { error: "Invalid credentials" }]);
    const right = await browser.post("/login", testUser);
    expect([right.status, right.body]).toEqual([200, { message: "Login successful" }]);
    expect(browser.jar.has("latchkey")).toBe(true);
    const stolen = browser.copy();
    const out = await browser.post("/logout");
    expect([out.status, out.body]).toEqual([200, { message: "Logout successful" }]);
    expect(browser.jar.has("latchkey")).toBe(false);
    expect((await stolen.get("/guarded/profile")).status).toBe(401);
  });

  test("NX 6 · another site's form neither signs in nor out", async () => {
    const browser = person();
    const elsewhere = { headers: { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" } };
    const forged = await browser.post("/login", testUser, elsewhere);
    expect([forged.status, forged.body.error]).toEqual([403, "Permission denied"]);
    await browser.post("/login", testUser);
    expect((await browser.post("/logout", undefined, elsewhere)).status).toBe(403);
    expect((await browser.get("/profile")).status).toBe(200);
    // Whoever has a session still can sign in as somebody else, without the old session's CSRF token.
    expect((await browser.post("/login", boss, { csrf: false })).status).toBe(200);
    expect((await browser.get("/profile")).body.username).toBe("boss");
  });

  test("NX 7 · JWT options: tokens that another program signs with HS256, the user's id in user_id, are read from Authorization: Bearer", async () => {
    const payload = {
      user_id: idOf(tokens.user),
      username: "test_user",
      iat: seconds(),
      exp: seconds() + 86_400,
    };
    expect(await whoIs(bearer(encode(payload, formerSecret)))).toEqual([200, "test_user", "former-jwt"]);
    const bad: Record<string, string> = {
      "of another secret": encode(payload, "another secret of thirty-two bytes"),
      expired: encode({ ...payload, exp: seconds() - 60 }, formerSecret),
      "without expiry": encode({ ...payload, exp: undefined }, formerSecret),
      "of nobody": encode({ ...payload, user_id: 1 }, formerSecret),
    };
    for (const [what, token] of Object.entries(bad))
      expect([what, (await ask("GET", "/whoami", bearer(token))).status]).toEqual([what, 401]);
    const otherPrefix = { Authorization: `Token ${encode(payload, formerSecret)}` };
    expect(await whoIs(otherPrefix)).toEqual([200, "Anonymous", "anonymous"]);
  });

  test("NX 8 · JWT login and refresh: a token for a day, and another one for a good one", async () => {
    const { status, body } = await person().post("/jwt/login", testUser);
    const { token, ...rest } = body;
    expect([status, rest]).toEqual([200, { message: "Login successful", expires_in: 86_400 }]);
    const claims = JSON.parse(Buffer.from(String(token).split(".")[1] ?? "", "base64url").toString());
    expect(claims).toMatchObject({ user_id: claims.sub, username: "test_user" });
    expect(claims.exp - claims.iat).toBe(86_400);
    const refreshed = await ask("POST", "/refresh", bearer(String(token)));
    const { token: next, ...others } = refreshed.body;
    expect([refreshed.status, others]).toEqual([200, { expires_in: 86_400 }]);
    expect(next).not.toBe(token);
    expect(await whoIs(bearer(String(next)))).toEqual([200, "test_user", "jwt"]);

    const wrong = await person().post("/jwt/login", { ...testUser, password: "wrong" });
    expect([wrong.status, wrong.body]).toEqual([401, { error: "Invalid credentials" }]);
    const nobody = await ask("POST", "/refresh", {});
    expect([nobody.status, nobody.body]).toEqual([401, { error: "Authentication required" }]);
    // A key stands for no session, so nothing of it could be ended.
    const byKey = await ask("POST", "/refresh", { "X-API-Key": await keyOf([]) });
    expect([byKey.status, byKey.body]).toEqual([401, { error: "Authentication required" }]);
  });

  test("NX 9 · API-key backend: a key may do what it was made for, within what its owner may, and opens what is for programs alone", async () => {
    const [plain, admin] = [await keyOf([]), await keyOf(["admin_panel:use"])];
    expect((await ask("GET", "/admin", { "X-API-Key": plain })).status).toBe(403);
    expect((await ask("GET", "/admin", { "X-API-Key": admin })).status).toBe(200);
    const reports = await ask("GET", "/reports", { "X-API-Key": plain });
    expect([reports.status, reports.body]).toEqual([200, { reports: [], owner: "boss" }]);
    expect((await ask("GET", "/reports", bearer(tokens.boss))).status).toBe(401);
    const beyond = await ask("POST", "/api-keys", bearer(tokens.user), { permissions: ["admin_panel:use"] });
    expect(beyond.status).toBe(400);
  });

  test("NX 10 · create and revoke a key: it is shown once, and revoked works no more", async () => {
    const nobody = await ask("POST", "/api-keys", {});
    expect([nobody.status, nobody.body]).toEqual([401, { error: "Authentication required" }]);
    const before = Date.now();
    const { status, body } = await ask("POST", "/api-keys", bearer(tokens.user), {});
    expect([status, Object.keys(body)]).toEqual([200, ["api_key", "created_at"]]);
    const key = String(body.api_key);
    expect(key).toMatch(/^lk_live_\w{16}_\w{49}$/);
    expect(Date.parse(String(body.created_at))).toBeGreaterThanOrEqual(before);
    expect(await whoIs({ "X-API-Key": key })).toEqual([200, "test_user", "api-key"]);

    const path = `/api-keys/${key.split("_")[2]}`;
    expect((await ask("DELETE", path, {})).status).toBe(401);
    expect((await ask("DELETE", path, bearer(tokens.boss))).status).toBe(404);
    const revoked = await ask("DELETE", path, bearer(tokens.user));
    expect([revoked.status, revoked.body]).toEqual([200, { message: "API key revoked" }]);
    expect((await ask("GET", "/whoami", { "X-API-Key": key })).status).toBe(401);
  });

  test("NX 10 · a browser's session makes keys only with its CSRF token", async () => {
    const browser = person();
    await browser.post("/login", testUser);
    const forged = await browser.post("/api-keys", {}, { csrf: false });
    expect([forged.status, forged.body]).toEqual([
      403,
      { error: "Permission denied", message: "The request carries no CSRF token." },
    ]);
    expect((await browser.post("/api-keys", {})).status).toBe(200);
  });

  test("NX 11 · custom backend: X-Custom-Auth: valid-token is user 1, custom_user, admin, via custom", async () => {
    const valid = { "X-Custom-Auth": "valid-token" };
    expect(await whoIs(valid)).toEqual([200, "custom_user", "custom"]);
    expect((await ask("GET", "/profile", valid)).body).toEqual({
      id: "1",
      username: "custom_user",
      email: "",
    });
    expect((await ask("GET", "/admin", valid)).body).toEqual({ message: "Welcome to admin panel" });
    expect((await ask("GET", "/whoami", { "X-Custom-Auth": "invalid-token" })).status).toBe(401);
    expect(await whoIs({})).toEqual([200, "Anonymous", "anonymous"]);
  });

  test("NX 12 · user classes: everybody has a name, is signed in or not, and is asked for permissions; nobody is called Anonymous", async () => {
    const who = async (headers: Record<string, string>) => (await ask("GET", "/whoami", headers)).body;
    expect(await who({})).toEqual({
      is_authenticated: false,
      display_name: "Anonymous",
      via: "anonymous",
      features: [],
    });
    expect(await who(bearer(tokens.user))).toEqual({
      is_authenticated: true,
      display_name: "test_user",
      via: "jwt",
      features: ["content_creation"],
    });
  });

  test("NX 13 · roles and features: each role gives its features, and a key no more than it was made for", async () => {
    const features = async (headers: Record<string, string>) =>
      (await ask("GET", "/whoami", headers)).body.features;
    const everything = ["admin_panel", "user_management", "content_creation"];
    expect(await features(bearer(tokens.boss))).toEqual(everything);
    const moderator = await tokenOf({ username: "moderator", password: "moderator-password" });
    expect(await features(bearer(moderator))).toEqual(["user_management", "content_creation"]);
    expect(await features(bearer(tokens.user))).toEqual(["content_creation"]);
    expect(await features({ "X-API-Key": await keyOf(["user_management:use"]) })).toEqual([
      "user_management",
    ]);
  });
});

describe("deciding who may go on", () => {
  test("NX 14 · decorators: a guard lets nobody else as far as the handler, and of several permissions one is enough", async () => {
    const moderator = await tokenOf({ username: "moderator", password: "moderator-password" });
    const asked = async (path: string, headers: Record<string, string>): Promise<unknown[]> => {
      const { status, body } = await ask("GET", path, headers);
      return [status, body];
    };
    const stranger = { error: "Authentication failed", message: "Sign in to continue." };
    const refused = { error: "Permission denied", message: "You may not do this." };
    const welcome = { message: "Welcome to moderation panel" };
    expect(await asked("/guarded/profile", {})).toEqual([401, stranger]);
    expect((await asked("/guarded/profile", bearer(tokens.user)))[0]).toBe(200);
    expect(await asked("/guarded/admin", {})).toEqual([401, stranger]);
    expect(await asked("/guarded/admin", bearer(moderator))).toEqual([403, refused]);
    expect(await asked("/guarded/admin", bearer(tokens.boss))).toEqual([
      200,
      { message: "Welcome to admin panel" },
    ]);
    expect(await asked("/moderate", bearer(tokens.user))).toEqual([403, refused]);
    expect(await asked("/moderate", bearer(moderator))).toEqual([200, welcome]);
    expect(await asked("/moderate", bearer(tokens.boss))).toEqual([200, welcome]);
    // A person's page is sent to the sign-in page, and comes back.
    const page = await ask("GET", "/guarded/profile", { Accept: "text/html" });
    expect([page.status, page.headers.get("location")]).toEqual([302, "/login?next=%2Fguarded%2Fprofile"]);
  });

  test("NX 15 · raised exceptions: what a handler throws is answered like a guard's refusal", async () => {
    const asked = async (headers: Record<string, string>): Promise<unknown[]> => {
      const { status, body } = await ask("GET", "/protected", headers);
      return [status, body];
    };
    expect(await asked({})).toEqual([
      401,
      { error: "Authentication failed", message: "Authentication required" },
    ]);
    expect(await asked(bearer(tokens.user))).toEqual([
      403,
      { error: "Permission denied", message: "Admin access required" },
    ]);
    expect(await asked(bearer(tokens.boss))).toEqual([200, { message: "Access granted" }]);
  });

  test("NX 16 · handlers: the application words its refusals, Latchkey's own routes keep problem documents", async () => {
    const own = await ask("GET", "/guarded/profile", {});
    expect([own.status, own.body.error]).toEqual([401, "Authentication failed"]);
    expect(own.headers.get("content-type")).toBe("application/json");
    const latchkeys = await ask("GET", "/api/v1/users/me", {});
    expect([latchkeys.status, latchkeys.body.code]).toEqual([401, "not_authenticated"]);
    expect(latchkeys.headers.get("content-type")).toBe("application/problem+json");
    // What the handlers have no words for stays Latchkey's, and what Express refuses shows no stack.
    const invalid = await person().post("/register", { username: "x", password: "short", email: "none" });
    expect([invalid.status, invalid.body.code]).toEqual([400, "invalid_input"]);
    const broken = await person().send("POST", "/login", {
      body: "{",
      headers: { "Content-Type": "application/json" },
    });
    expect([broken.status, broken.body]).toEqual([400, { error: "The body is not valid JSON." }]);
  });
});

/** The application on a server of this process. */
async function listening(auth: Auth): Promise<string> {
  const server = createServer(backendsApp(auth));
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await auth.close();
  });
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}

const place = {
  origin: "http://localhost:3000",
  secrets: ["a secret for tests, of thirty-two bytes"],
  formerSecret: null,
} as const;

describe("testing it", () => {
  test("NX 17 · mock user: tests act as whom they like, without an account", async () => {
    const { auth, actAs } = testAuth(authOptions(place));
    const origin = await listening(auth);
    const get = async (path: string): Promise<Answer> =>
      readAnswer(await fetch(origin + path, { redirect: "manual" }));
    actAs(mockPrincipal({ id: "1", username: "test_user" }));
    const profile = await get("/profile");
    expect([profile.status, profile.body.username]).toEqual([200, "test_user"]);
    expect((await get("/admin")).status).toBe(403);
    actAs(mockPrincipal({ id: "1", username: "admin", roles: ["admin"] }));
    expect((await get("/admin")).status).toBe(200);
    actAs(null);
    expect((await get("/profile")).status).toBe(302);
  });

  test("NX 18 · login flow: sign in, see the profile, sign out, be sent to the login", async () => {
    const browser = person();
    expect((await browser.post("/login", testUser)).status).toBe(200);
    expect((await browser.get("/profile")).status).toBe(200);
    expect((await browser.post("/logout")).status).toBe(200);
    const { status, headers } = await browser.get("/profile");
    expect([status, headers.get("location")]).toEqual([302, "/login"]);
  });
});

describe("keeping it safe", () => {
  test("NX 19 · bcrypt, register: whoever registers can sign in, and the former application's hashes become argon2id", async () => {
    const browser = person();
    const ann = { username: "ann", password: "seven green kettles", email: "ann@example.com" };
    const { status, body } = await browser.post("/register", ann);
    expect([status, body]).toEqual([201, { message: "User created successfully" }]);
    expect(browser.jar.has("latchkey")).toBe(false);
    expect((await browser.post("/login", ann)).status).toBe(200);
    expect((await browser.post("/register", { ...ann, email: "ann2@example.com" })).status).toBe(409);

    const stored = await hash("password123", 4);
    expect(await verifyPassword({ password: "password123", stored })).toBe(true);
    expect(await verifyPassword({ password: "password124", stored })).toBe(false);

    const options = authOptions(place);
    const auth = createAuth(options);
    onTestFinished(() => auth.close());
    await importAccounts(auth);
    const hashOf = async (): Promise<string | undefined> => {
      const call = { now: new Date(), signal: AbortSignal.timeout(1_000) };
      const known = { kind: "username", key: "test_user" } as const;
      return (await options.stores.directory.userWithPassword(known, call))?.password?.encoded;
    };
    expect(await hashOf()).toMatch(/^\$2b\$10\$/);
    const visit = { request: new Request(place.origin, { method: "POST" }), client: { ip: "192.0.2.1" } };
    await auth.users.login({ identifier: "test_user", password: "password123" }, visit);
    expect(await hashOf()).toMatch(/^\$argon2id\$/);
  });

  test("NX 20 · rate limit 5/60: the sixth sign-in of a minute from one address is refused, by whichever way", async () => {
    const browser = person();
    for (const path of ["/register", "/register", "/register", "/jwt/login", "/login"]) {
      const { status, headers } = await browser.post(path, {});
      expect([path, status]).toEqual([path, path === "/register" ? 400 : 401]);
      expect(headers.get("ratelimit-policy")).toBe('"sign-in";q=5;w=60');
    }
    const { status, headers, body } = await browser.post("/login", testUser);
    expect([status, body.code]).toEqual([429, "rate_limited"]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(50);
    expect((await person().post("/login", testUser)).status).toBe(200);
    expect((await browser.get("/whoami")).status).toBe(200);
  });

  test("NX 21 · strict cookie: an hour, out of reach for scripts and other sites, on https secure", async () => {
    const { cookies } = await person().post("/login", testUser);
    const session = cookies.find(({ name }) => name === "latchkey");
    expect(session?.attributes).toEqual({ path: "/", "max-age": "3600", httponly: "", samesite: "Strict" });

    const auth = createAuth(authOptions({ ...place, origin: "https://app.example" }));
    onTestFinished(() => auth.close());
    await importAccounts(auth);
    const user = await auth.users.findByIdentifier("test_user");
    const { change } = await auth.sessions.start(user?.id ?? "");
    const cookie = auth.seal(new Response(null), change).headers.getSetCookie()[0];
    expect(cookie).toMatch(
      /^__Host-latchkey=[\w.-]+; Path=\/; Max-Age=3600; HttpOnly; Secure; SameSite=Strict$/,
    );
  });
});
