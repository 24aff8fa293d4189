import { pbkdf2Sync } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { type IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import {
  argon2id,
  createAuth,
  type EncodedPassword,
  hashPassword,
  memory,
  passwords,
  type SessionData,
  signedInAs,
  verifyPassword,
} from "latchkey";
import { foreignHashers } from "latchkey/foreign-hashes";
import { node } from "latchkey/node";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { accounts } from "../../examples/api/accounts.ts";
import { openHouse } from "../../examples/api/auth.ts";
import { commands, start } from "../../examples/api/main.ts";
import { newFolder } from "../server/support/child-server.ts";
import { type Answer, type Browser, browserOn } from "../support/browser.ts";
import { tokensOf, tokenWorld } from "../support/token-client.ts";
import { secret } from "../support/world.ts";
import { type RunningExample, runExample, startExample } from "./support/example.ts";

const redisUrl = inject("redisUrl");
const needToken = "Authorization required. Send: Authorization: Bearer <token>";
const badToken = "Invalid or expired token. Please login again.";
const registerLine = `curl -X POST http://localhost:7145/api/register \\
  -H "Content-Type: application/json" \\
  -d '{"name": "Alice", "email": "alice@example.com", "password": "securePass123"}'`;
const loginLine = `curl -X POST http://localhost:7145/api/login \\
  -H "Content-Type: application/json" \\
  -d '{"email": "alice@example.com", "password": "securePass123"}'`;

type Place = Pick<RunningExample, "folder" | "browser">;

/** Has the routes as they are in the end; the other one is asked for their first versions, under `/v1`. */
let app: RunningExample;
let first: RunningExample;

beforeAll(async () => {
  [app, first] = await Promise.all([startExample("api"), startExample("api")]);
});
afterAll(() => Promise.all([app.remove(), first.remove()]));

describe("the exercise", () => {
  let token = "";
  const printed = { id: 1, name: "Alice", email: "alice@example.com", role: "user" };
  const bearer = (line: string): string => line.replace("YOUR_TOKEN_HERE", token);

  test("T4 28 · curl register", async () => {
    expect(answered(await app.curl(registerLine))).toEqual([
      201,
      { message: "Registration successful", user: { ...printed, created_at: aTime } },
    ]);
  });

  test("T4 29 · curl login", async () => {
    const answer = await app.curl(loginLine);
    token = String(answer.body.token);
    expect(answered(answer)).toEqual([
      200,
      { message: "Login successful", token: expect.stringMatching(/^eyJ/), user: printed },
    ]);
    expect(partOf(token, 1)).toMatchObject({
      user_id: 1,
      email: "alice@example.com",
      name: "Alice",
      role: "user",
    });
  });

  test("T4 30 · curl profile", async () => {
    const line = `curl http://localhost:7145/api/profile \\\n  -H "Authorization: Bearer YOUR_TOKEN_HERE"`;
    expect(answered(await app.curl(bearer(line)))).toEqual([200, { ...printed, created_at: aTime }]);
    expect(answered(await app.curl(line))).toEqual([401, { error: badToken }]);
  });

  test("T4 31 · curl update profile: what is absent stays", async () => {
    const line = `curl -X PUT http://localhost:7145/api/profile \\
      -H "Authorization: Bearer YOUR_TOKEN_HERE" \\
      -H "Content-Type: application/json" \\
      -d '{"name": "Alice Smith"}'`;
    expect(answered(await app.curl(bearer(line)))).toEqual([
      200,
      { message: "Profile updated", user: { ...printed, name: "Alice Smith", created_at: aTime } },
    ]);
  });

  test("T4 32 · curl change password: the old password and the old token are refused, the one in the answer works", async () => {
    const line = `curl -X PUT http://localhost:7145/api/profile/password \\
      -H "Authorization: Bearer YOUR_TOKEN_HERE" \\
      -H "Content-Type: application/json" \\
      -d '{"current_password": "securePass123", "new_password": "evenMoreSecure456"}'`;
    const answer = await app.curl(bearer(line));
    expect(answered(answer)).toEqual([200, { message: "Password changed successfully" }]);
    expect((await withToken(app, "GET", "/api/profile", token)).status).toBe(401);
    const next = answer.headers.get("x-token") ?? "";
    expect((await withToken(app, "GET", "/api/profile", next)).status).toBe(200);
    expect((await app.curl(loginLine)).status).toBe(401);
    expect((await app.curl(loginLine.replace("securePass123", "evenMoreSecure456"))).status).toBe(200);
  });

  test("T4 33 · curl without a token", async () => {
    expect((await app.curl("curl http://localhost:7145/api/profile")).status).toBe(401);
  });

  test("T4 34 · migration: UP makes the table, an address is there once, a hash has as much room as it needs; DOWN takes it back", async () => {
    const text = readFileSync(
      new URL("../../examples/api/migrations/20260322160000_create_members_table.sql", import.meta.url),
      "utf8",
    );
    expect(text).toMatch(/^-- UP\nCREATE TABLE members[\s\S]*^-- DOWN\nDROP TABLE IF EXISTS members;$/m);
    const rows = rowsOf(app, "SELECT sql FROM sqlite_schema WHERE tbl_name IN ('users', 'passwords')");
    const sql = rows.map((row) => String(row.sql)).join("\n");
    expect(sql).toContain("CREATE UNIQUE INDEX users_email_key ON users (email_key)");
    expect(sql).toMatch(/^ {2}encoded TEXT NOT NULL,$/m);
  });

  test("T4 35 · migrate: the command applies what is pending, and takes the newest back", async () => {
    const folder = await newFolder();
    onTestFinished(() => rm(folder, { recursive: true }));
    const migrate = (...words: string[]) => commands?.migrate?.({ folder }, words);
    const name = "20260322160000_create_members_table.sql";
    expect(await migrate()).toBe(`up: ${name}`);
    expect(await migrate()).toBe("Nothing to do.");
    expect(await migrate("down")).toBe(`down: ${name}`);
    expect(await migrate("down")).toBe("Nothing to do.");
  });
});

describe("tokens", () => {
  test("T4 1 · token: get_token signs a payload with HS256, in three parts", async () => {
    const { issued } = await issuedToken();
    expect(issued.accessToken.split(".")).toHaveLength(3);
    expect(partOf(issued.accessToken, 0)).toMatchObject({ alg: "HS256" });
    expect(partOf(issued.accessToken, 1)).toMatchObject({
      user_id: 42,
      email: "alice@example.com",
      role: "admin",
    });
  });

  test.each([
    [15, "15 minutes"],
    [60, "1 hour"],
    [1440, "24 hours"],
    [10_080, "7 days"],
  ])("T4 2 · expiry: %i minutes are %s", async (expiresInMinutes) => {
    const { here, issued } = await issuedToken({ expiresInMinutes });
    const { exp, iat } = partOf(issued.accessToken, 1) as { exp: number; iat: number };
    expect(exp - iat).toBe(expiresInMinutes * 60);
    // The clocks of two machines may differ by half a minute.
    here.clock.advance((expiresInMinutes * 60 + 31) * 1000);
    expect(await tokensOf(here).verify(issued.accessToken)).toBeNull();
  });

  test("T4 2 · expiry: 60 minutes where nothing is said", async () => {
    const { issued } = await issuedToken();
    expect(issued.expiresInSeconds).toBe(3600);
  });

  test("T4 2 · expiry: the example's tokens last an hour, or as long as its setting says", async () => {
    const lasts = async (at: Place): Promise<number> => {
      await register("expiry@example.com", at);
      const login = { email: "expiry@example.com", password: "securePass123" };
      const { body } = await at.browser().post("/api/login", login);
      const { exp, iat } = partOf(String(body.token), 1) as { exp: number; iat: number };
      return exp - iat;
    };
    expect(await lasts(app)).toBe(3600);
    expect(await lasts(await startHere({ TINA4_TOKEN_EXPIRES_IN: "15" }))).toBe(900);
  });

  test("T4 3 · valid: valid_token gives the payload, and nothing for a token that is invalid or expired", async () => {
    const { here, issued } = await issuedToken();
    const access = tokensOf(here);
    expect(await access.verify(issued.accessToken)).toMatchObject({ user_id: 42, role: "admin" });
    expect(await access.verify(`${issued.accessToken.slice(0, -4)}AAAA`)).toBeNull();
    here.clock.advance(3_631_000);
    expect(await access.verify(issued.accessToken)).toBeNull();
  });

  test("T4 4 · payload: get_payload decodes without verifying, and gives nothing for what cannot be decoded", async () => {
    const { here, issued } = await issuedToken();
    const access = tokensOf(here);
    const tampered = `${issued.accessToken.slice(0, -4)}AAAA`;
    const payload = access.decodeUnverified(tampered);
    expect(payload).toMatchObject({ user_id: 42, email: "alice@example.com", role: "admin" });
    expect(payload).toMatchObject({ iat: expect.any(Number), exp: expect.any(Number) });
    expect(access.decodeUnverified("no token")).toBeNull();
  });

  test("T4 5 · secret: one is made at the first start and kept; SECRET makes tokens that every server verifies", async () => {
    const file = join(app.folder, "secret.key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toBe(readFileSync(join(first.folder, "secret.key"), "utf8"));

    const { here, issued } = await issuedToken();
    expect(tokensOf(here).verifyOffline(issued.accessToken)).not.toBeNull();
    const again = tokenWorld({ secrets: [secret] });
    expect(tokensOf(again).verifyOffline(issued.accessToken)).toMatchObject({ user_id: 42 });
    const other = tokenWorld({ secrets: [`another ${secret}`] });
    expect(tokensOf(other).verifyOffline(issued.accessToken)).toBeNull();
  });
});

describe("passwords", () => {
  test("T4 6 · hash: a salt in each makes two hashes of one password differ", async () => {
    const [one, two] = await Promise.all([
      hashPassword({ password: "my-secure-password" }),
      hashPassword({ password: "my-secure-password" }),
    ]);
    expect(one.encoded).not.toBe(two.encoded);
    expect(one.encoded).not.toContain("my-secure-password");
  });

  test("T4 7 · check: True for the password of the hash, also of a hash that the document's framework made", async () => {
    const stored = await hashPassword({ password: "my-secure-password" });
    const key = pbkdf2Sync("my-secure-password", "a1b2c3d4", 260_000, 32, "sha256").toString("hex");
    const passwordsOf = passwords({ hashers: [argon2id(), ...foreignHashers()] });
    const options = { origin: "http://localhost", secrets: [secret] as [string], stores: memory() };
    const auth = createAuth({ ...options, features: [passwordsOf] });
    onTestFinished(() => auth.close());
    const { verify } = auth.use(passwordsOf);
    for (const hash of [stored, raw(`pbkdf2_sha256$260000$a1b2c3d4$${key}`)]) {
      expect(await verify("my-secure-password", hash)).toBe(true);
      expect(await verify("my-other-password", hash)).toBe(false);
    }
    expect(await verifyPassword({ password: "my-secure-password", stored })).toBe(true);
  });
});

describe("the first versions, under /v1", () => {
  let token = "";

  test("T4 9 · curl register: the printed answer", async () => {
    expect(answered(await first.curl(v1(registerLine)))).toEqual([
      201,
      {
        message: "Registration successful",
        user: { id: 1, name: "Alice", email: "alice@example.com" },
      },
    ]);
  });

  test("T4 8 · register: every field is needed, the password has 8 characters, an address registers once", async () => {
    const register = (body: object) => first.browser().post("/v1/api/register", body);
    const bob = { name: "Bob", email: "bob@example.com" };
    for (const body of [{}, { ...bob, password: "" }, { ...bob, name: "", password: "securePass123" }])
      expect(answered(await register(body))).toEqual([
        400,
        { error: "Name, email, and password are required" },
      ]);
    expect(answered(await register({ ...bob, password: "short12" }))).toEqual([
      400,
      { error: "Password must be at least 8 characters" },
    ]);
    expect(answered(await first.curl(v1(registerLine)))).toEqual([
      409,
      { error: "Email already registered" },
    ]);
  });

  test("T4 10 · login: both fields are needed; who is unknown and who is wrong are told the same", async () => {
    const login = (body: object) => first.browser().post("/v1/api/login", body);
    for (const body of [{}, { email: "alice@example.com" }, { password: "securePass123" }])
      expect(answered(await login(body))).toEqual([400, { error: "Email and password are required" }]);
    for (const email of ["alice@example.com", "nobody@example.com"])
      expect(answered(await login({ email, password: "wrongPass123" }))).toEqual([
        401,
        { error: "Invalid email or password" },
      ]);
  });

  test("T4 11 · curl login: the printed answer", async () => {
    const answer = await first.curl(v1(loginLine));
    expect(answered(answer)).toEqual([
      200,
      {
        message: "Login successful",
        token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        user: { id: 1, name: "Alice", email: "alice@example.com" },
      },
    ]);
    token = String(answer.body.token);
  });

  test("T4 12 · curl profile: the token travels as Authorization: Bearer", async () => {
    const line = `curl http://localhost:7145/v1/api/profile \\\n  -H "Authorization: Bearer ${token}"`;
    expect((await first.curl(line)).status).toBe(200);
    expect((await first.curl(line.replace("Bearer", "Basic"))).status).toBe(401);
    expect((await first.curl(`curl http://localhost:7145/v1/api/profile?token=${token}`)).status).toBe(401);
  });

  test("T4 13 · middleware: no header and no valid token are told apart", async () => {
    expect(answered(await first.curl("curl http://localhost:7145/v1/api/profile"))).toEqual([
      401,
      { error: "Authorization header required" },
    ]);
    for (const bad of ["nonsense", "a.b.c", `${token}x`])
      expect(
        answered(await first.curl(`curl http://localhost/v1/api/profile -H "Authorization: Bearer ${bad}"`)),
      ).toEqual([401, { error: "Invalid or expired token" }]);
  });

  test("T4 14 · profile: who it is comes from the token", async () => {
    const answer = await withToken(first, "GET", "/v1/api/profile", token);
    expect(Object.keys(answer.body)).toEqual(["user_id", "email", "name"]);
  });

  test("T4 15 · curl without a token: 401", async () => {
    const answer = await first.curl("curl http://localhost:7145/v1/api/profile");
    expect(answer.text).toBe(`{"error":"Authorization header required"}`);
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  });

  test("T4 16 · curl with a valid token: 200", async () => {
    const line = `curl http://localhost:7145/v1/api/profile -H "Authorization: Bearer ${token}"`;
    expect(answered(await first.curl(line))).toEqual([
      200,
      { user_id: 1, email: "alice@example.com", name: "Alice" },
    ]);
  });
});

describe("routes", () => {
  test("T4 17 · group: every route in it requires a token", async () => {
    const token = await tokenOf("group@example.com");
    for (const [path, body] of [
      ["/api/admin/stats", { active_users: 42 }],
      ["/api/admin/logs", { logs: [] }],
    ] as const) {
      expect(answered(await app.browser().get(path))).toEqual([401, { error: needToken }]);
      expect(answered(await withToken(app, "GET", path, token))).toEqual([200, body]);
    }
  });

  test("T4 18 · noauth: open to everybody", async () => {
    expect(answered(await app.browser().get("/api/public/health"))).toEqual([200, { status: "ok" }]);
    // A proof that is bad is told so all the same.
    expect(answered(await withToken(app, "GET", "/api/public/health", "a.b.c"))).toEqual([
      401,
      { error: badToken },
    ]);
  });

  test("T4 19 · secured: writes are closed and reads are open, where a route says nothing; secured closes a read", async () => {
    const token = await tokenOf("me@example.com");
    expect((await app.browser().get("/api/notes")).status).toBe(200);
    expect(answered(await app.browser().post("/api/notes"))).toEqual([401, { error: needToken }]);
    expect((await withToken(app, "POST", "/api/notes", token)).status).toBe(201);

    expect(answered(await app.browser().get("/api/me"))).toEqual([401, { error: needToken }]);
    const me = await withToken(app, "GET", "/api/me", token);
    expect([me.status, me.body]).toEqual([200, partOf(token, 1)]);
    expect(me.body).toMatchObject({ email: "me@example.com", name: "Alice", role: "user" });
  });

  test("T4 19 · secured: a session's cookie is no token", async () => {
    const { browser } = await signedIn("cookie@example.com");
    expect((await browser.get("/dashboard")).status).toBe(200);
    expect(answered(await browser.get("/api/me"))).toEqual([401, { error: needToken }]);
  });

  test("T4 20 · role: somebody without it is refused, and so is somebody without a token", async () => {
    const token = await tokenOf("plain@example.com");
    expect(answered(await app.browser().delete("/api/users/1"))).toEqual([401, { error: needToken }]);
    expect(answered(await first.browser().delete("/v1/api/users/1"))).toEqual([
      401,
      { error: "Authorization required" },
    ]);
    expect(answered(await withToken(app, "DELETE", "/api/users/1", token))).toEqual([
      403,
      { error: "Forbidden. Required role: admin" },
    ]);
  });

  test("T4 21 · delete: an administrator deletes a user, whose token is refused from then on", async () => {
    const before = await tokenOf("boss@example.com");
    const { ended, stdout } = runExample(["api", "promote", "boss@example.com"], { DATA_FOLDER: app.folder });
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(stdout()).toBe("boss@example.com is an administrator. Sign in again.\n");
    // A gain of rights is a new sign-in.
    expect((await withToken(app, "GET", "/api/me", before)).status).toBe(401);
    const admin = await loginToken("boss@example.com");
    const leaver = await tokenOf("leaver@example.com");
    const { id } = (await withToken(app, "GET", "/api/profile", leaver)).body;

    expect(answered(await withToken(app, "DELETE", `/api/users/${id}`, admin))).toEqual([
      200,
      { deleted: true },
    ]);
    expect(answered(await withToken(app, "GET", "/api/profile", leaver))).toEqual([401, { error: badToken }]);
    for (const unknown of ["999999", "x", "1.5"])
      expect(answered(await withToken(app, "DELETE", `/api/users/${unknown}`, admin))).toEqual([
        404,
        { error: "User not found" },
      ]);
  });
});

describe("form tokens", () => {
  test("T4 22 · form token: every form carries one, and another each time", async () => {
    const { browser } = await signedIn("form@example.com");
    const pages = [(await browser.get("/profile")).text, (await browser.get("/profile")).text];
    for (const page of pages) expect(page).toContain(`<form method="POST" action="/profile/update">`);
    expect(formToken(pages[0] ?? "")).not.toBe(formToken(pages[1] ?? ""));
  });

  test("T4 23 · field: a hidden input named _token", async () => {
    const { browser } = await signedIn("field@example.com");
    expect((await browser.get("/profile")).text).toMatch(
      /<input type="hidden" name="_token" value="[\w.~+/-]+">/,
    );
  });

  test("T4 24 · update: the token of this session is accepted once; without it nothing changes", async () => {
    const { browser } = await signedIn("update@example.com");
    const other = (await signedIn("thief@example.com")).browser;
    const stale = [403, { error: "Invalid form token. Please refresh and try again." }];
    const update = (from: Browser, form: { readonly name: string; readonly _token?: string }) =>
      from.send("POST", "/profile/update", { form: { ...form }, csrf: false });

    const token = formToken((await browser.get("/profile")).text);
    expect(answered(await update(other, { _token: token, name: "Mallory" }))).toEqual(stale);
    for (const bad of [{}, { _token: "" }, { _token: "abc123randomtoken456" }])
      expect(answered(await update(browser, { ...bad, name: "Mallory" }))).toEqual(stale);
    expect((await browser.get("/profile")).text).toContain(`value="Alice"`);

    const done = await update(browser, { _token: token, name: `Alice "Al" <Smith>` });
    expect([done.status, done.headers.get("location")]).toEqual([303, "/profile"]);
    expect((await browser.get("/profile")).text).toContain(`value="Alice &#34;Al&#34; &#60;Smith&#62;"`);
    expect(answered(await update(browser, { _token: token, name: "Mallory" }))).toEqual(stale);
  });

  test("T4 24 · update: of one token sent five times at once, one counts", async () => {
    const { browser } = await signedIn("race@example.com");
    const token = formToken((await browser.get("/profile")).text);
    const send = () =>
      browser.send("POST", "/profile/update", { form: { _token: token, name: "Al" }, csrf: false });
    const answers = await Promise.all(Array.from({ length: 5 }, send));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 403, 403, 403, 403]);
  });
});

describe("sessions", () => {
  test.each([
    ["file", true],
    ["redis", redisUrl !== null],
    ["valkey", redisUrl !== null],
  ])("T4 25 · session backends: %s keeps the sessions", async (backend, isThere) => {
    if (!isThere) return expect(redisUrl, "redis-server is not here").toBeNull();
    const { hostname, port } = new URL(redisUrl ?? "redis://localhost:6379");
    const here = await startHere({
      TINA4_SESSION_BACKEND: backend,
      TINA4_SESSION_HOST: hostname,
      TINA4_SESSION_PORT: port,
    });
    const { browser } = await signedIn("kept@example.com", here);
    expect((await browser.get("/dashboard")).status).toBe(200);
    expect(sessionRows(here)).toBe(0);
  });

  test("T4 25 · session backends: the database where nothing is said, and another name is refused", async () => {
    await signedIn("rows@example.com");
    expect(sessionRows(app)).toBeGreaterThan(0);
    const { ended, stderr } = runExample(["api"], {
      PORT: "0",
      SESSION_BACKEND: "paper",
      DATA_FOLDER: app.folder,
    });
    expect(await ended).toEqual({ code: 1, signal: null });
    expect(stderr()).toBe(`SESSION_BACKEND: database, file, redis or valkey, not "paper"\n`);
  });

  test("T4 26 · session routes: login leads to the dashboard, logout to the login; strangers go there too", async () => {
    const { browser, answer } = await signedIn("pages@example.com");
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/dashboard"]);
    const cookie = answer.cookies.find(({ name }) => name === "latchkey");
    expect(cookie?.attributes).toEqual({ path: "/", httponly: "", samesite: "Lax" });
    const thief = browser.copy();

    const dashboard = await browser.get("/dashboard");
    expect(dashboard.text).toContain("Hello, Alice");
    const unasked = await browser.send("POST", "/logout", { csrf: false });
    expect([unasked.status, (await browser.get("/dashboard")).status]).toEqual([403, 200]);
    const out = await browser.send("POST", "/logout", {
      form: { _token: formToken(dashboard.text) },
      csrf: false,
    });
    expect([out.status, out.headers.get("location")]).toEqual([303, "/login"]);
    for (const nobody of [browser, thief, app.browser()]) {
      const { status, headers } = await nobody.get("/dashboard");
      expect([status, headers.get("location")]).toEqual([303, "/login"]);
    }
    const stranger = await app.browser().send("POST", "/logout");
    expect([stranger.status, stranger.headers.get("location")]).toEqual([303, "/login"]);
  });

  test("T4 26 · session routes: a wrong password starts nothing", async () => {
    const browser = app.browser();
    const form = { email: "nobody@example.com", password: "wrongPass123" };
    const answer = await browser.send("POST", "/login-form", { form });
    expect(answered(answer)).toEqual([401, { error: "Invalid email or password" }]);
    expect(browser.jar.size).toBe(0);
  });

  test("T4 27 · lifetime, name: an hour and the cookie's name, by the document's settings", async () => {
    const here = await startHere({
      TINA4_SESSION_LIFETIME: "7200",
      TINA4_SESSION_NAME: "tina4_session",
    });
    const { browser } = await signedIn("named@example.com", here);
    expect([...browser.jar.keys()]).toContain("tina4_session");
    expect(idleSeconds(here)).toBe(7200);
    await signedIn("lasting@example.com");
    expect(idleSeconds(app)).toBe(3600);
  });
});

describe("examples/api/README.md", () => {
  test("its lines of curl work, one after the other", async () => {
    const text = readFileSync(new URL("../../examples/api/README.md", import.meta.url), "utf8");
    const blocks = [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = ""]) => block).join("");
    const lines = blocks.split(/^(?=curl )/m).filter((line) => line.startsWith("curl "));
    expect(lines).toHaveLength(3);
    let token = "";
    for (const line of lines) {
      const own = line.replace("alice@", "reader@").replace("YOUR_TOKEN_HERE", token);
      const { status, body } = await app.curl(own);
      expect([line, status]).toEqual([line, line.includes("register") ? 201 : 200]);
      token = String(body.token ?? token);
    }
  });
});

describe("the solution", () => {
  test("T4 36 · routes: registration names everything that is wrong", async () => {
    const register = (body: object) => app.browser().post("/api/register", body);
    expect(answered(await register({}))).toEqual([
      400,
      { errors: ["Name is required", "Email is required", "Password is required"] },
    ]);
    expect(answered(await register({ name: "A", email: "a@example.com", password: "short12" }))).toEqual([
      400,
      { errors: ["Password must be at least 8 characters"] },
    ]);
    await tokenOf("twice@example.com");
    const twice = { name: "A", email: "TWICE@example.com", password: "securePass123" };
    expect(answered(await register(twice))).toEqual([409, { error: "Email already registered" }]);
  });

  test("T4 36 · routes: what is public and what is not", async () => {
    const table = [
      ["POST", "/api/register", 400],
      ["POST", "/api/login", 400],
      ["GET", "/api/profile", 401],
      ["PUT", "/api/profile", 401],
      ["PUT", "/api/profile/password", 401],
    ] as const;
    for (const [method, path, status] of table)
      expect([path, (await app.browser().send(method, path)).status]).toEqual([path, status]);
  });

  test("T4 36 · routes: an address of somebody else is refused; one's own new one gives a new token", async () => {
    await tokenOf("taken@example.com");
    const token = await tokenOf("moving@example.com");
    const put = (json: object) => withToken(app, "PUT", "/api/profile", token, json);
    expect(answered(await put({ email: "taken@example.com" }))).toEqual([
      409,
      { error: "Email already in use by another account" },
    ]);
    const moved = await put({ email: "moved@example.com" });
    expect(moved.body).toMatchObject({ message: "Profile updated", user: { email: "moved@example.com" } });
    expect((await withToken(app, "GET", "/api/profile", token)).status).toBe(401);
    const next = moved.headers.get("x-token") ?? "";
    expect((await withToken(app, "GET", "/api/profile", next)).body).toMatchObject({
      email: "moved@example.com",
    });
  });

  test("T4 36 · routes: a sign-in of more than ten minutes ago moves no account to another address", async () => {
    const folder = await newFolder();
    const house = await openHouse("http://localhost", folder);
    onTestFinished(async () => {
      await house.close();
      await rm(folder, { recursive: true });
    });
    const user = await house.auth.users.create({ email: "old@example.com", password: "securePass123" });
    const { updateProfile } = accounts(house, node(house.auth));
    const put = async (body: object, ageSeconds: number) => {
      const headers = { "content-type": "application/json" };
      const request = Object.assign(Readable.from([Buffer.from(JSON.stringify(body))]), {
        method: "PUT",
        headers,
      });
      const response = new ServerResponse(request as unknown as IncomingMessage);
      const authTime = new Date(Date.now() - ageSeconds * 1000);
      const proof = { via: "jwt", amr: ["pwd"], authTime, sessionId: null, scopes: null } as const;
      const principal = signedInAs(user, proof);
      await updateProfile(request as unknown as IncomingMessage, response, principal, {} as SessionData);
      return response.statusCode;
    };
    await expect(put({ email: "new@example.com" }, 601)).rejects.toMatchObject({
      code: "fresh_auth_required",
    });
    expect(await put({ name: "Old", email: "old@example.com" }, 601)).toBe(200);
    expect(await put({ email: "new@example.com" }, 590)).toBe(200);
  });

  test("T4 36 · routes: a password is changed by who knows it, for one that is long enough", async () => {
    const token = await tokenOf("change@example.com");
    const put = (json: object) => withToken(app, "PUT", "/api/profile/password", token, json);
    for (const body of [{}, { current_password: "securePass123" }, { new_password: "evenMoreSecure456" }])
      expect(answered(await put(body))).toEqual([
        400,
        { error: "Current password and new password are required" },
      ]);
    expect(answered(await put({ current_password: "securePass123", new_password: "short12" }))).toEqual([
      400,
      { error: "New password must be at least 8 characters" },
    ]);
    const wrong = { current_password: "wrongPass123", new_password: "evenMoreSecure456" };
    expect(answered(await put(wrong))).toEqual([401, { error: "Current password is incorrect" }]);
    expect((await withToken(app, "GET", "/api/profile", token)).status).toBe(200);
  });

  test("T4 37 · expected answer of register", async () => {
    const line = registerLine.replace("alice@", "expected@");
    const { status, headers, body } = await app.curl(line);
    expect([status, headers.get("content-type")]).toEqual([201, "application/json"]);
    expect(Object.keys(body.user ?? {})).toEqual(["id", "name", "email", "role", "created_at"]);
    expect(body.user?.created_at).toEqual(aTime);
  });

  test("T4 38 · expected answer of a profile without a token", async () => {
    const { status, text } = await app.curl("curl http://localhost:7145/api/profile");
    expect([status, text]).toEqual([
      401,
      `{"error":"Authorization required. Send: Authorization: Bearer <token>"}`,
    ]);
  });
});

/** `2026-03-22 16:00:00` */
const aTime = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);

async function issuedToken(options: { readonly expiresInMinutes?: number } = {}) {
  const here = tokenWorld({}, { refresh: false, sessionDays: 8, ...options });
  const { id } = await here.auth.users.create({ email: "alice@example.com", password: "securePass123" });
  const claims = { user_id: 42, email: "alice@example.com", role: "admin" };
  return { here, issued: await tokensOf(here).issue(id, { claims }) };
}

function partOf(token: string, part: 0 | 1): unknown {
  return JSON.parse(Buffer.from(token.split(".")[part] ?? "", "base64url").toString());
}

function answered({ status, body }: Answer): readonly [number, unknown] {
  return [status, body];
}

function v1(line: string): string {
  return line.replace(":7145/", ":7145/v1/");
}

async function withToken(at: RunningExample, method: string, path: string, token: string, json?: unknown) {
  return at.browser().send(method, path, { headers: { Authorization: `Bearer ${token}` }, json });
}

async function register(email: string, at: Place): Promise<void> {
  const { status } = await at
    .browser()
    .post("/api/register", { name: "Alice", email, password: "securePass123" });
  expect(status).toBe(201);
}

async function loginToken(email: string): Promise<string> {
  const { body } = await app.browser().post("/api/login", { email, password: "securePass123" });
  return String(body.token);
}

/** The example in this process, under other settings. */
async function startHere(env: Readonly<Record<string, string>>): Promise<Place> {
  onTestFinished(() => void vi.unstubAllEnvs());
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const folder = await newFolder();
  const { origin, close } = await start({ port: 0, folder });
  onTestFinished(async () => {
    await close();
    await rm(folder, { recursive: true });
  });
  return {
    folder,
    browser: () => browserOn((request) => fetch(request, { redirect: "manual" }), origin),
  };
}

/** The token of somebody new. */
async function tokenOf(email: string): Promise<string> {
  await register(email, app);
  return loginToken(email);
}

/** A browser with a session of somebody new, and the answer that began it. */
async function signedIn(email: string, at: Place = app) {
  await register(email, at);
  const browser = at.browser();
  const form = { email, password: "securePass123" };
  return { browser, answer: await browser.send("POST", "/login-form", { form }) };
}

function formToken(page: string): string {
  return /name="_token" value="([^"]+)"/.exec(page)?.[1] ?? "";
}

function rowsOf({ folder }: Place, query: string) {
  const db = new DatabaseSync(join(folder, "app.db"), { readOnly: true });
  try {
    return db.prepare(query).all();
  } finally {
    db.close();
  }
}

function sessionRows(at: Place): number {
  return rowsOf(at, "SELECT id FROM sessions").length;
}

function idleSeconds(at: Place): number {
  const query =
    "SELECT idle_expires_at - last_used_at AS idle FROM sessions ORDER BY created_at DESC LIMIT 1";
  return Number(rowsOf(at, query)[0]?.idle) / 1000;
}

function raw(encoded: string): EncodedPassword {
  return { encoded, normalization: "raw" };
}
