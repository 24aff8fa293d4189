import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { securityHeaders } from "../../server/security-headers.ts";
import type { Answer, Browser } from "../support/browser.ts";
import { type ChildServer, startServer } from "./support/child-server.ts";
import { rawSocket } from "./support/raw-socket.ts";

const password = "seven green kettles";
const html = { Accept: "text/html" };

let server: ChildServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.remove());

describe("a first start in an empty folder", () => {
  test("the address is the first line, the link for the administrator is on the terminal and not in the log", () => {
    expect(server.stdout().split("\n")[0]).toBe(`Latchkey is at ${server.origin}`);
    expect(server.setupLink).toMatch(new RegExp(`^${server.origin}/setup\\?token=[\\w-]{22}\\.[\\w-]{43}$`));
    expect(server.stdout()).toContain("data/secret.key");
    expect(server.stderr()).not.toContain("setup");
  });

  test("folder, database and secret belong to this user alone", async () => {
    const modeOf = async (path: string) => (await stat(join(server.folder, path))).mode & 0o777;
    expect(await modeOf("data")).toBe(0o700);
    expect(await modeOf("data/secret.key")).toBe(0o600);
    expect(await modeOf("data/latchkey.db")).toBe(0o600);
    expect(await modeOf("data/latchkey.db-wal")).toBe(0o600);
  });

  test("the link makes one administrator, and nobody after", async () => {
    const [first, second] = [server.browser(), server.browser()];
    const link = new URL(server.setupLink ?? "");
    for (const browser of [first, second]) {
      const opened = await browser.get(link.pathname + link.search, { headers: html });
      expect(opened.status).toBe(303);
      expect(opened.headers.get("location")).toBe("/setup");
    }
    const form = { email: "root@example.com", password, confirm_password: password };
    const filled = async (browser: Browser, typed: Readonly<Record<string, string>>): Promise<Answer> => {
      const { text } = await browser.get("/setup", { headers: html });
      const _token = /name="_token" value="([^"]+)"/.exec(text)?.[1] ?? "";
      return browser.send("POST", "/setup", { form: { _token, ...typed }, headers: html });
    };
    const done = await filled(first, form);
    expect([done.status, done.headers.get("location")]).toEqual([303, "/app/dashboard"]);
    expect((await first.get("/api/v1/users/me")).body).toMatchObject({
      email: "root@example.com",
      is_superuser: true,
    });
    const late = await filled(second, { ...form, email: "eve@example.com" });
    expect(late.status).toBe(400);
    expect(second.jar.has("latchkey")).toBe(false);
  });
});

describe("over HTTP", () => {
  test("healthz and readyz say so", async () => {
    for (const path of ["/healthz", "/readyz"]) {
      const { status, body } = await server.browser().get(path);
      expect([path, status, body]).toEqual([path, 200, { status: "ok" }]);
    }
  });

  test("a person registers, signs in elsewhere, is recognised and signs out", async () => {
    const laptop = server.browser();
    const registered = await laptop.post("/api/v1/auth/register", { email: "ann@example.com", password });
    expect(registered.status).toBe(201);
    const phone = server.browser();
    const signedIn = await phone.post("/api/v1/auth/login", { username: "ann@example.com", password });
    expect(signedIn.status).toBe(200);
    const cookie = signedIn.cookies.find(({ name }) => name === "latchkey");
    expect(cookie?.attributes).toEqual({ path: "/", httponly: "", samesite: "Lax" });
    expect((await phone.get("/api/v1/users/me")).body).toMatchObject({ email: "ann@example.com" });
    expect((await phone.post("/api/v1/auth/logout")).body).toEqual({ ended: true });
    expect((await phone.get("/api/v1/users/me")).status).toBe(401);
    expect((await laptop.get("/api/v1/users/me")).status).toBe(200);
  });

  test("the id of a request is in its answer, its problem document and its line in the log", async () => {
    const refused = await server.browser().get("/api/v1/users/me");
    const id = refused.headers.get("x-request-id") ?? "";
    expect(refused.body.request_id).toBe(id);
    await server.logged(id);
    const line = server
      .stderr()
      .split("\n")
      .find((each) => each.includes(id));
    expect(JSON.parse(line ?? "{}")).toMatchObject({
      ...{ request_id: id, method: "GET", path: "/api/v1/users/me", status: 401 },
      ...{ code: "not_authenticated", ip: "127.0.0.1" },
    });
  });

  test("what is not there is a page for people and a problem for programs", async () => {
    const page = await server.browser().get("/nothing", { headers: html });
    expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
    const problem = await server.browser().get("/nothing");
    expect([problem.status, problem.body.code]).toEqual([404, "not_found"]);
    const ofApi = await server.browser().get("/api/v1/nothing", { headers: html });
    expect([ofApi.status, ofApi.body.code]).toEqual([404, "not_found"]);
  });

  test("a page under another spelling of this machine is sent to the origin, an answer for a program is not", async () => {
    const other = `http://127.0.0.1:${server.port}`;
    const page = await fetch(`${other}/login?next=%2Faccount`, { headers: html, redirect: "manual" });
    expect([page.status, page.headers.get("location")]).toEqual([
      302,
      `${server.origin}/login?next=%2Faccount`,
    ]);
    expect((await fetch(`${other}/healthz`, { redirect: "manual" })).status).toBe(200);
    const posted = await fetch(`${other}/login`, { method: "POST", headers: html, redirect: "manual" });
    expect(posted.status).not.toBe(302);
  });

  test("a foreign name in the Host header leads nowhere", async () => {
    const raw = await rawSocket(server.port);
    raw.write("GET /login HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    const answer = await raw.answer;
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).not.toContain("evil.example");
  });
});

describe("security headers", () => {
  const expected = () => securityHeaders(server.origin);
  const carries = (headers: Headers) =>
    expected().map(([name]): [string, string | null] => [name, headers.get(name)]);

  test.each([
    ["a page", "/login", html],
    ["JSON", "/api/v1/auth/session", {}],
    ["a redirect", "/account", html],
    ["a refusal", "/api/v1/users/me", {}],
    ["a page that is not there", "/nothing", html],
    ["an answer that is not there", "/nothing", {}],
  ])("they are on %s", async (_what, path, headers) => {
    const answer = await server.browser().get(path, { headers });
    expect(carries(answer.headers)).toEqual(expected());
  });

  test.each([
    [
      "431 for headers of 20 KB",
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
      431,
    ],
    ["400 for what is no HTTP", "HELLO\r\n\r\n", 400],
    ["400 for a request without a host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["400 for a host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
    [
      "400 for two lengths",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      400,
    ],
  ])("they are on %s", async (_what, request, status) => {
    const raw = await rawSocket(server.port);
    raw.write(request);
    const answer = await raw.answer;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    const lines = answer.toLowerCase().split("\r\n");
    for (const [name, value] of expected()) {
      expect(lines).toContain(`${name.toLowerCase()}: ${value.toLowerCase()}`);
    }
    expect(answer).toContain('"code":"malformed_request"');
  });

  test("the documentation has the same set", async () => {
    const page = await readFile(new URL("../../docs/security-headers.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `([A-Z][\w-]+)` \| `([^`]+)` \| \S/gm)].map(([, name, value]) => [
      name,
      value,
    ]);
    const documented = rows.filter(
      ([name]) => name !== "MAX_BODY_BYTES" && name !== "REQUEST_TIMEOUT_SECONDS",
    );
    expect(documented).toEqual(securityHeaders("https://app.example"));
  });

  test("browsers are bound to https off loopback only", () => {
    const names = (origin: string) => securityHeaders(origin).map(([name]) => name);
    expect(names("https://app.example")).toContain("Strict-Transport-Security");
    expect(names("https://localhost:3000")).not.toContain("Strict-Transport-Security");
    expect(names("http://localhost:3000")).not.toContain("Strict-Transport-Security");
  });
});

describe("bodies", () => {
  const json = { "Content-Type": "application/json" };
  const large = JSON.stringify({ username: "ann@example.com", password: "a".repeat(70_000) });

  test("one that is declared too large is 413", async () => {
    const answer = await server.browser().send("POST", "/api/v1/auth/login", { body: large, headers: json });
    expect([answer.status, answer.body.code]).toEqual([413, "payload_too_large"]);
  });

  test("one that grows too large without a declared length is 413", async () => {
    const raw = await rawSocket(server.port);
    raw.write(
      "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
        `Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`,
    );
    expect(await raw.answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("one that grows without end is answered before its end", async () => {
    const raw = await rawSocket(server.port);
    raw.write(
      "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    raw.write(`11170\r\n${"a".repeat(0x11170)}\r\n`);
    // Nothing more is sent, and the end of the body never.
    expect(await raw.answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  test("a form of a page that is too large is 413", async () => {
    const form = { username: "ann@example.com", password: "a".repeat(70_000) };
    const answer = await server.browser().send("POST", "/login", { form, headers: html });
    expect(answer.status).toBe(413);
  });

  test("the server goes on after all of that", async () => {
    expect((await server.browser().get("/readyz")).status).toBe(200);
  });
});
