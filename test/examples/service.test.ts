import { readFile } from "node:fs/promises";
import { hash as bcryptHash } from "bcryptjs";
import { SignJWT } from "jose";
import { AuthError, hashPassword, memory, sqlite, verifyPassword } from "latchkey";
import { session, testClock } from "latchkey/testing";
import { jwt } from "latchkey/tokens";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../examples/service/app.ts";
import { authService } from "../../examples/service/auth-service.ts";
import { cleanUpExpiredSessions, millisecondsUntil } from "../../examples/service/cleanup.ts";
import { type Composition, compose } from "../../examples/service/compose.ts";
import { printEvents } from "../../examples/service/events.ts";
import { acmeTokens } from "../../examples/service/token-format.ts";
import { run } from "../server/support/child-server.ts";
import type { Browser } from "../support/browser.ts";
import { type RunningExample, runExample, startExample } from "./support/example.ts";
import { replayReadme } from "./support/readme.ts";

const email = "user@example.com";
const password = "user_password";
const sessionSecret = "your-secret-key-minimum-32-characters-long";
const origin = "http://localhost:3000";
const cookieName = "session_token";
/** The request on whose behalf a service is asked in this process. */
const visit = { request: new Request(origin), client: { ip: "192.0.2.1" } };

let service: RunningExample;
/** Id of the user above. */
let userId: string;

beforeAll(async () => {
  // The secret as the document makes and keeps it.
  const made = run("cli/main.ts", ["secret"], process.cwd());
  await made.ended;
  service = await startExample("service", {}, { ".env": `SESSION_SECRET=${made.stdout()}` });
  const { body } = await service
    .browser()
    .post("/api/v1/auth/register", { email, password, username: "user.one" });
  userId = String(body.user?.id);
});
afterAll(() => service.remove());

function login(form: Record<string, string> = {}, browser: Browser = service.browser()) {
  return browser.send("POST", "/login", { form: { email, password, ...form }, headers: { origin: null } });
}

/** A browser that has signed in. */
async function member(form?: Record<string, string>): Promise<Browser> {
  const browser = service.browser();
  await login(form, browser);
  return browser;
}

/** What the services in this process share: starting threads for hashes is what costs most. */
const clock = testClock();
const stores = memory();

/** A service in this process, and a user of it who is signed in nowhere. */
async function composed(composition: Partial<Composition> = {}) {
  const auth = compose({ origin, stores, sessionSecret, clock, ...composition });
  opened.push(auth);
  const user =
    (await auth.users.findByIdentifier(email)) ??
    (await auth.users.create({ email, password, username: "user.one" }));
  await auth.sessions.revokeAll(user.id);
  const credentials = { username: email, password };
  return { auth, user, credentials, ...authService(auth) };
}
const opened: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(opened.map((each) => each.close())));

/** What is thrown by whoever rejects. */
function refusal(attempt: Promise<unknown>): Promise<AuthError> {
  return attempt.then(
    () => Promise.reject(new Error("it was not refused")),
    (error) => error as AuthError,
  );
}

describe("the service by itself", () => {
  test("PO 1 · compose and authenticate: user, token and end of the session, or an error", async () => {
    const { authenticate, credentials, user } = await composed({
      passwordMinLength: 8,
      sessionTimeoutMinutes: 60,
    });
    const result = await authenticate(credentials, visit);
    expect(result.user).toMatchObject({ id: user.id, email });
    expect(result.token).toMatch(/^[\w-]+\.[\w-]{43}$/);
    expect(result.expiresAt).toEqual(new Date(clock.now().getTime() + 60 * 60_000));
    const error = await refusal(authenticate({ ...credentials, password: "wrong_password" }, visit));
    expect(error).toBeInstanceOf(AuthError);
    expect(error.code).toBe("invalid_credentials");
  });

  test("PO 2 · authenticate by email or username; the token goes into a cookie", async () => {
    const { auth, authenticate, credentials, user } = await composed();
    const { change, token, ...result } = await authenticate({ ...credentials, username: "user.one" }, visit);
    expect(result.user.id).toBe(user.id);
    const [cookie] = auth.seal(new Response(""), change).headers.getSetCookie();
    expect(cookie).toBe(`${cookieName}=${token}; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax`);
    const unknown = await refusal(authenticate({ ...credentials, username: "nobody@example.com" }, visit));
    expect(unknown.message).toBe("Invalid username or password");
  });

  test("PO 3 · hash a password, verify that of a user", async () => {
    const stored = await hashPassword({ password });
    expect(stored.encoded).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect((await hashPassword({ password })).encoded).not.toBe(stored.encoded);
    // The document's own hashes go on to verify.
    expect(await verifyPassword({ stored: await bcryptHash(password, 4), password })).toBe(true);
    const { verifyPassword: isPasswordOf, user } = await composed();
    expect(await isPasswordOf(user.id, password)).toBe(true);
    expect(await isPasswordOf(user.id, "wrong_password")).toBe(false);
    expect(await isPasswordOf("nobody", password)).toBe(false);
  });

  test("PO 4 · create, validate and end a session", async () => {
    const { createSession, validateSession, logout, user } = await composed();
    const session = await createSession(user.id);
    const createdAt = clock.now();
    const expiresAt = new Date(createdAt.getTime() + 30 * 60_000);
    expect(session).toEqual({
      id: session.token.split(".")[0],
      userId: user.id,
      token: session.token,
      createdAt,
      expiresAt,
    });
    expect(await validateSession(session.token)).toMatchObject({ id: user.id });
    expect(await validateSession(`${session.token.slice(0, -2)}AA`)).toBeNull();
    expect(await validateSession("no token at all")).toBeNull();
    expect(await logout(session.token)).toBe(true);
    expect(await validateSession(session.token)).toBeNull();
    expect(await logout(session.token)).toBe(false);
  });

  test("PO 5 · stateful and stateless: the latter validates, and cannot end one session", async () => {
    for (const enableSessionStorage of [true, false]) {
      const { auth, createSession, validateSession, logout, logoutAllDevices, user } = await composed({
        enableSessionStorage,
      });
      const { token } = await createSession(user.id);
      expect(await validateSession(token)).toMatchObject({ id: user.id });
      expect(await auth.sessions.list(user.id)).toHaveLength(enableSessionStorage ? 1 : 0);
      expect(await logout(token)).toBe(enableSessionStorage);
      expect((await validateSession(token))?.id).toBe(enableSessionStorage ? undefined : user.id);
      await logoutAllDevices(user.id);
      expect(await validateSession(token)).toBeNull();
    }
  });

  test("PO 6 · a session of 1440 minutes ends after 24 hours, however much it is used", async () => {
    const { createSession, validateSession, user } = await composed({ sessionTimeoutMinutes: 1440 });
    const { token } = await createSession(user.id);
    for (let hour = 1; hour < 24; hour++) {
      await clock.advance(3_600);
      expect(await validateSession(token), `${hour} h`).not.toBeNull();
    }
    await clock.advance(3_600);
    expect(await validateSession(token)).toBeNull();
  });
});

describe("endpoints", () => {
  test("PO 7 · /login: cookie and answer, or 401", async () => {
    const { status, body, cookies } = await login();
    expect([status, body]).toEqual([
      200,
      { success: true, user_id: userId, email, expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) },
    ]);
    const left = Date.parse(String(body.expires_at)) - Date.now();
    expect(left / 60_000).toBeGreaterThan(59);
    expect(left / 60_000).toBeLessThanOrEqual(60);
    expect(cookies[0]).toMatchObject({
      name: cookieName,
      attributes: { path: "/", "max-age": "3600", httponly: "", samesite: "Lax" },
    });
    const refused = await login({ password: "wrong_password" });
    expect([refused.status, refused.text, refused.cookies]).toEqual([
      401,
      '{"success":false,"error":"Invalid username or password"}',
      [],
    ]);
  });

  test("PO 8 · /profile: by hand, with an answer of its own for each way to fail", async () => {
    const browser = await member();
    const { status, body } = await browser.get("/profile");
    expect([status, body]).toEqual([200, { user_id: userId, email, username: "user.one" }]);
    const missing = await service.browser().get("/profile");
    expect([missing.status, missing.text]).toEqual([401, '{"detail":"Not authenticated"}']);
    await browser.copy().post("/logout");
    const ended = await browser.get("/profile");
    expect([ended.status, ended.text]).toEqual([401, '{"detail":"Session invalid or expired"}']);
  });

  test("PO 9 · /logout: ends the session, clears the cookie, and does so without one", async () => {
    const browser = await member();
    const copy = browser.copy();
    const forged = await copy.send("POST", "/logout", {
      headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    });
    expect([forged.status, forged.cookies]).toEqual([403, []]);
    expect((await copy.get("/protected")).status).toBe(200);
    const { status, text, cookies } = await browser.post("/logout");
    expect([status, text]).toEqual([200, '{"success":true}']);
    expect(cookies[0]).toMatchObject({ name: cookieName, value: "", attributes: { "max-age": "0" } });
    expect((await copy.get("/protected")).status).toBe(401);
    expect((await service.browser().post("/logout")).text).toBe('{"success":true}');
  });

  test("PO 10 · /dashboard and /public: the current user, and perhaps one", async () => {
    const browser = await member();
    const dashboard = await browser.get("/dashboard");
    expect([dashboard.status, dashboard.text]).toEqual([
      200,
      `{"welcome":"Hello, ${email}!","user_id":"${userId}"}`,
    ]);
    expect((await service.browser().get("/dashboard")).status).toBe(401);
    expect((await browser.get("/public")).text).toBe(`{"message":"Welcome back, ${email}"}`);
    expect((await service.browser().get("/public")).text).toBe('{"message":"Welcome, guest"}');
  });

  test("PO 11 · a listener hears of each sign-in, and of no refused one", async () => {
    const lines: string[] = [];
    const { auth, authenticate, createSession, logout, credentials, user } = await composed();
    printEvents(auth, (line) => lines.push(line));
    await authenticate(credentials, visit);
    await refusal(authenticate({ ...credentials, password: "wrong_password" }, visit));
    const at = clock.now().toISOString();
    expect(lines).toEqual([`User ${user.id} logged in at ${at}`]);
    await logout((await createSession(user.id)).token);
    expect(lines.slice(1)).toEqual([
      `User ${user.id} logged in at ${at}`,
      `User ${user.id} logged out at ${at}`,
    ]);
    expect(service.stdout()).toMatch(
      new RegExp(`^User ${userId} logged in at \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z$`, "m"),
    );
  });
});

describe("good practice", () => {
  test("PO 12 · the session cookie: unreadable by script, for an hour, not from other sites", async () => {
    const { headers } = await login();
    expect(headers.getSetCookie()[0]).toMatch(
      /^session_token=[\w-]+\.[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/,
    );
  });

  test("PO 13 · the secret comes from the environment, and a short one is refused", async () => {
    expect(() => compose({ origin, stores: memory(), sessionSecret: "my-secret-123" })).toThrow(
      "secrets[0]: shorter than 32 bytes",
    );
  });

  test("PO 14 · a generated secret has 256 bits and is read from .env", async () => {
    const [, secret] = /^SESSION_SECRET=(\S+)$/m.exec(
      await readFile(`${service.folder}/.env`, "utf8"),
    ) as unknown as [string, string];
    expect(Buffer.from(secret, "base64url")).toHaveLength(32);
    // It is what the running service signs with: another process of the same secret takes its CSRF tokens, one of another does not.
    const browser = await member();
    const answers: number[] = [];
    for (const sessionSecret of [`x${secret}`, secret]) {
      const auth = compose({
        origin,
        stores: sqlite({ path: `${service.folder}/service.db` }),
        sessionSecret,
      });
      const app = buildApp({ auth, service: authService(auth) });
      const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const headers = { cookie, "x-csrf-token": browser.jar.get(`${cookieName}-csrf`) ?? "" };
      answers.push((await app.inject({ method: "POST", url: "/logout-all-devices", headers })).statusCode);
      await app.close();
      await auth.close();
    }
    expect(answers).toEqual([403, 200]);
  });

  test("PO 15 · cleanup: deletes what has expired, says how many, each day at three", async () => {
    const { auth, createSession, validateSession, user } = await composed({ stores: memory() });
    const lines: string[] = [];
    printEvents(auth, (line) => lines.push(line));
    await createSession(user.id);
    await createSession(user.id);
    await clock.advance(31 * 60);
    const { token } = await createSession(user.id);
    expect(await cleanUpExpiredSessions(auth)).toBe("Cleaned up 2 expired sessions");
    expect(lines.filter((line) => / expired$/.test(line))).toHaveLength(2);
    expect(await cleanUpExpiredSessions(auth)).toBe("Cleaned up 0 expired sessions");
    expect(await validateSession(token)).not.toBeNull();

    expect(millisecondsUntil(3, new Date(2026, 2, 10, 1, 30))).toBe(90 * 60_000);
    expect(millisecondsUntil(3, new Date(2026, 2, 10, 3, 0))).toBe(24 * 60 * 60_000);
    const command = runExample(["service", "sweep"], { DATA_FOLDER: service.folder });
    expect(await command.ended).toMatchObject({ code: 0 });
    expect(command.stdout()).toBe("Cleaned up 0 expired sessions\n");
  });

  test("PO 16 · a generic error: unknown user and wrong password are told alike", async () => {
    const unknown = await login({ email: "nobody@example.com" });
    const wrong = await login({ password: "wrong_password" });
    const names = ({ headers }: typeof wrong) => [...headers.keys()].sort();
    expect([unknown.status, unknown.text, names(unknown)]).toEqual([401, wrong.text, names(wrong)]);
    expect(wrong.body).toEqual({ success: false, error: "Invalid username or password" });
  });

  test("PO 17 · timeouts of 15, 480 and 10080 minutes", async () => {
    for (const sessionTimeoutMinutes of [15, 480, 10_080]) {
      const { createSession, validateSession, user } = await composed({ sessionTimeoutMinutes });
      const { token } = await createSession(user.id);
      await clock.advance(sessionTimeoutMinutes * 60 - 1);
      expect(await validateSession(token), `${sessionTimeoutMinutes} min less 1 s`).not.toBeNull();
      const unused = await createSession(user.id);
      await clock.advance(1);
      expect(await validateSession(token), `${sessionTimeoutMinutes} min`).toBeNull();
      expect(await validateSession(unused.token)).not.toBeNull();
    }
  });

  test("PO 18 · /api/data: who was never there is told from whose session is over", async () => {
    const browser = await member();
    const { status, text } = await browser.get("/api/data");
    expect([status, text]).toEqual([200, '{"data":"..."}']);
    const missing = await service.browser().get("/api/data");
    expect([missing.status, missing.text]).toEqual([401, '{"detail":"Not authenticated"}']);
    expect(missing.headers.get("www-authenticate")).toBe("Cookie");
    await browser.copy().post("/logout");
    const ended = await browser.get("/api/data");
    expect([ended.status, ended.text]).toEqual([401, '{"detail":"Session expired or invalid"}']);
  });

  test("PO 19 · /protected: the guard is injected, and the handler gets the user", async () => {
    const { status, text } = await (await member()).get("/protected");
    expect([status, text]).toEqual([200, `{"user":"${email}"}`]);
    expect((await service.browser().get("/protected")).status).toBe(401);
    const elsewhere = await service
      .browser()
      .get(`/protected?session_token=${(await member()).jar.get(cookieName)}`);
    expect(elsewhere.status).toBe(401);
  });

  test("PO 20 · in production the cookie is Secure and of this host alone", async () => {
    const { auth, authenticate, credentials } = await composed({ origin: "https://app.example" });
    const { change, token } = await authenticate(credentials, visit);
    expect(auth.seal(new Response(""), change).headers.getSetCookie()[0]).toBe(
      `__Host-session_token=${token}; Path=/; Max-Age=1800; HttpOnly; Secure; SameSite=Lax`,
    );
    expect(() => compose({ origin: "http://app.example", stores: memory(), sessionSecret })).toThrow(
      "http is for loopback only",
    );
  });
});

describe("questions", () => {
  test("PO 21 · remember me: a session that lasts longer", async () => {
    const { authenticate, createSession, validateSession, credentials, user } = await composed();
    const short = await authenticate(credentials, visit);
    const remembered = await authenticate({ ...credentials, remember: true }, visit);
    const custom = await createSession(user.id, 7 * 86_400);
    expect(custom.expiresAt).toEqual(new Date(clock.now().getTime() + 7 * 86_400_000));
    await clock.advance(6 * 86_400);
    const live = await Promise.all([short, remembered, custom].map(({ token }) => validateSession(token)));
    expect(live.map((user) => user !== null)).toEqual([false, true, true]);
    await clock.advance(86_400);
    expect(await validateSession(custom.token)).toBeNull();
    expect(await validateSession(remembered.token)).not.toBeNull();
    const { cookies } = await login({ remember: "on" });
    expect(cookies[0]?.attributes["max-age"]).toBe("2592000");
  });

  test("PO 22 · stateless sessions beside tokens that the application makes", async () => {
    const key = "a key of thirty-two bytes at least, as jwt";
    const { auth, user } = await composed({
      stores: memory(),
      enableSessionStorage: false,
      features: [jwt({ key, userIdClaim: "user_id" })],
      // jose takes the time of this machine.
      clock: { ...clock, now: () => new Date() },
    });
    const app = buildApp({ auth, service: authService(auth) });
    const ask = (token: string) =>
      app.inject({ url: "/protected", headers: { authorization: `Bearer ${token}` } });
    const made = (payload: Record<string, unknown>, secret = key) =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: "HS256" })
        .setExpirationTime("1h")
        .sign(Buffer.from(secret));
    const answer = await ask(await made({ user_id: user.id }));
    expect([answer.statusCode, answer.body]).toEqual([200, `{"user":"${email}"}`]);
    const bad = [await made({ user_id: "nobody" }), await made({ user_id: user.id }, `${key}!`)];
    for (const token of bad) expect((await ask(token)).statusCode).toBe(401);
    await app.close();
  });

  test("PO 23 · logout everywhere: every session of the user, and of nobody else", async () => {
    const [one, other] = [await member(), await member()];
    const stranger = service.browser();
    await stranger.post("/api/v1/auth/register", { email: "other@example.com", password });
    const without = await one.send("POST", "/logout-all-devices", { csrf: false });
    expect([without.status, without.body.code]).toEqual([403, "csrf_required"]);
    const { status, body } = await one.post("/logout-all-devices");
    expect([status, body.success]).toEqual([200, true]);
    expect((await other.get("/protected")).status).toBe(401);
    expect((await stranger.get("/protected")).status).toBe(200);
  });

  test("PO 24 · validated on each request: a session that ended is refused at once", async () => {
    const { auth, createSession, user } = await composed();
    const app = buildApp({ auth, service: authService(auth) });
    const { token, id } = await createSession(user.id);
    const status = async () =>
      (await app.inject({ url: "/protected", cookies: { [cookieName]: token } })).statusCode;
    expect(await status()).toBe(200);
    expect(await status()).toBe(200);
    await auth.sessions.revoke(user.id, id);
    expect(await status()).toBe(401);
    await app.close();
  });

  test("PO 25 · single session: a sign-in ends the ones before, also of several at once", async () => {
    const { auth, authenticate, validateSession, credentials, user } = await composed({
      singleSession: true,
    });
    const first = await authenticate(credentials, visit);
    const second = await authenticate(credentials, visit);
    expect(await validateSession(first.token)).toBeNull();
    expect(await validateSession(second.token)).not.toBeNull();
    await Promise.all([1, 2].map(() => authenticate(credentials, visit)));
    expect(await auth.sessions.list(user.id)).toHaveLength(1);
    // Unless it is asked for, there may be any number.
    const several = await composed();
    await several.authenticate(several.credentials, visit);
    await several.authenticate(several.credentials, visit);
    expect(await several.auth.sessions.list(several.user.id)).toHaveLength(2);
  });

  test("PO 26 · a session made in a test, without going through a sign-in", async () => {
    const { auth, user } = await composed();
    const app = buildApp({ auth, service: authService(auth) });
    const { cookies } = await session(auth, user);
    const response = await app.inject({ url: "/protected", headers: { cookie: cookies } });
    expect([response.statusCode, response.json()]).toEqual([200, { user: email }]);
    expect((await app.inject({ url: "/protected" })).statusCode).toBe(401);
    await app.close();
  });

  test("PO 27 · session tokens in a format of one's own", async () => {
    const { createSession, validateSession, logout, user } = await composed({ sessionTokens: acmeTokens });
    const { token } = await createSession(user.id);
    expect(token).toMatch(/^acme_[\w-]+~[\w-]{43}$/);
    expect(await validateSession(token)).toMatchObject({ id: user.id });
    expect(await validateSession(token.replace("acme_", "").replace("~", "."))).toBeNull();
    expect(await logout(token)).toBe(true);
    expect(await validateSession(token)).toBeNull();
  });
});

test("the lines of the README answer as it says", async () => {
  const replayed = await replayReadme("examples/service/README.md", service);
  for (const { line, promised, answered } of replayed) expect(answered, line).toContain(promised);
  expect(replayed).toHaveLength(10);
});

test("ends when it is asked to", async () => {
  expect(await service.stop()).toEqual({ code: 0, signal: null });
});
