import { randomBytes } from "node:crypto";
import { cpSync, globSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { AuthEvent } from "latchkey";
import { sqlite } from "latchkey";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authFromSettings } from "../../server/auth-from-settings.ts";
import { createLog } from "../../server/log.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { type Answer, type Browser, browserOn } from "../support/browser.ts";
import { type Canaries, canaries, forms, type Leak } from "./support/canaries.ts";
import { type ChildServer, newFolder, run, startServer } from "./support/child-server.ts";
import { rawSocket } from "./support/raw-socket.ts";

// No secret at rest and none in a log: every flow is driven over HTTP, every secret that was handed out or sent in is kept,
// and then each byte that the server wrote anywhere is searched for them.

const html = { Accept: "text/html" };
const secretKey = randomBytes(32).toString("base64url");

let server: ChildServer;
let folder: string;
const found = canaries();
/** What the server wrote, by where. Taken while it runs, when the database's log is full of rows, and after its end. */
const written = new Map<string, Buffer>();

beforeAll(async () => {
  server = await startServer({ SECRET_KEY: secretKey, LOG_LEVEL: "trace", STORE_TIMEOUT_MS: "300" });
  folder = await newFolder();
  found.add("SECRET_KEY", secretKey);
  const open = () => watchedBrowser(found, server.browser());
  await setUpByLink(server, open);
  await useRoutes(found, open);
  await usePages(found, open);
  await resetByLink(server, found, open);
  await sendNonsense(server, found, open);
  await failStore(server, found, open);
  keepFiles("running");
  server.child.kill("SIGTERM");
  expect(await server.ended).toEqual({ code: 0, signal: null });
  keepFiles("ended");
  // The terminal shows one secret on purpose, on one line.
  written.set("stdout", Buffer.from(server.stdout().replace(server.setupLink ?? "", "")));
  written.set("stderr", Buffer.from(server.stderr()));
});

afterAll(async () => {
  await server.remove();
  await rm(folder, { recursive: true, force: true });
});

function keepFiles(when: string): void {
  const files = globSync("**/*", { cwd: server.folder, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const entry of files) {
    const path = join(entry.parentPath, entry.name);
    written.set(`${when}: ${path.slice(server.folder.length + 1)}`, readFileSync(path));
  }
}

function leaksIn(places: ReadonlyMap<string, Buffer>): Leak[] {
  return [...places].flatMap(([place, bytes]) => found.findIn(place, bytes));
}

describe("what the server wrote", () => {
  test("there is enough of it, and enough to look for", () => {
    expect(found.size).toBeGreaterThan(60);
    const places = [...written.keys()];
    expect(places).toContain("running: data/latchkey.db");
    expect(places).toContain("running: data/latchkey.db-wal");
    expect(places).toContain("ended: data/latchkey.db");
    expect(places.filter((place) => place.includes("secret.key"))).toEqual([]);
    // The tables and the log tell of what was done: the search is not over empty files.
    const wal = written.get("running: data/latchkey.db-wal")?.toString("latin1") ?? "";
    for (const trace of [
      "user.logged_in",
      "user.login_failed",
      "password.reset",
      "csrf.refused",
      "rate_limit.hit",
    ]) {
      expect(wal).toContain(trace);
    }
    const log = written.get("stderr")?.toString() ?? "";
    for (const trace of [
      '"status":503',
      '"code":"store_unavailable"',
      '"status":431',
      '"status":413',
      '"event":',
    ]) {
      expect(log).toContain(trace);
    }
  });

  test("no secret is in any file, line of output or line of the log", () => {
    expect(leaksIn(written)).toEqual([]);
  });
});

describe("what listeners hear", () => {
  test("no secret is in any event, nor in the core's lines of the log", async () => {
    const events: AuthEvent[] = [];
    let log = "";
    const destination = { write: (line: string) => (log += line) };
    const { settings } = readSettings({ SECRET_KEY: secretKey });
    const auth = authFromSettings(settings, {
      origin: "http://localhost:3000",
      secrets: [secretKey],
      stores: sqlite({ path: join(folder, "listeners.db") }),
      log: createLog({ level: "trace", destination }),
      listeners: [(event) => events.push(event)],
    });
    await useRoutes(found, () =>
      watchedBrowser(
        found,
        browserOn((request, client) => auth.handle(request, client), auth.config.origin),
      ),
    );
    await auth.close();
    expect(new Set(events.map(({ type }) => type)).size).toBeGreaterThan(10);
    const heard = new Map([
      ["events", Buffer.from(JSON.stringify(events))],
      ["log", Buffer.from(log)],
    ]);
    expect(leaksIn(heard)).toEqual([]);
  });
});

describe("the search itself", () => {
  test.each([...forms("7FXIeCtqqvHV5jY17x0rUhk_oCZ1-ZEZyda_v0LZSo4").keys()])(
    "finds a secret written %s",
    (form) => {
      const secret = randomBytes(32).toString("base64url");
      const own = canaries();
      own.add("planted", secret);
      const needle = forms(secret).get(form) ?? Buffer.alloc(0);
      const haystack = Buffer.concat([randomBytes(500), needle, randomBytes(500)]);
      expect(own.findIn("x", haystack).map((leak) => leak.form)).toContain(form);
      expect(own.findIn("x", randomBytes(2_000))).toEqual([]);
    },
  );

  test("finds a secret in the middle of something longer that was encoded, and folded", () => {
    const own = canaries();
    own.add("typed", "Purple-Anvil 19 Sings");
    for (const before of ["", "x", "xy"]) {
      const text = `${before}Purple-Anvil 19 Sings, and more`;
      for (const encoding of ["base64", "base64url", "hex"] as const) {
        expect(own.findIn("x", Buffer.from(Buffer.from(text).toString(encoding)))).not.toEqual([]);
      }
    }
    expect(own.findIn("x", Buffer.from("PURPLE-ANVIL 19 sings"))).not.toEqual([]);
  });

  test("finds what is planted into a copy of this database and this log", () => {
    const copy = join(folder, "planted.db");
    cpSync(join(server.folder, "data/latchkey.db"), copy);
    const stolen = "Q0FOQVJZ-planted-into-a-copy-of-the-rows_47";
    const own = canaries();
    own.add("planted", stolen);
    expect(own.findIn("copy", readFileSync(copy))).toEqual([]);
    const db = new DatabaseSync(copy);
    db.prepare("UPDATE audit_events SET payload = ? WHERE position = 1").run(
      JSON.stringify({ token: stolen }),
    );
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    expect(own.findIn("copy", readFileSync(copy))).not.toEqual([]);
    const line = JSON.stringify({ level: "info", msg: "request", path: `/reset?token=${stolen}` });
    expect(
      own.findIn("log", Buffer.concat([written.get("stderr") ?? Buffer.alloc(0), Buffer.from(line)])),
    ).not.toEqual([]);
  });
});

/** A password that is nobody else's, remembered as typed. */
function typed(keep: Canaries, what: string): string {
  const password = `Anvil ${randomBytes(9).toString("base64url")} sings`;
  keep.add(`${what} (typed)`, password);
  return password;
}

/** A browser of which every cookie and token is remembered. */
function watchedBrowser(keep: Canaries, browser: Browser): Browser {
  const send: Browser["send"] = async (method, path, options) => {
    const answer = await browser.send(method, path, options);
    for (const { name, value } of answer.cookies) {
      if (value === "") continue;
      keep.add(`cookie ${name}`, value);
      // `id.secret`: the id is public and stored.
      const secret = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]{43})$/.exec(value)?.[1];
      if (secret !== undefined) keep.add(`secret in cookie ${name}`, secret);
    }
    if (answer.body.csrf_token) keep.add("CSRF token", answer.body.csrf_token);
    for (const [, token = ""] of answer.text.matchAll(/name="_token" value="([^"]+)"/g))
      keep.add("form token", token);
    return answer;
  };
  return {
    ...browser,
    send,
    get: (path, options) => send("GET", path, options),
    post: (path, json, options) => send("POST", path, { json, ...options }),
    patch: (path, json, options) => send("PATCH", path, { json, ...options }),
    put: (path, json, options) => send("PUT", path, { json, ...options }),
    delete: (path, options) => send("DELETE", path, options),
  };
}

type Open = () => Browser;

/** Opens a page and sends its form. */
async function fillIn(
  browser: Browser,
  path: string,
  form: Readonly<Record<string, string>>,
): Promise<Answer> {
  const { text } = await browser.get(path, { headers: html });
  const _token = /name="_token" value="([^"]+)"/.exec(text)?.[1] ?? "";
  return browser.send("POST", path, { form: { _token, ...form }, headers: html });
}

async function setUpByLink({ setupLink }: ChildServer, open: Open): Promise<void> {
  const { pathname, search, searchParams } = new URL(setupLink ?? "");
  const token = searchParams.get("token") ?? "";
  found.add("setup token", token);
  found.add("secret of the setup token", token.split(".")[1] ?? "");
  const browser = open();
  await browser.get(pathname + search, { headers: html });
  const password = typed(found, "administrator's password");
  const email = "root@example.com";
  const mistyped = { email, password, confirm_password: typed(found, "repetition") };
  expect((await fillIn(browser, "/setup", mistyped)).status).toBe(400);
  const form = { email, password, confirm_password: password };
  expect((await fillIn(browser, "/setup", form)).status).toBe(303);
  expect((await fillIn(browser, "/setup", form)).status).toBe(400);
}

/** Every route for programs, used rightly and wrongly. */
async function useRoutes(keep: Canaries, open: Open): Promise<void> {
  const [browser, other] = [open(), open()];
  const [first, second] = [typed(keep, "first password"), typed(keep, "second password")];
  const email = "ann@example.com";
  await browser.post("/api/v1/auth/register", { email, password: first, name: "Ann" });
  await other.post("/api/v1/auth/register", { email, password: typed(keep, "password for a taken address") });
  await other.post("/api/v1/auth/register", {
    email: "no address",
    password: typed(keep, "password beside an error"),
  });
  expect((await other.post("/api/v1/auth/login", { email, password: first, remember: true })).status).toBe(
    200,
  );
  for (let attempt = 0; attempt < 7; attempt++) {
    await open().post("/api/v1/auth/login", {
      username: "carl@example.com",
      password: typed(keep, "wrong password"),
    });
  }
  await open().post("/api/v1/auth/login", { username: typed(keep, "password as the name"), password: "x" });
  await open().post("/api/v1/auth/login", { username: first, password: email });
  await open().post("/api/v1/auth/login", {
    username: email,
    email: typed(keep, "password as the address"),
    password: first,
  });
  await browser.get("/api/v1/auth/csrf");
  await browser.get("/api/v1/auth/session");
  await browser.patch("/api/v1/users/me", { name: "Ann B." });
  await browser.post("/api/v1/auth/reauthenticate", { password: typed(keep, "wrong password again") });
  await browser.post("/api/v1/auth/reauthenticate", { password: first });
  await useApiKeys(keep, browser, open());
  await useTokens(keep, open(), { email, password: first });
  const path = "/api/v1/users/me/password";
  await browser.put(path, { current_password: typed(keep, "wrong current password"), new_password: second });
  await browser.put(
    path,
    { current_password: first, new_password: second },
    { headers: { "X-CSRF-Token": typed(keep, "CSRF token of nobody") } },
  );
  await browser.put(
    path,
    { current_password: first, new_password: second },
    { headers: { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" } },
  );
  expect((await browser.put(path, { current_password: first, new_password: second })).status).toBe(200);
  expect((await other.post("/api/v1/auth/login", { email, password: second })).status).toBe(200);
  await browser.get("/api/v1/users/me/sessions");
  await browser.delete(`/api/v1/users/me/sessions/${other.jar.get("latchkey")?.split(".")[0]}`);
  await other.get("/api/v1/users/me");
  await browser.delete("/api/v1/users/me/sessions");
  await browser.post("/api/v1/auth/logout");
  await browser.post("/api/v1/auth/login", { email, password: second });
  await browser.post("/api/v1/auth/logout-all");
  await browser.post("/api/v1/auth/login", { email, password: second });
  expect((await browser.delete("/api/v1/users/me?erase=now")).status).toBe(204);
}

/** Access and refresh tokens: issued, refreshed, sent rightly and wrongly, reused, exchanged for a ticket, revoked. */
async function useTokens(
  keep: Canaries,
  program: Browser,
  account: { readonly email: string; readonly password: string },
): Promise<void> {
  const ask = async (path: string, body: unknown, headers = {}): Promise<Record<string, string>> => {
    const answer = await program.post(`/api/v1/auth/token${path}`, body, { headers });
    const tokens = answer.body as Record<string, string>;
    for (const name of ["access_token", "refresh_token"]) {
      if (tokens[name] === undefined) continue;
      keep.add(name, tokens[name]);
      // What proves it: the signature, and the secret with its tag. The rest is public.
      for (const part of tokens[name].split(".").slice(2)) keep.add(`part of ${name}`, part);
    }
    return tokens;
  };
  const first = await ask("", account);
  const second = await ask("/refresh", { refresh_token: first.refresh_token });
  await ask("/refresh", {}, { Authorization: `Bearer ${second.access_token}` });
  await program.get("/api/v1/users/me", { headers: { Authorization: `Bearer ${second.access_token}x` } });
  await program.get(`/api/v1/users/me?token=${second.access_token}`);
  const bearer = { headers: { Authorization: `Bearer ${second.access_token}` } };
  const { status, body } = await program.post("/api/v1/auth/ticket", { path: "/chat" }, bearer);
  expect(status).toBe(201);
  keep.add("ticket", String(body.ticket));
  keep.add("secret of the ticket", String(body.ticket).split(".")[1] ?? "");
  await program.get(`/api/v1/auth/session?ticket=${body.ticket}`);
  await ask("/revoke", { token: second.access_token });
  const third = await ask("/refresh", { refresh_token: second.refresh_token });
  expect((await ask("/refresh", { refresh_token: first.refresh_token })).code).toBe("token_reused");
  await ask("/revoke", { token: third.refresh_token });
}

/** Every form for people. */
async function usePages(keep: Canaries, open: Open): Promise<void> {
  const browser = open();
  const [first, second] = [typed(keep, "password on a page"), typed(keep, "second password on a page")];
  const email = "bob@example.com";
  const submit = (path: string, form: Record<string, string>) => fillIn(browser, path, form);
  await submit("/register", { email, password: first, confirm_password: typed(keep, "another repetition") });
  expect((await submit("/register", { email, password: first, confirm_password: first })).status).toBe(303);
  const change = { form: "password", new_password: second, confirm_password: second };
  await submit("/account", { ...change, current_password: typed(keep, "wrong password on a page") });
  expect((await submit("/account", { ...change, current_password: first })).status).toBe(303);
  await browser.get("/app/dashboard", { headers: html });
  await submit("/account", { form: "sessions" });
  await submit("/logout", {});
  await browser.get("/login?next=/account", { headers: html });
  await submit("/login", { username: email, password: first });
  await submit("/login", { username: typed(keep, "password as the name on a page"), password: second });
  expect(
    (await submit("/login", { username: email, password: second, remember: "on", next: "/account" })).status,
  ).toBe(303);
}

async function resetByLink({ folder: place }: ChildServer, keep: Canaries, open: Open): Promise<void> {
  const command = run("cli/main.ts", ["user", "set-password", "bob@example.com"], place, {
    SECRET_KEY: secretKey,
  });
  expect((await command.ended).code).toBe(0);
  written.set("stderr of the command", Buffer.from(command.stderr()));
  const token = /token=(\S+)/.exec(command.stdout())?.[1] ?? "";
  keep.add("reset token", token);
  keep.add("secret of the reset token", token.split(".")[1] ?? "");
  const browser = open();
  await browser.get(`/reset?token=${token}`, { headers: html });
  const password = typed(keep, "password after a reset");
  const form = { new_password: password, confirm_password: password };
  expect((await fillIn(browser, "/reset", form)).status).toBe(303);
  // Spent, and then half guessed.
  await browser.get(`/reset?token=${token}`, { headers: html });
  await browser.get(`/reset?token=${token.slice(0, 23)}${randomBytes(32).toString("base64url")}`, {
    headers: html,
  });
}

/** A key that is made, used, mistyped, guessed at and rotated; a program that sends it everywhere. */
async function useApiKeys(keep: Canaries, browser: Browser, program: Browser): Promise<void> {
  const made = await browser.post("/api/v1/api-keys", { name: "CI" });
  const rotated = await browser.post(`/api/v1/api-keys/${made.body.id}/rotate`, {});
  for (const { status, body } of [made, rotated]) {
    expect(status).toBe(201);
    const key = String(body.key);
    // The id before it is public; the rest alone is as good as the whole.
    keep.add("API key", key.slice(-49));
    keep.add("secret of an API key", key.slice(-49, -6));
    const use = (headers: Record<string, string>) => program.get("/api/v1/users/me", { headers });
    expect((await use({ "X-API-Key": key })).status).toBe(200);
    expect((await use({ Authorization: `Bearer ${key}` })).status).toBe(200);
    expect((await use({ "X-API-Key": `${key}x` })).status).toBe(401);
    expect((await use({ "X-API-Key": `${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}` })).status).toBe(
      401,
    );
    await program.get(`/api/v1/users/me?key=${key}`);
    await program.post("/api/v1/auth/login", { username: key, password: key });
  }
  expect((await browser.delete(`/api/v1/api-keys/${made.body.id}`)).status).toBe(204);
}

/** Secrets where they do not belong: people paste them, and broken clients send them. */
async function sendNonsense({ port }: ChildServer, keep: Canaries, open: Open): Promise<void> {
  const browser = open();
  const token = `${randomBytes(12).toString("hex")}.${randomBytes(32).toString("base64url")}`;
  keep.add("token in an address", token);
  await browser.get(`/nothing?token=${token}`);
  await browser.get(`/nothing/${token}`, { headers: html });
  await browser.get(`/api/v1/users/me?ticket=${token}`, {
    headers: { Referer: `http://localhost/reset?token=${token}` },
  });
  await browser.get("/api/v1/users/me", {
    headers: { Authorization: `Bearer ${token}`, "X-API-Key": token, "X-Request-Id": token },
  });
  await browser.get("/api/v1/users/me", {
    headers: { Cookie: `latchkey=${token}; latchkey=${token}`, "User-Agent": "x" },
  });
  const json = { "Content-Type": "application/json" };
  const send = (body: string, headers: Record<string, string> = json) =>
    browser.send("POST", "/api/v1/auth/login", { body, headers });
  await send(`{"username":"a","password":"${typed(keep, "password in broken JSON")}`);
  await send(`{"password":"x","password":"${typed(keep, "password in JSON with a key twice")}"}`);
  await send(typed(keep, "password as the body"), { "Content-Type": "text/plain" });
  await send(
    JSON.stringify({ username: "a", password: typed(keep, "password in a large body") + "a".repeat(70_000) }),
  );
  for (const request of [
    `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${typed(keep, "password in a large header")}${"a".repeat(20_000)}\r\n\r\n`,
    `${typed(keep, "password as a request line")}\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: ${typed(keep, "password as the host")}\r\nConnection: close\r\n\r\n`,
  ]) {
    const raw = await rawSocket(port);
    raw.write(request);
    expect(await raw.answer).toMatch(/^HTTP\/1\.1 4/);
  }
}

/** A database that another program holds: the server answers 503 and tells the operator. */
async function failStore({ folder: place, logged }: ChildServer, keep: Canaries, open: Open): Promise<void> {
  const db = new DatabaseSync(join(place, "data/latchkey.db"), { timeout: 10_000 });
  db.exec("BEGIN IMMEDIATE");
  const login = { username: "bob@example.com", password: typed(keep, "password while the store fails") };
  expect((await open().post("/api/v1/auth/login", login)).status).toBe(503);
  db.exec("ROLLBACK");
  db.close();
  await logged('"code":"store_unavailable"');
}
