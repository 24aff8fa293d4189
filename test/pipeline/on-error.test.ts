import { describe, expect, test } from "vitest";
import type { AuthError } from "../../src/errors.ts";
import { anyone } from "../../src/guards/guards.ts";
import { bareRequest, readAnswer } from "../support/browser.ts";
import { cookieName, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };
const stale = `${"a".repeat(24)}.${"b".repeat(43)}`;

describe("an answer of onError", () => {
  test("may be a redirect, whose headers nobody can write: handle and protect add theirs all the same", async () => {
    const cors = { origins: ["https://spa.example"] };
    const onError = () => Response.redirect("https://app.example/login", 302);
    const { auth, browser } = world({ onError, cors });
    const visitor = browser();
    const answer = await visitor.get("/api/v1/users/me", { headers: { origin: "https://spa.example" } });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "https://app.example/login"]);
    expect(answer.headers.get("x-request-id")).toMatch(/^[\w-]{36}$/);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://spa.example");
    const handler = auth.protect(() => new Response("in"));
    visitor.jar.set(cookieName, stale);
    const sealed = await readAnswer(await handler(visitor.request("GET", "/x"), client));
    expect([sealed.status, sealed.cookies.length]).toEqual([302, 2]);
  });

  test("may be to a method that a route does not have", async () => {
    const { browser } = world({ onError: () => Response.redirect("https://app.example/", 302) });
    const answer = await browser().send("OPTIONS", "/api/v1/users/me");
    expect([answer.status, answer.headers.get("allow")]).toEqual([302, "GET, PATCH, PUT, DELETE"]);
  });

  test("is a copy: what is sealed for one person is not in the answer to the next", async () => {
    const shared = new Response(null, { status: 418 });
    const { browser } = world({ onError: () => shared });
    const visitor = browser();
    visitor.jar.set(cookieName, stale);
    expect((await visitor.get("/api/v1/users/me")).cookies).toHaveLength(2);
    expect((await browser().get("/api/v1/users/me")).cookies).toEqual([]);
    expect(shared.headers.getSetCookie()).toEqual([]);
  });

  test("is kept by no cache, whatever it says: it would be the answer to whoever comes next", async () => {
    const headers = { "Cache-Control": "public, max-age=60" };
    const { auth, browser } = world({ onError: () => new Response("no", { status: 403, headers }) });
    const answers = [
      await browser().get("/api/v1/users/me"),
      await browser().get("/api/v1/users/me", { headers: { accept: "text/html" } }),
      await auth.protect(() => new Response("in"))(bareRequest({}), client),
      await auth.protect(() => Promise.reject(new Error("own")), anyone())(bareRequest({}), client),
    ];
    for (const { status, headers } of answers)
      expect([status, headers.get("cache-control")]).toEqual([403, "no-store"]);
  });
});

describe("an onError that fails", () => {
  const failures: readonly (readonly [string, () => Response | Promise<Response>])[] = [
    [
      "throws",
      () => {
        throw new Error("boom");
      },
    ],
    ["rejects", () => Promise.reject(new Error("boom"))],
    ["answers what is no answer", () => Response.error()],
    [
      "answers what was sent already",
      async () => {
        const spent = new Response("once");
        await spent.text();
        return spent;
      },
    ],
  ];

  test.each(failures)("leaves the answer to Latchkey, and is logged: it %s", async (_, onError) => {
    const { auth, browser, log } = world({ onError });
    expect(await browser().get("/api/v1/users/me")).toMatchObject({
      status: 401,
      body: { code: "not_authenticated" },
    });
    const closed = auth.protect(() => new Response("in"));
    expect((await closed(bareRequest({}), client)).status).toBe(401);
    const broken = auth.protect(() => Promise.reject(new Error("own")), anyone());
    expect((await broken(bareRequest({}), client)).status).toBe(500);
    expect(log.map(({ message }) => message)).toEqual([
      "onError failed",
      "onError failed",
      "Something went wrong.",
      "onError failed",
    ]);
  });

  test("fails for adapters no more than for us", async () => {
    const { auth, log } = world({
      onError: () => {
        throw new Error("boom");
      },
    });
    const { error } = auth.caught(new Error("own")) as { error: AuthError };
    expect(await auth.onError?.(error, bareRequest({}))).toBeNull();
    expect(log.at(-1)).toMatchObject({ message: "onError failed", fields: { code: "internal_error" } });
    expect(world().auth.onError).toBeNull();
  });
});
