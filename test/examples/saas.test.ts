import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { openChromium, person } from "../browser/chromium.ts";
import type { Browser } from "../support/browser.ts";
import { type RunningExample, startExample } from "./support/example.ts";
import { type Google, google } from "./support/google.ts";

const admin = { username: "admin", password: "your_admin_password" };
const grace = { username: "grace", password: "seven green kettles" };

/** As the document configures it, the words after `#` and the line breaks its own. */
const documentsSettings = `
# Sessions
SESSION_TIMEOUT_MINUTES=30
SESSION_CLEANUP_INTERVAL_MINUTES=15
MAX_SESSIONS_PER_USER=5
SESSION_SECURE_COOKIES=true
SESSION_BACKEND=redis             # redis | memory | memcached
SESSION_COOKIE_MAX_AGE=86400

# CSRF
CSRF_ENABLED=true                  # set false for dev/test

# Login rate limiting
LOGIN_MAX_ATTEMPTS=5
LOGIN_WINDOW_MINUTES=15

# OAuth
OAUTH_REDIRECT_BASE_URL=http://localhost:8000
OAUTH_GOOGLE_CLIENT_ID=
OAUTH_GOOGLE_CLIENT_SECRET=
OAUTH_GITHUB_CLIENT_ID=            # provider scaffolded; routes not wired
OAUTH_GITHUB_CLIENT_SECRET=

# Security
SECRET_KEY=8a0f4d0e6d1b4c0c9f7c2a55d7f3b1e64c7a9be2d1f84b06a3c59e0f7d2b8c13
PRODUCTION_SECURITY_VALIDATION_ENABLED=true
PRODUCTION_SECURITY_STRICT_MODE=false
`;

const client = { id: "an-id.apps.googleusercontent.com", secret: "GOCSPX-what-Google-handed-out" };

// Null: nobody has one; then sessions are in the database everywhere.
const redisBinary = inject("redisBinary");
const onPath: Readonly<Record<string, string>> =
  redisBinary === null ? {} : { PATH: `${dirname(redisBinary)}${delimiter}${process.env.PATH}` };

/** With every setting of the document and Google set up; CSRF protection is on. */
let example: RunningExample;
/** For development: CSRF protection is off, sessions are in the database. */
let lenient: RunningExample;
let provider: Google;
/** Signed in once, for whatever changes nothing about them. */
let boss: Browser;
let owner: Browser;

beforeAll(async () => {
  provider = await google(client);
  const configured = documentsSettings
    .replace("GOOGLE_CLIENT_ID=", `GOOGLE_CLIENT_ID=${client.id}`)
    .replace("GOOGLE_CLIENT_SECRET=", `GOOGLE_CLIENT_SECRET=${client.secret}`);
  // Each is ended by the hook below, also where the other did not start.
  const started = await Promise.allSettled([
    startExample(
      "saas",
      { ...onPath, ...provider.env, TRUSTED_PROXIES: "127.0.0.1" },
      { ".env": configured },
    ),
    startExample("saas", { CSRF_ENABLED: "false", SESSION_BACKEND: "database" }),
  ]);
  [example, lenient] = started.map((each) => (each.status === "fulfilled" ? each.value : undefined)) as [
    RunningExample,
    RunningExample,
  ];
  for (const each of started) if (each.status === "rejected") throw each.reason;
  boss = await signedIn(admin);
  owner = await signedIn(grace);
});

afterAll(async () => {
  for (const each of [example, lenient]) {
    await each?.stop();
    await each?.remove();
  }
  await provider?.close();
});

/** A shell in an empty folder, where lines of the document are run as they stand there; but for host and port. */
async function shell(at: RunningExample): Promise<(line: string) => Promise<Ran>> {
  const cwd = await mkdtemp(join(tmpdir(), "latchkey-shell-"));
  onTestFinished(() => rm(cwd, { recursive: true }));
  return async (line) => {
    const here = line.replaceAll("http://localhost:8000", at.origin);
    const written = `${here} --silent --write-out '\n%{http_code}'`;
    const { stdout } = await promisify(execFile)("bash", ["-c", written], { cwd });
    const end = stdout.lastIndexOf("\n");
    const text = stdout.slice(0, end);
    return { status: Number(stdout.slice(end + 1)), body: text === "" ? {} : JSON.parse(text) };
  };
}

interface Ran {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const curlLogin = `curl -X POST "http://localhost:8000/api/v1/auth/login" \\
  -H "Content-Type: application/x-www-form-urlencoded" \\
  -d "username=admin&password=your_admin_password" \\
  -c cookies.txt`;
const curlMe = "curl http://localhost:8000/api/v1/users/me -b cookies.txt";
const curlLogout = "curl -X POST http://localhost:8000/api/v1/auth/logout -b cookies.txt";
const curlKey = `curl -X POST "http://localhost:8000/api/v1/api-keys/" \\
  -H "Content-Type: application/json" \\
  -b cookies.txt \\
  -d '{"name": "Integration Key", "permissions": {}, "usage_limits": {}}'`;

async function signedIn(who: typeof admin): Promise<Browser> {
  const browser = example.browser();
  const { status } = await browser.send("POST", "/api/v1/auth/login", { form: who });
  expect(status).toBe(200);
  return browser;
}

/** Somebody new, of no plan. */
async function newcomer(username: string): Promise<Browser> {
  const browser = example.browser();
  const account = { username, email: `${username}@example.com`, password: grace.password };
  expect((await browser.post("/api/v1/auth/register", account)).status).toBe(201);
  return browser;
}

describe("sessions of browsers", () => {
  test("FA 1 · curl login: the answer has the CSRF token, the cookies are set, a wrong password opens nothing", async () => {
    const run = await shell(example);
    const { status, body } = await run(curlLogin);
    expect(status).toBe(200);
    expect(body.csrf_token).toMatch(/^c1\.[\w-]{86}$/);
    expect(body.user).toMatchObject({ username: "admin", is_superuser: true });
    const wrong = await run(curlLogin.replace("your_admin_password", "another_password"));
    expect([wrong.status, wrong.body.detail]).toEqual([401, "Invalid email or password"]);
  });

  test("FA 1 · curl login: the session lies in Redis, without its secret", async ({ skip }) => {
    if (redisBinary === null) return skip("there is no Redis");
    const url = /^Sessions are in Redis, at (redis:\S+)$/m.exec(example.stdout())?.[1] ?? "";
    const [id = "", secret = ""] = boss.jar.get("latchkey")?.split(".") ?? [];
    const redis = await createClient({ url }).connect();
    onTestFinished(() => redis.close());
    const names = await redis.keys(`*${id.slice(-8)}*`);
    expect(names).toHaveLength(1);
    const dump = JSON.stringify(await redis.sendCommand(["DUMP", names[0] ?? ""]));
    expect(secret).toHaveLength(43);
    expect(dump).not.toContain(secret);
  });

  test("FA 2 · curl me: who sends the cookie back is known, nobody else is", async () => {
    const run = await shell(example);
    await run(curlLogin);
    const { status, body } = await run(curlMe);
    expect([status, body.username, body.email]).toEqual([200, "admin", "admin@example.com"]);
    const nobody = await run(curlMe.replace(" -b cookies.txt", ""));
    expect([nobody.status, nobody.body.code]).toEqual([401, "not_authenticated"]);
  });

  test("FA 3 · curl logout: as printed where CSRF protection is off; where it is on, with the token of the login", async () => {
    const off = await shell(lenient);
    await off(curlLogin);
    expect(await off(curlLogout)).toEqual({ status: 200, body: { ended: true } });
    expect((await off(curlMe)).status).toBe(401);

    const on = await shell(example);
    const { body } = await on(curlLogin);
    const refused = await on(curlLogout);
    expect([refused.status, refused.body.code]).toEqual([403, "csrf_required"]);
    expect((await on(curlMe)).status).toBe(200);
    expect(await on(`${curlLogout} -H "X-CSRF-Token: ${body.csrf_token}"`)).toEqual({
      status: 200,
      body: { ended: true },
    });
    expect((await on(curlMe)).status).toBe(401);
  });
});

describe("signing in with Google", () => {
  test("FA 4 · curl oauth: the start answers Google's address with state and challenge; not set up, it says what to set", async () => {
    const line = "curl http://localhost:8000/api/v1/auth/oauth/google";
    const { status, body } = await (await shell(example))(line);
    expect([status, Object.keys(body)]).toEqual([200, ["url"]]);
    const url = new URL(String(body.url));
    expect(url.origin).toBe("https://accounts.google.com");
    const sent = Object.fromEntries(url.searchParams);
    expect(sent).toMatchObject({
      client_id: client.id,
      response_type: "code",
      code_challenge_method: "S256",
    });
    expect(sent.state).toMatch(/^[\w.-]{20,}$/);
    // As OAUTH_REDIRECT_BASE_URL says.
    expect(sent.redirect_uri).toBe("http://localhost:8000/api/v1/auth/oauth/callback/google");
    const without = await (await shell(lenient))(line);
    expect([without.status, without.body.code]).toEqual([404, "not_found"]);
    expect(without.body.detail).toContain("GOOGLE_CLIENT_ID");
  });

  test("FA 5 · callback: whoever comes back from Google has a session, by JSON or by a redirect; a callback works once, and in its own browser", async () => {
    provider.person = { sub: "1", email: "ana@gmail.com", email_verified: true, name: "Ana" };
    const begin = async (browser: Browser): Promise<string> => {
      const { body } = await browser.get("/api/v1/auth/oauth/google");
      return provider.signIn(String(body.url));
    };
    const program = example.browser();
    const back = await begin(program);
    const stranger = await example.browser().get(back);
    expect(stranger.status).toBe(400);
    const { status, body } = await program.get(back);
    expect([status, body.user?.email]).toEqual([200, "ana@gmail.com"]);
    expect((await program.get("/me")).body.email).toBe("ana@gmail.com");
    const again = await program.get(back);
    expect(again.status).toBe(400);

    const person = example.browser();
    const headers = { "Sec-Fetch-Mode": "navigate", Accept: "text/html" };
    const page = await person.get(await begin(person), { headers });
    expect([page.status, page.headers.get("location")]).toEqual([303, "/app/dashboard"]);
    expect((await person.get("/me")).body).toEqual((await program.get("/me")).body);
  });
});

describe("API keys of programs", () => {
  test("FA 6 · curl key: as printed where CSRF protection is off; where it is on, with the token of the login", async () => {
    const off = await shell(lenient);
    await off(curlLogin);
    const { status, body } = await off(curlKey);
    expect([status, body.name]).toEqual([201, "Integration Key"]);
    expect(body.key).toMatch(/^lk_live_\w{16}_\w{49}$/);
    const used = await off(`${curlMe.replace(" -b cookies.txt", "")} -H "X-API-Key: ${body.key}"`);
    expect([used.status, used.body.username]).toEqual([200, "admin"]);
    const listed = await off("curl http://localhost:8000/api/v1/api-keys/ -b cookies.txt");
    expect(JSON.stringify(listed.body)).toContain("Integration Key");
    expect(JSON.stringify(listed.body)).not.toContain(String(body.key));

    const on = await shell(example);
    const login = await on(curlLogin);
    const refused = await on(curlKey);
    expect([refused.status, refused.body.code]).toEqual([403, "csrf_required"]);
    const made = await on(`${curlKey} -H "X-CSRF-Token: ${login.body.csrf_token}"`);
    expect([made.status, made.body.name]).toEqual([201, "Integration Key"]);
  });
});

describe("who may do what", () => {
  test("FA 7 · login limit: after five failures the sixth is refused for this name and address, right or wrong, and nobody else is", async () => {
    await newcomer("frank");
    const attempt = async (password: string, ip: string) =>
      example.browser().send("POST", "/api/v1/auth/login", {
        form: { username: "frank", password },
        headers: { "X-Forwarded-For": ip },
      });
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await attempt("wrong", "192.0.2.7")).status),
    );
    expect(statuses).toEqual([401, 401, 401, 401, 401]);
    const { status, body, headers } = await attempt(grace.password, "192.0.2.7");
    expect([status, body.detail]).toEqual([429, "Too many failed login attempts. Please try again later."]);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(800);
    expect((await attempt(grace.password, "192.0.2.8")).status).toBe(200);
  });

  test("FA 8 · current user: a missing or invalid cookie is 401", async () => {
    expect((await owner.get("/me")).body).toMatchObject({ username: "grace", email: "grace@example.com" });
    expect((await example.browser().get("/me")).status).toBe(401);
    const spoilt = owner.copy();
    spoilt.jar.set("latchkey", `${owner.jar.get("latchkey")?.slice(0, -1)}!`);
    expect((await spoilt.get("/me")).status).toBe(401);
  });

  test("FA 9 · optional user: everybody gets an answer, who is signed in more of it", async () => {
    expect((await example.browser().get("/things")).body).toEqual({ premium: false });
    expect((await owner.get("/things")).body).toEqual({ premium: true });
  });

  test("FA 10 · permanent delete: a superuser erases somebody for good; others and nobody may not", async () => {
    const [eve, heidi] = [await newcomer("eve"), await newcomer("heidi")];
    const path = "/api/v1/users/heidi/permanent";
    expect((await example.browser().delete(path)).status).toBe(401);
    expect((await eve.delete(path)).status).toBe(403);
    expect((await heidi.get("/me")).status).toBe(200);
    const { status, body } = await boss.delete(path);
    expect([status, Object.keys(body)]).toEqual([200, ["message"]]);
    expect((await heidi.get("/me")).status).toBe(401);
    expect((await boss.get("/api/v1/users/heidi")).status).toBe(404);
    expect((await boss.delete("/api/v1/users/db/eve")).status).toBe(200);
    expect((await boss.get("/reports")).body).toEqual({ reports: [] });
    expect((await owner.get("/reports")).status).toBe(403);
  });

  test("FA 11 · ownership: the service refuses what is somebody else's, whichever route asks; a superuser passes", async () => {
    const ivan = await newcomer("ivan");
    expect((await owner.put("/profiles/grace", { about: "compilers" })).body).toEqual({
      message: "Profile updated",
    });
    const update = await ivan.put("/profiles/grace", { about: "nonsense" });
    expect([update.status, update.body.detail]).toEqual([403, "Cannot update the profile for another user"]);
    const removal = await ivan.delete("/profiles/grace");
    expect([removal.status, removal.body.detail]).toEqual([
      403,
      "Cannot delete the profile for another user",
    ]);
    expect((await ivan.get("/profiles/grace")).body).toEqual({ about: "compilers" });
    expect((await example.browser().put("/profiles/grace", { about: "" })).status).toBe(401);
    const headers = { "Content-Type": "application/json" };
    const broken = await owner.send("PUT", "/profiles/grace", { body: "{", headers });
    expect([broken.status, broken.body.code]).toEqual([400, "malformed_json"]);
    expect((await owner.put("/profiles/grace", { about: "x".repeat(70_000) })).status).toBe(413);
    expect((await boss.delete("/profiles/grace")).status).toBe(200);
    expect((await ivan.get("/profiles/grace")).body).toEqual({ about: null });
  });

  test("FA 12 · settings: the document's names are read, its values hold", async () => {
    const oldest = await newcomer("oscar");
    const oscar = { username: "oscar", password: grace.password };
    const { cookies } = await example.browser().send("POST", "/api/v1/auth/login", { form: oscar });
    const session = cookies.find(({ name }) => name === "latchkey");
    expect(session?.attributes).toEqual({ "max-age": "86400", httponly: "", path: "/", samesite: "Lax" });
    const later = await Promise.all(Array.from({ length: 4 }, () => signedIn(oscar)));
    const newest = later[0] as Browser;
    const { body } = await newest.get("/api/v1/users/me/sessions");
    expect(body.items).toHaveLength(5);
    const idle = body.items?.find(({ current }) => current === true) ?? {};
    const minutes =
      (Date.parse(String(idle.idle_expires_at)) - Date.parse(String(idle.last_used_at))) / 60_000;
    expect(minutes).toBeCloseTo(30, 1);
    expect((await oldest.get("/me")).status).toBe(401);
    // On http there is no use in `Secure`, and the server says so; nothing else of it goes unread.
    expect(example.stderr().match(/^Warning: .*$/gm)).toEqual([
      "Warning: SESSION_SECURE_COOKIES=true has no effect on an http origin: cookies are sent without Secure there.",
    ]);
  });

  test("FA 14 · tier: the premium route is for the pro tier alone", async () => {
    expect((await owner.get("/premium")).body).toEqual({ data: "premium content" });
    const other = await newcomer("judy");
    const refused = await other.get("/premium");
    expect([refused.status, refused.body.detail]).toEqual([403, "Requires pro tier"]);
    expect((await example.browser().get("/premium")).status).toBe(401);
    const promoted = await boss.put("/api/v1/users/judy/tier", { tier: "pro" });
    expect(promoted.status).toBe(200);
    expect((await other.get("/premium")).body).toEqual({ data: "premium content" });
  });
});

/** The document's client, word for word. */
const authClient = `
class AuthClient {
    async login(username, password) {
        const res = await fetch('/api/v1/auth/login', {
            method: 'POST',
            credentials: 'include',                   // important — accept cookies
            headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({ username, password }),
        });
        if (!res.ok) throw new Error('login failed');
        const { csrf_token } = await res.json();
        // Store the CSRF token in memory; cookie is set automatically
        this.csrfToken = csrf_token;
        return csrf_token;
    }

    async post(url, body) {
        return fetch(url, {
            method: 'POST',
            credentials: 'include',
            headers: {
                'Content-Type': 'application/json',
                'X-CSRF-Token': this.csrfToken,       // required for state-changing requests
            },
            body: JSON.stringify(body),
        });
    }

    async logout() {
        await fetch('/api/v1/auth/logout', {
            method: 'POST',
            credentials: 'include',
            headers: { 'X-CSRF-Token': this.csrfToken },
        });
        this.csrfToken = null;
    }
}`;

const chromiumPath = inject("chromiumPath");

test("FA 13 · browser client: in Chromium it signs in, posts with its token, and signs out", async ({
  skip,
}) => {
  if (chromiumPath === null) return skip("there is no Chromium");
  const browser = await openChromium(chromiumPath);
  onTestFinished(() => browser.close());
  const { page, complaints } = await person(browser, example);
  await page.goto("/client");
  const said = page.locator("#said");
  await page.getByLabel("Username").fill("grace");
  await page.getByLabel("Password").fill(grace.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await said.getByText("Signed in as grace").waitFor();
  await page.getByRole("button", { name: "Create a key" }).click();
  await said.getByText(/^Shown once: lk_live_/).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await said.getByText("Signed out").waitFor();
  // It asked who it is, and was nobody.
  expect(complaints).toEqual([`${example.origin}/me: 401`]);

  const done = await page.evaluate(`(async () => {
      ${authClient}
      const client = new AuthClient();
      const statusOf = async (path) => (await fetch(path)).status;
      const wrong = await client.login("grace", "wrong").then(() => "in", (error) => error.message);
      const token = await client.login("grace", ${JSON.stringify(grace.password)});
      const seen = { wrong, token, cookie: document.cookie, me: await statusOf("/me") };
      const key = { name: "Integration Key", permissions: {}, usage_limits: {} };
      const posted = (await client.post("/api/v1/api-keys/", key)).status;
      client.csrfToken = "c1.wrong";
      const forged = (await client.post("/api/v1/api-keys/", key)).status;
      client.csrfToken = token;
      await client.logout();
      return { ...seen, posted, forged, after: await statusOf("/me"), left: client.csrfToken };
    })()`);
  const token = expect.stringMatching(/^c1\./);
  // The session's own cookie is out of the page's reach, the CSRF token's is not.
  const cookie = expect.not.stringMatching(/(^|; )latchkey=/);
  expect(done).toEqual({
    wrong: "login failed",
    token,
    cookie,
    me: 200,
    posted: 201,
    forged: 403,
    after: 401,
    left: null,
  });
});
