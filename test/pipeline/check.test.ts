import { describe, expect, test } from "vitest";
import { anyone, guard, skipIfAuthenticated } from "../../src/guards/guards.ts";
import { takeFromLimit } from "../../src/pipeline/limit.ts";
import { bareRequest } from "../support/browser.ts";
import { bearer } from "../support/strategies.ts";
import { cookieName, world } from "../support/world.ts";

const client = { ip: "192.0.2.10", requestId: "r-1" };
const page = { "sec-fetch-mode": "navigate" };

/** A cookie of the right shape that no session has. */
const unknownCookie = `${"a".repeat(24)}.${"b".repeat(43)}`;

describe("a verdict", () => {
  test("lets somebody signed in on, and says who they are and how we know", async () => {
    const { auth, registered, clock } = world();
    const ana = await registered();
    const verdict = await auth.check(ana.request("GET", "/x"), client);
    expect(verdict).toMatchObject({
      ok: true,
      principal: {
        isAuthenticated: true,
        via: "session",
        amr: ["pwd"],
        authTime: clock.now(),
        user: { id: ana.userId },
      },
      change: undefined,
    });
  });

  test("without a guard refuses strangers", async () => {
    const { auth, browser } = world();
    expect(await auth.check(browser().request("GET", "/x"), client)).toMatchObject({
      ok: false,
      error: { code: "not_authenticated", status: 401 },
      change: undefined,
    });
  });

  test("with anyone() lets strangers on", async () => {
    const { auth, browser } = world();
    expect(await auth.check(browser().request("GET", "/x"), client, anyone())).toMatchObject({
      ok: true,
      principal: { isAuthenticated: false, via: "anonymous" },
    });
  });

  test("of a stale cookie is session_expired where the route is guarded, with the change that clears it", async () => {
    const { auth, browser } = world();
    const stranger = browser();
    stranger.jar.set(cookieName, unknownCookie);
    expect(await auth.check(stranger.request("GET", "/x"), client)).toMatchObject({
      ok: false,
      error: { code: "session_expired", status: 401 },
      change: { session: "clear" },
    });
    expect(await auth.check(stranger.request("GET", "/x"), client, anyone())).toMatchObject({
      ok: true,
      principal: { isAuthenticated: false },
      change: { session: "clear" },
    });
  });

  test("a refusal for another reason keeps its code beside a stale cookie", async () => {
    const { auth, browser } = world();
    const stranger = browser();
    stranger.jar.set(cookieName, unknownCookie);
    const closed = {
      ...anyone(),
      decide: () => ({ allow: false, code: "not_found", because: "closed" }) as const,
    };
    expect(await auth.check(stranger.request("GET", "/x"), client, closed)).toMatchObject({
      ok: false,
      error: { code: "not_found" },
    });
  });

  test("carries what the guard said, for the person and for the operator", async () => {
    const { auth, registered } = world();
    const ana = await registered();
    const owner = guard("owner", () => ({
      allow: false,
      code: "not_found",
      because: "of bob",
      message: "No such page.",
    }));
    const verdict = await auth.check(ana.request("GET", "/x"), client, owner);
    expect(verdict.ok === false && verdict.error).toMatchObject({
      code: "not_found",
      message: "No such page.",
      diagnosis: "owner: of bob",
    });
  });

  test("of a guard that throws is a failure, told to the operator", async () => {
    const { auth, registered, log } = world();
    const ana = await registered();
    const broken = guard("broken", () => {
      throw new Error("secret inside");
    });
    const verdict = await auth.check(ana.request("GET", "/x"), client, broken);
    expect(verdict).toMatchObject({
      ok: false,
      error: { code: "internal_error", message: "Something went wrong." },
    });
    expect(log).toMatchObject([{ level: "error", cause: new Error("secret inside") }]);
  });

  test("a refusal is nothing for the operator's log", async () => {
    const { auth, browser, log } = world();
    await auth.check(browser().request("GET", "/x"), client);
    expect(log).toEqual([]);
  });
});

describe("a denied permission", () => {
  test("is an event, with method, path, guard and reason", async () => {
    const { auth, registered, heard, audit } = world();
    const ana = await registered();
    const admin = guard("admin", () => false);
    await auth.check(ana.request("GET", "/admin/users?token=x"), client, admin);
    const [event] = heard("permission.denied");
    expect(event).toMatchObject({
      userId: ana.userId,
      requestId: "r-1",
      ip: "192.0.2.10",
      payload: { method: "GET", path: "/admin/users", because: "admin: not admin" },
    });
    expect(event?.sessionId).toMatch(/^\w{24}$/);
    expect(await audit("permission.denied")).toHaveLength(1);
  });

  test("is none where a stranger is refused, where nothing is forbidden or where the person is sent on", async () => {
    const { auth, registered, browser, heard } = world();
    const ana = await registered();
    const hidden = guard("hidden", () => ({ allow: false, code: "not_found", because: "" }));
    const closed = {
      ...anyone(),
      decide: () => ({ allow: false, code: "forbidden", because: "closed" }) as const,
    };
    await auth.check(browser().request("GET", "/x"), client);
    await auth.check(browser().request("GET", "/x"), client, closed);
    await auth.check(ana.request("GET", "/x"), client, hidden);
    await auth.check(ana.request("GET", "/x"), client, skipIfAuthenticated("/app"));
    expect(heard("permission.denied")).toEqual([]);
  });

  test("keeps at most 200 characters of the path", async () => {
    const { auth, registered, heard } = world();
    const ana = await registered();
    await auth.check(
      ana.request("GET", `/${"x".repeat(500)}`),
      client,
      guard("no", () => false),
    );
    expect(heard("permission.denied")[0]?.payload.path).toHaveLength(200);
  });
});

describe("a page request", () => {
  test("of a stranger is sent to sign in, and back", async () => {
    const { auth, browser } = world();
    expect(
      await auth.check(browser().request("GET", "/account?tab=2", { headers: page }), client),
    ).toMatchObject({
      ok: false,
      redirect: "/login?next=%2Faccount%3Ftab%3D2",
    });
  });

  test("goes where the guard sends it", async () => {
    const { auth, registered } = world();
    const ana = await registered();
    expect(
      await auth.check(ana.request("GET", "/login", { headers: page }), client, skipIfAuthenticated("/app")),
    ).toMatchObject({
      ok: false,
      redirect: "/app",
    });
  });

  test("that is forbidden is sent nowhere", async () => {
    const { auth, registered } = world();
    const ana = await registered();
    const verdict = await auth.check(
      ana.request("GET", "/x", { headers: page }),
      client,
      guard("no", () => false),
    );
    expect(verdict.ok === false && verdict.redirect).toBe(undefined);
  });

  test("is what a request for JSON is not", async () => {
    const { auth, browser, registered } = world();
    const ana = await registered();
    const strangers = await auth.check(browser().request("GET", "/account"), client);
    expect(strangers.ok === false && strangers.redirect).toBe(undefined);
    const sentOn = await auth.check(ana.request("GET", "/login"), client, skipIfAuthenticated("/app"));
    expect(sentOn.ok === false && sentOn.redirect).toBe(undefined);
  });
});

describe("a limit by address", () => {
  const limit = { name: "register", limit: 2, windowSeconds: 60 };
  const request = bareRequest({ method: "POST", url: "/x" });

  test("is taken before anybody is recognised, and says when to try again", async () => {
    const { services, clock, heard, audit } = world();
    const take = (ip: string | null) =>
      takeFromLimit(services, limit, request, { ip }).then(
        () => "ok",
        (error) => error,
      );
    expect([await take("192.0.2.1"), await take("192.0.2.1")]).toEqual(["ok", "ok"]);
    clock.advance(20);
    expect(await take("192.0.2.1")).toMatchObject({ code: "rate_limited", retryAfterSeconds: 40 });
    expect(await take("192.0.2.2")).toBe("ok");
    clock.advance(40);
    expect(await take("192.0.2.1")).toBe("ok");
    expect(heard("rate_limit.hit")).toMatchObject([
      { ip: "192.0.2.1", payload: { limit: "register", retryAfterSeconds: 40 } },
    ]);
    expect(await audit("rate_limit.hit")).toHaveLength(1);
  });

  test("counts an IPv6 /64 as one address, and those without an address together", async () => {
    const { services } = world();
    const take = (ip: string | null) =>
      takeFromLimit(services, limit, request, { ip }).then(
        () => "ok",
        ({ code }) => code,
      );
    expect([await take("2001:db8::1"), await take("2001:db8::2:2"), await take("2001:db8::3")]).toEqual([
      "ok",
      "ok",
      "rate_limited",
    ]);
    expect(await take("2001:db8:0:1::1")).toBe("ok");
    expect([await take(null), await take(null), await take(null)]).toEqual(["ok", "ok", "rate_limited"]);
  });

  test.each([
    ["an IPv6 /48", (index: number) => `2001:db8:7:${index.toString(16)}::1`, "2001:db8:8::1"],
    ["an IPv4 /24", (index: number) => `192.0.2.${index}`, "192.0.3.1"],
  ])("gives %s as much as twenty clients in it have", async (_, ip, elsewhere) => {
    const { services, heard } = world();
    const take = (address: string) =>
      takeFromLimit(services, limit, request, { ip: address }).then(
        () => "ok",
        ({ code }) => code,
      );
    for (let index = 0; index < 40; index++) expect(await take(ip(index))).toBe("ok");
    expect([await take(ip(40)), await take(elsewhere)]).toEqual(["rate_limited", "ok"]);
    expect(heard("rate_limit.hit")[0]?.payload.limit).toBe("register_subnet");
  });

  test("is taken only where a route names one, and before the session is read", async () => {
    const { browser, recorder } = world();
    const visitor = browser();
    visitor.jar.set(cookieName, unknownCookie);
    await visitor.get("/api/v1/auth/session");
    expect(recorder.trace()).toEqual(["sessions.find"]);
    recorder.calls.length = 0;
    visitor.jar.set(cookieName, unknownCookie);
    await visitor.post("/api/v1/auth/register", {});
    expect(recorder.trace().slice(0, 2)).toEqual(["ephemeral.reserve", "sessions.find"]);
  });

  test("of 100 registrations an hour holds for one address, sent at once or not", async () => {
    const { browser } = world();
    const answers = await Promise.all(
      Array.from({ length: 103 }, () => browser().post("/api/v1/auth/register", {})),
    );
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(3);
    expect(answers.find(({ status }) => status === 429)?.headers.get("retry-after")).toBe("3600");
    const elsewhere = browser();
    elsewhere.ip = "198.51.100.7";
    expect((await elsewhere.post("/api/v1/auth/register", {})).status).toBe(400);
  });
});

test("a 401 names every configured scheme once", async () => {
  const base = world();
  const { browser } = base.again({
    strategies: [bearer(base.make.user()), bearer(base.make.user(), { ambient: true })],
  });
  const { status, headers } = await browser().get("/api/v1/users/me");
  expect(status).toBe(401);
  expect(headers.get("www-authenticate")).toBe("Test, Cookie");
});
