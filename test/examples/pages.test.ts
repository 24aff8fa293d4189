import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { hash as bcryptHash } from "bcryptjs";
import { hashPassword, memory, needsRehash, sqlite, verifyPassword } from "latchkey";
import type { NewRepositorySession } from "latchkey/repositories";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp, type Parts } from "../../examples/pages/app.ts";
import { memorySessions, memoryUsers } from "../../examples/pages/repositories/memory.ts";
import { openDatabase, sqlSessions, sqlUsers } from "../../examples/pages/repositories/sql.ts";
import { type Answer, type Browser, browserOn } from "../support/browser.ts";
import { type RunningExample, startExample } from "./support/example.ts";
import { replayReadme } from "./support/readme.ts";

const password = "correct horse battery staple";
const origin = "http://localhost:3000";
const secret = "your-secret-key-at-least-32-characters";

/** As the document prints it. */
const dotEnv = `# .env
SECRET_KEY=your-secret-key-at-least-32-characters
LOGIN_PATH=/login
APP_PATH=/app/dashboard
`;

let site: RunningExample;
/** Somebody who has an account, signed in. */
let ana: Browser;

beforeAll(async () => {
  site = await startExample("pages", {}, { ".env": dotEnv });
  ana = site.browser();
  await submit(ana, "/register", registration("ana@example.com", { name: "Ana" }));
});
afterAll(() => site.remove());

/** Opens a page, as a browser does that goes there. */
function open(browser: Browser, path: string): Promise<Answer> {
  return browser.get(path, { headers: { accept: "text/html", "sec-fetch-mode": "navigate" } });
}

/** Sends a form from a page: no script runs there that would add a header. */
function submit(browser: Browser, path: string, form: Record<string, string>): Promise<Answer> {
  const headers = { accept: "text/html", "sec-fetch-mode": "navigate" };
  return browser.send("POST", path, { form, headers, csrf: false });
}

function registration(email: string, more: Record<string, string> = {}): Record<string, string> {
  return { email, password, confirm_password: password, ...more };
}

/** What is said beside the fields, by their names. */
function fieldErrors({ text }: Answer): Record<string, string> {
  const found = text.matchAll(/<p class="error" id="(\w+)-error">([^<]*)<\/p>/g);
  return Object.fromEntries([...found].map(([, name, message]) => [name, message]));
}

function tokenOf({ text }: Answer): string {
  return /name="_token" value="([^"]+)"/.exec(text)?.[1] ?? "";
}

/** The application in this process, where a test can reach its repositories. */
function inProcess(parts: Partial<Parts> = {}) {
  const users = parts.users ?? memoryUsers();
  const built = buildApp({
    origin,
    secret,
    users,
    sessions: memorySessions(),
    companion: memory(),
    ...parts,
  });
  open_.push(built.auth);
  const browser = () => browserOn(async (request) => built.app.fetch(request), origin);
  return { ...built, users, browser };
}
const open_: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(open_.map((auth) => auth.close())));

describe("setup", () => {
  test("Z8 1 · builder: repositories, authentication and data of sessions in one call", async () => {
    const { browser } = inProcess();
    const visitor = browser();
    expect((await submit(visitor, "/theme", { theme: "dark" })).status).toBe(303);
    expect((await open(visitor, "/")).text).toContain('data-theme="dark"');
    expect((await submit(visitor, "/theme", { theme: '"><b>' })).status).toBe(303);
    expect((await open(visitor, "/")).text).toContain('data-theme="light"');
    await submit(visitor, "/theme", { theme: "dark" });
    expect((await open(browser(), "/")).text).toContain('data-theme="system"');
    // What a visitor chose goes over to the user that they become.
    expect((await submit(visitor, "/register", registration("zoe@example.com"))).status).toBe(303);
    expect((await open(visitor, "/app/dashboard")).text).toContain('data-theme="dark"');
    const { getUserByEmail: _, ...lacking } = memoryUsers();
    expect(() => inProcess({ users: lacking as Parts["users"] })).toThrow("users lacks getUserByEmail");
  });

  test("Z8 2 · .env: secret and paths are read from it, and a short secret is refused", async () => {
    expect((await open(site.browser(), "/app/dashboard")).headers.get("location")).toBe(
      "/login?next=%2Fapp%2Fdashboard",
    );
    expect(() => inProcess({ secret: "short" })).toThrow("secrets[0]: shorter than 32 bytes");
    const other = inProcess({ loginPath: "/sign-in", appPath: "/home" });
    const away = await open(other.browser(), "/home");
    expect([away.status, away.headers.get("location")]).toEqual([302, "/sign-in?next=%2Fhome"]);
  });
});

/** Both kinds of repositories. */
const kinds = [
  ["in memory", () => ({ sessions: memorySessions(), users: memoryUsers() })],
  [
    "in SQL",
    () => {
      const database = openDatabase(":memory:");
      return { sessions: sqlSessions(database), users: sqlUsers(database) };
    },
  ],
] as const;

function newSession(sid: string, expiresAt: Date): NewRepositorySession {
  const from = { ip: "192.0.2.1", userAgent: "Mozilla/5.0", rotatedFromSid: null };
  return { sid, userId: "user-123", expiresAt, remember: true, ...from };
}

const soon = new Date(Date.now() + 60_000);
const past = new Date(Date.now() - 1);

describe("repositories", () => {
  test("Z8 3 · SessionRepo: insert, revoke and getUserId, in memory and in SQL", async () => {
    for (const [, make] of kinds) {
      const { sessions } = make();
      await sessions.insert(newSession("one", soon));
      await sessions.insert(newSession("old", past));
      expect(await sessions.getUserId("one")).toBe("user-123");
      expect(await sessions.getUserId("old")).toBeNull();
      expect(await sessions.getUserId("unknown")).toBeNull();
      expect(await sessions.revoke("unknown")).toBe(false);
      expect(await sessions.revoke("one")).toBe(true);
      expect(await sessions.getUserId("one")).toBeNull();
    }
  });

  test("Z8 4 · UserRepo: getUserById gives at least the id, or nothing", async () => {
    for (const [, make] of kinds) {
      const { users } = make();
      await users.createUser({ id: "user-123", email: "ana@example.com", passwordHash: null });
      expect(users.getUserById("user-123")).toMatchObject({ id: "user-123", role: "user" });
      expect(users.getUserById("user-124")).toBeNull();
    }
  });

  test("Z8 5 · in-memory sessions: no secret reaches them, and what they revoke is signed out", async () => {
    const kept: NewRepositorySession[] = [];
    const inner = memorySessions();
    const insert = (session: NewRepositorySession) => {
      kept.push(session);
      return inner.insert(session);
    };
    const { browser } = inProcess({ sessions: { ...inner, insert } });
    const someone = browser();
    await submit(someone, "/register", registration("bo@example.com"));
    const [sid, half] = (someone.jar.get("latchkey") ?? "").split(".") as [string, string];
    expect(kept).toMatchObject([{ sid, remember: false, userAgent: "ExampleBrowser/1.0" }]);
    expect(JSON.stringify(kept)).not.toContain(half);
    expect((await someone.get("/me")).status).toBe(200);
    expect(await inner.revoke(sid)).toBe(true);
    expect((await someone.get("/me")).status).toBe(401);
  });

  test("Z8 6 · in-memory users: found by address in any case, which nobody else can take", async () => {
    for (const [, make] of kinds) {
      const { users } = make();
      const ana = { id: "1", email: "ana@example.com", passwordHash: "hash" };
      await users.createUser(ana);
      expect(await users.getUserByEmail("ANA@example.com")).toMatchObject(ana);
      expect(await users.getUserByEmail("bo@example.com")).toBeNull();
      await expect(async () =>
        users.createUser({ ...ana, id: "2", email: "Ana@example.com" }),
      ).rejects.toThrow();
      await users.updatePasswordHash("1", "another");
      expect(users.getUserById("1")?.passwordHash).toBe("another");
    }
  });

  test("Z8 7 · SQL sessions: they outlive the process, and the file holds neither secret nor password", async () => {
    const folder = await mkdtemp(join(tmpdir(), "latchkey-pages-"));
    const parts = () => {
      const database = openDatabase(join(folder, "app.db"));
      const companion = sqlite({ path: join(folder, "latchkey.db") });
      return { database, users: sqlUsers(database), sessions: sqlSessions(database), companion };
    };
    try {
      const before = parts();
      const first = inProcess(before);
      const someone = first.browser();
      await submit(someone, "/register", registration("cy@example.com"));
      const [sid, half] = (someone.jar.get("latchkey") ?? "").split(".") as [string, string];
      await first.auth.close();
      before.database.close();
      const bytes = await readFile(join(folder, "app.db"), "latin1");
      expect([half, sid, password].filter((text) => bytes.includes(text))).toEqual([]);
      expect(bytes).toContain("cy@example.com");

      const after = parts();
      const second = inProcess(after);
      const again = browserOn(async (request) => second.app.fetch(request), origin, [...someone.jar]);
      expect((await again.get("/me")).body).toMatchObject({ ok: true, data: { email: "cy@example.com" } });
      expect(await after.sessions.revoke(sid)).toBe(true);
      expect((await again.get("/me")).status).toBe(401);
      await second.auth.close();
      after.database.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("passwords and sessions", () => {
  test("Z8 8 · hash, verify, needs rehash", async () => {
    const stored = await hashPassword({ password: "user-password" });
    expect(stored.encoded).toMatch(/^\$argon2id\$/);
    expect(await verifyPassword({ stored, password: "user-password" })).toBe(true);
    expect(await verifyPassword({ stored, password: "another-password" })).toBe(false);
    expect(needsRehash({ stored })).toBe(false);
    expect(needsRehash({ stored: await bcryptHash("user-password", 4) })).toBe(true);
  });

  test("Z8 9 · session manager: start for 30 days, set the cookie, revoke, clear the cookie", async () => {
    const { auth } = inProcess({ origin: "https://app.example" });
    const user = await auth.users.create({ email: "ana@example.com", password });
    const signIn = await auth.sessions.start(user.id, {
      isRemembered: true,
      absoluteSeconds: 86_400 * 30,
      from: { ip: "127.0.0.1", userAgent: "Mozilla/5.0...", requestId: null },
    });
    const response = auth.seal(new Response("hello"), signIn.change);
    const [cookie] = response.headers.getSetCookie();
    expect(cookie).toMatch(
      /^__Host-latchkey=[\w-]+\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$/,
    );
    const { id } = signIn.session;
    expect(await auth.sessions.list(user.id)).toMatchObject([{ id, ip: "127.0.0.1", isRemembered: true }]);
    expect(await auth.sessions.revoke(user.id, id)).toBe(true);
    expect(await auth.sessions.list(user.id)).toEqual([]);
    expect(await auth.sessions.revoke(user.id, id)).toBe(false);
    const cleared = auth.seal(new Response("bye"), { session: "clear" });
    expect(cleared.headers.getSetCookie()[0]).toMatch(/^__Host-latchkey=; Path=\/; Max-Age=0; /);
  });
});

describe("signing in and out", () => {
  const form = { email: "ana@example.com", password };

  test("Z8 10 · login view: one answer for every failure, remember me, next, an old hash replaced", async () => {
    const failures = [
      await submit(site.browser(), "/login", { ...form, password: "wrong password" }),
      await submit(site.browser(), "/login", { ...form, email: "nobody@example.com" }),
    ];
    for (const { status, text } of failures) {
      expect(status).toBe(401);
      expect(text).toContain('<p class="error" role="alert">Invalid email or password</p>');
    }
    expect(failures[0]?.text).toContain('value="ana@example.com"');
    expect(failures[0]?.text).not.toContain("wrong password");

    const plain = await submit(site.browser(), "/login", form);
    expect([plain.status, plain.headers.get("location")]).toEqual([303, "/app/dashboard"]);
    expect(plain.cookies[0]?.attributes).toEqual({ path: "/", httponly: "", samesite: "Lax" });
    const remembered = await submit(site.browser(), "/login?next=/profile", { ...form, remember: "on" });
    expect([remembered.status, remembered.headers.get("location")]).toEqual([303, "/profile"]);
    expect(remembered.cookies[0]?.attributes["max-age"]).toBe("2592000");
    const huge = await submit(site.browser(), "/login", { ...form, password: "x".repeat(70_000) });
    expect(huge.status).toBe(413);
    const away = await submit(site.browser(), "/login?next=https://evil.example/", form);
    expect([away.status, away.headers.get("location")]).toEqual([303, "/app/dashboard"]);

    const { users, browser } = inProcess();
    const passwordHash = await bcryptHash(password, 4);
    await users.createUser({ id: "old", email: "old@example.com", passwordHash });
    expect((await submit(browser(), "/login", { email: "old@example.com", password })).status).toBe(303);
    expect(users.getUserById("old")?.passwordHash).toMatch(/^\$argon2id\$/);
    expect((await submit(browser(), "/login", { email: "old@example.com", password })).status).toBe(303);
  });

  test('Z8 11 · logout: {"ok":true}, and the session has ended', async () => {
    const browser = site.browser();
    await submit(browser, "/login", form);
    const thief = browser.copy();
    const forged = await browser.send("POST", "/logout", { csrf: false });
    expect([forged.status, forged.body.code]).toEqual([403, "csrf_required"]);
    const { status, text, cookies } = await browser.post("/logout");
    expect([status, text]).toEqual([200, '{"ok":true}']);
    expect(cookies[0]).toMatchObject({ name: "latchkey", value: "", attributes: { "max-age": "0" } });
    expect((await thief.get("/me")).status).toBe(401);
    expect((await site.browser().post("/logout")).text).toBe('{"ok":true}');
  });

  test("Z8 12 · guards: a page behind login, and one for guests alone", async () => {
    const away = await open(site.browser(), "/app/dashboard");
    expect([away.status, away.headers.get("location")]).toEqual([302, "/login?next=%2Fapp%2Fdashboard"]);
    const program = await site.browser().get("/app/dashboard");
    expect([program.status, program.body.code]).toEqual([401, "not_authenticated"]);
    expect((await open(ana, "/app/dashboard")).text).toContain("<h1>Dashboard</h1>");
    for (const path of ["/login", "/register"]) {
      expect((await open(site.browser(), path)).status).toBe(200);
      const back = await open(ana, path);
      expect([back.status, back.headers.get("location")]).toEqual([302, "/app/dashboard"]);
      // A form that was still open in another tab when they signed in.
      const late = await submit(ana, path, { ...form, email: "someone@example.com" });
      expect([late.status, late.headers.get("location")]).toEqual([302, "/app/dashboard"]);
      const forged = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };
      const { status, body } = await ana.send("POST", path, { form, headers: forged });
      expect([status, body.code]).toEqual([403, "origin_rejected"]);
    }
  });

  test("Z8 13 · custom guards: administrators, and an API with an answer of its own", async () => {
    const stranger = await open(site.browser(), "/admin");
    expect([stranger.status, stranger.headers.get("location")]).toEqual([302, "/login?next=%2Fadmin"]);
    const user = await open(ana, "/admin");
    expect([user.status, user.headers.get("location")]).toEqual([302, "/unauthorized"]);
    expect((await open(ana, "/unauthorized")).text).toContain("You may not see that page.");
    const admin = site.browser();
    const [, its] = /admin@example\.com with the password (\S+)/.exec(site.stdout()) ?? [];
    await submit(admin, "/login", { email: "admin@example.com", password: String(its) });
    expect((await open(admin, "/admin")).text).toContain("For administrators alone.");

    const refused = await site.browser().get("/api/orders");
    expect([refused.status, refused.text]).toEqual([
      401,
      '{"ok":false,"error":{"message":"Authentication required"}}',
    ]);
    const allowed = await ana.get("/api/orders");
    expect([allowed.status, allowed.text]).toEqual([200, '{"ok":true,"data":[]}']);
  });
});

describe("the current user", () => {
  test("Z8 14 · middleware: the user of a cookie, or nobody", async () => {
    const database = openDatabase(":memory:");
    const { browser } = inProcess({ users: sqlUsers(database), sessions: sqlSessions(database) });
    const someone = browser();
    await submit(someone, "/register", registration("di@example.com", { name: "Di" }));
    expect((await open(someone, "/")).text).toContain("Welcome, Di!");
    expect((await open(browser(), "/")).text).not.toContain("Welcome");
    const altered = someone.copy();
    altered.jar.set("latchkey", `${someone.jar.get("latchkey")?.slice(0, -2)}AA`);
    const nobody = await open(altered, "/");
    expect([nobody.status, nobody.text.includes("Welcome")]).toEqual([200, false]);
    expect(nobody.cookies[0]).toMatchObject({ name: "latchkey", value: "" });
    // A live session whose user is gone is nobody's.
    database.exec("DELETE FROM users");
    expect((await open(someone, "/")).text).not.toContain("Welcome");
  });

  test("Z8 15 · profile view: shows who it is, and to nobody else", async () => {
    const { status, text, headers } = await open(ana, "/profile");
    expect(status).toBe(200);
    expect(text).toContain("<dd>ana@example.com</dd>");
    expect(text).toContain("<dd>Ana</dd>");
    expect(headers.get("cache-control")).toBe("no-store");
    expect((await open(site.browser(), "/profile")).headers.get("location")).toBe("/login?next=%2Fprofile");
  });

  test("Z8 16 · /me: the user as JSON, or 401", async () => {
    const { status, body } = await ana.get("/me");
    expect([status, body]).toEqual([
      200,
      { ok: true, data: { id: expect.any(String), email: "ana@example.com", name: "Ana" } },
    ]);
    const nobody = await site.browser().get("/me");
    expect([nobody.status, nobody.text]).toEqual([
      401,
      '{"ok":false,"error":{"message":"Not authenticated"}}',
    ]);
  });

  test("Z8 17 · template: a welcome and a way out, or a way in; names are escaped", async () => {
    const { text } = await open(ana, "/");
    expect(text).toContain("<span>Welcome, Ana!</span>");
    expect(text).toContain('<a href="/logout">Logout</a>');
    expect((await open(site.browser(), "/")).text).toContain('<a href="/login">Login</a>');
    // The link leads to a page with a button: a GET that signs out could be set off by any site.
    const button = await open(ana, "/logout");
    expect(button.status).toBe(200);
    expect((await ana.get("/me")).status).toBe(200);

    const mallory = site.browser();
    await submit(mallory, "/register", registration("mallory@example.com", { name: "<b>M" }));
    const page = await open(mallory, "/logout");
    expect(page.text).toContain("Welcome, &lt;b&gt;M!");
    const out = await submit(mallory, "/logout", { _token: tokenOf(page) });
    expect([out.status, out.headers.get("location")]).toEqual([303, "/login"]);
    expect((await mallory.get("/me")).status).toBe(401);
  });

  test("Z8 18 · register view: everything wrong at once, the address kept, then signed in", async () => {
    const browser = site.browser();
    const empty = await submit(browser, "/register", { email: "", password: "", confirm_password: "x" });
    expect([empty.status, fieldErrors(empty)]).toEqual([
      400,
      {
        email: "Email is required",
        password: "Password must be at least 8 characters",
        confirm_password: "Passwords do not match",
      },
    ]);
    const short = { email: " new@example.com ", password: "1234567", confirm_password: "1234567" };
    const again = await submit(browser, "/register", short);
    expect(fieldErrors(again)).toEqual({ password: "Password must be at least 8 characters" });
    expect(again.text).toContain('value="new@example.com"');
    expect(again.text).not.toContain("1234567");
    const taken = await submit(browser, "/register", registration("ANA@example.com"));
    expect([taken.status, fieldErrors(taken)]).toEqual([409, { email: "Email already registered" }]);

    const made = await submit(browser, "/register", registration(" new@example.com "));
    expect([made.status, made.headers.get("location")]).toEqual([303, "/app/dashboard"]);
    expect(made.cookies[0]?.attributes).toEqual({ path: "/", httponly: "", samesite: "Lax" });
    expect((await browser.get("/me")).body).toMatchObject({ data: { email: "new@example.com", name: null } });
  });
});

test("the lines of the README answer as it says", async () => {
  const replayed = await replayReadme("examples/pages/README.md", site);
  for (const { line, promised, answered } of replayed) expect(answered, line).toContain(promised);
  expect(replayed).toHaveLength(8);
});

test("ends when it is asked to", async () => {
  expect(await site.stop()).toEqual({ code: 0, signal: null });
});

test("keeps its data in files where REPOSITORIES in .env says so", async () => {
  const files = await startExample("pages", {}, { ".env": "REPOSITORIES=sql\n" });
  try {
    await submit(files.browser(), "/register", registration("eve@example.com"));
    const database = new DatabaseSync(join(files.folder, "app.db"));
    const rows = database.prepare("SELECT email, role FROM users ORDER BY email").all();
    database.close();
    expect(rows).toEqual([
      { email: "admin@example.com", role: "admin" },
      { email: "eve@example.com", role: "user" },
    ]);
  } finally {
    await files.remove();
  }
});
