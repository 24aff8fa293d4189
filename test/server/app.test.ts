import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { type Auth, AuthError, createAuth, memory, passwords } from "latchkey";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ServerAppOptions, serverApp } from "../../server/app.ts";
import { createLog, type ServerLog } from "../../server/log.ts";

const origin = "http://localhost:3000";
const html = { Accept: "text/html" };

let auth: Auth;
let log: string;
let serverLog: ServerLog;

beforeEach(() => {
  log = "";
  const destination = { write: (line: string) => (log += line) };
  serverLog = createLog({ level: "debug", destination });
  auth = createAuth({
    origin,
    secrets: ["q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T"],
    stores: memory(),
    features: [passwords()],
    log: serverLog,
    onError(error) {
      serverLog.noteRefusal(error);
      return null;
    },
  });
});

afterEach(() => auth.close());

/** An app whose core throws what it is given. */
function failing(thrown: unknown) {
  const handle = () => Promise.reject(thrown);
  return appWith({ auth: { ...auth, handle } });
}

function appWith(options: Partial<ServerAppOptions> = {}) {
  const app = serverApp({
    auth,
    log: serverLog,
    trustedProxies: [],
    isOriginConfigured: false,
    isStopping: () => false,
    ...options,
  });
  return { request: (url: string, init?: RequestInit) => app.fetch(new Request(new URL(url, origin), init)) };
}

function lines(): Record<string, unknown>[] {
  return log.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
}

describe("Hono's HTTPException", () => {
  function throwing(thrown: () => unknown) {
    const own = new Hono();
    own.use("/behind/*", async (c, next) => {
      c.header("X-Shelf", "7");
      if (c.req.query("closed") !== undefined) throw thrown();
      await next();
    });
    for (const path of ["/bare", "/behind/it"])
      own.get(path, () => {
        throw thrown();
      });
    return appWith({ own });
  }

  test("is answered as it says, with the server's headers, and is no failure of the server", async () => {
    const { request } = throwing(() => new HTTPException(403, { message: "Not on Sundays." }));
    for (const path of ["/bare", "/behind/it", "/behind/it?closed", "/behind/nothing?closed"]) {
      log = "";
      const answer = await request(path, { headers: html });
      expect([path, answer.status, await answer.text()]).toEqual([path, 403, "Not on Sundays."]);
      expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers.get("x-shelf")).toBe(path === "/bare" ? null : "7");
      expect(lines()).toMatchObject([{ level: "info", msg: "request", status: 403 }]);
    }
  });

  test("answers with its own response, whose headers stay", async () => {
    const { request } = throwing(() => {
      const headers = { "WWW-Authenticate": 'Basic realm="shelf"', "Content-Security-Policy": "sandbox" };
      return new HTTPException(401, { res: new Response("Who is it?", { headers }) });
    });
    const answer = await request("/bare");
    expect([answer.status, await answer.text()]).toEqual([401, "Who is it?"]);
    expect(answer.headers.get("www-authenticate")).toBe('Basic realm="shelf"');
    expect(answer.headers.get("content-security-policy")).toBe("sandbox");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("is in the log from 500 on, without its text", async () => {
    const { request } = throwing(() => new HTTPException(502, { message: "hunter2" }));
    const answer = await request("/bare");
    expect([answer.status, await answer.text()]).toEqual([502, "hunter2"]);
    expect(lines().map(({ level, status }) => [level, status])).toEqual([
      ["error", undefined],
      ["info", 502],
    ]);
    expect(log).not.toContain("hunter2");
  });
});

describe("what nobody expected", () => {
  test("is 500 without its text, and in the log without its text", async () => {
    const answer = await failing(new Error("hunter2")).request("/api/v1/users/me");
    expect(answer.status).toBe(500);
    const body = await answer.text();
    expect(JSON.parse(body)).toMatchObject({ code: "internal_error", request_id: expect.any(String) });
    expect(body + log).not.toContain("hunter2");
    expect(lines().map(({ level, msg, cause_name }) => [level, msg, cause_name])).toEqual([
      ["error", "Something went wrong.", "Error"],
      ["info", "request", undefined],
    ]);
  });

  test("is a page for a person, with the id to ask about", async () => {
    const answer = await failing(new Error("hunter2")).request("/anything", { headers: html });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([500, "text/html; charset=utf-8"]);
    const text = await answer.text();
    expect(text).toContain(answer.headers.get("x-request-id"));
    expect(text).not.toContain("hunter2");
  });

  test("carries the security headers", async () => {
    const answer = await failing(new TypeError("x")).request("/x");
    expect(answer.status).toBe(500);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("a refusal that is thrown keeps its status, and is no failure of the server", async () => {
    const answer = await failing(new AuthError("forbidden", { diagnosis: "for the operator" })).request("/x");
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain("for the operator");
    expect(lines()).toEqual([
      expect.objectContaining({
        level: "info",
        code: "forbidden",
        diagnosis: "for the operator",
        status: 403,
      }),
    ]);
  });
});

describe("the line about a request", () => {
  test("has the path without its query, and nothing of its headers and body", async () => {
    await appWith().request("/api/v1/auth/login?token=hunter2&ticket=hunter2", {
      method: "POST",
      headers: {
        Cookie: "latchkey=hunter2",
        Authorization: "Bearer hunter2",
        "Content-Type": "application/json",
      },
      body: JSON.stringify({ username: "hunter2", password: "hunter2" }),
    });
    expect(log).not.toContain("hunter2");
    const line = lines().find(({ msg }) => msg === "request");
    expect(line).toMatchObject({
      method: "POST",
      path: "/api/v1/auth/login",
      status: 401,
      code: "invalid_credentials",
    });
    expect(line?.duration_ms).toEqual(expect.any(Number));
  });

  test("carries the id that the events of the request have, which no client chooses", async () => {
    const requestIds: (string | null)[] = [];
    auth.events.on("csrf.refused", ({ requestId }) => requestIds.push(requestId));
    const headers = {
      Origin: "https://evil.example",
      "X-Request-Id": "chosen",
      "Content-Type": "application/json",
    };
    await appWith().request("/api/v1/auth/login", { method: "POST", headers, body: "{}" });
    const line = lines().find(({ msg }) => msg === "request");
    expect(line).toMatchObject({ code: "origin_rejected", request_id: requestIds[0] });
    expect(requestIds).toEqual([expect.not.stringContaining("chosen")]);
  });

  test("of a page tells its refusal too", async () => {
    const headers = {
      ...html,
      Origin: "https://evil.example",
      "Content-Type": "application/x-www-form-urlencoded",
    };
    await appWith().request("/login", { method: "POST", headers, body: "username=a&password=hunter2" });
    expect(lines()).toEqual([
      expect.objectContaining({ path: "/login", status: 403, code: "origin_rejected" }),
    ]);
  });

  test("is left out at level info for a probe that succeeds", async () => {
    await appWith().request("/healthz");
    expect(lines()).toEqual([expect.objectContaining({ level: "debug", path: "/healthz" })]);
  });
});

describe("another spelling of this machine", () => {
  test.each(["http://127.0.0.1:3000", "http://[::1]:3000", "http://app.localhost:3000"])(
    "%s is sent to the origin",
    async (other) => {
      const answer = await appWith().request(`${other}/reset?token=a.b`, { headers: html });
      expect([answer.status, answer.headers.get("location")]).toEqual([302, `${origin}/reset?token=a.b`]);
    },
  );

  test.each([
    ["a name that is not loopback", "http://evil.example:3000/login", {}],
    ["the origin itself", `${origin}/login`, {}],
    ["a form", "http://127.0.0.1:3000/logout", { method: "POST" }],
  ])("%s is not", async (_what, url, init) => {
    const answer = await appWith().request(url, { headers: html, ...init });
    expect(answer.headers.get("location") ?? "").not.toContain("localhost:3000");
  });

  test("is left alone where the operator named the origin", async () => {
    const answer = await appWith({ isOriginConfigured: true }).request("http://127.0.0.1:3000/login", {
      headers: html,
    });
    expect(answer.status).toBe(200);
  });
});

test("while it stops it is not ready, still answers, and gives its connections up", async () => {
  const app = appWith({ isStopping: () => true });
  const [ready, alive] = [await app.request("/readyz"), await app.request("/healthz")];
  expect([ready.status, alive.status]).toEqual([503, 200]);
  expect(ready.headers.get("retry-after")).toBe("1");
  for (const { headers } of [ready, alive]) expect(headers.get("connection")).toBe("close");
});
