import { describe, expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { all, any, anyone, signedIn } from "../../src/guards/guards.ts";
import { type RateLimitOptions, rateLimit } from "../../src/guards/rate-limit.ts";
import { permission } from "../../src/guards/rights.ts";
import type { Guard } from "../../src/ports/guard.ts";
import { type FaultPlan, faulty } from "../../src/testing/faulty.ts";
import { backends } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { password, type World, world } from "../support/world.ts";

const twice = { name: "reports", limit: 2, windowSeconds: 60 };

/** Asks a protected route of an application. */
async function ask(here: World, browser: Browser, ...guards: readonly Guard[]): Promise<Response> {
  const bound = here.auth.protect(() => new Response("done"), ...guards);
  return bound(browser.request("GET", "/reports"), { ip: browser.ip });
}

function told(response: Response): readonly (string | null)[] {
  return ["ratelimit-policy", "ratelimit", "retry-after"].map((name) => response.headers.get(name));
}

async function signedInAs(here: World, email: string): Promise<Browser> {
  const browser = here.browser();
  expect((await browser.post("/api/v1/auth/login", { email, password })).status).toBe(200);
  return browser;
}

describe.each(backends)("a limit on requests, on $backend", ({ open }) => {
  test("counts each user for themselves, whatever their address and session, and says what is left", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const other = await signedInAs(here, "ana@example.com");
    other.ip = "198.51.100.7";
    const limited = rateLimit(twice);
    const first = await ask(here, ana, limited);
    expect([first.status, ...told(first)]).toEqual([200, '"reports";q=2;w=60', '"reports";r=1;t=60', null]);
    here.clock.advance(20);
    const second = await ask(here, other, limited);
    expect([second.status, ...told(second)]).toEqual([200, '"reports";q=2;w=60', '"reports";r=0;t=40', null]);
    const third = await ask(here, ana, limited);
    expect([third.status, ...told(third)]).toEqual([429, '"reports";q=2;w=60', '"reports";r=0;t=40', "40"]);
    expect(await third.json()).toMatchObject({ code: "rate_limited" });
    const ben = await here.registered("ben@example.com");
    expect((await ask(here, ben, limited)).status).toBe(200);
    here.clock.advance(40);
    expect(told(await ask(here, ana, limited))[1]).toBe('"reports";r=1;t=60');
  });

  test("is shared by processes", async () => {
    const here = world({ stores: await open() });
    const there = here.again();
    const ana = await here.registered();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => ask(index % 2 ? here : there, ana, rateLimit(twice))),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
  });
});

describe("strangers", () => {
  test("are counted by address where the route is open, IPv6 by its /64", async () => {
    const here = world();
    const guards = [anyone(), rateLimit(twice)];
    const visitor = here.browser();
    visitor.ip = "2001:db8::1";
    const neighbour = here.browser();
    neighbour.ip = "2001:db8::2";
    const far = here.browser();
    far.ip = "2001:db8:1::1";
    expect((await ask(here, visitor, ...guards)).status).toBe(200);
    expect((await ask(here, neighbour, ...guards)).status).toBe(200);
    expect((await ask(here, visitor, ...guards)).status).toBe(429);
    expect((await ask(here, far, ...guards)).status).toBe(200);
  });

  test("are not let on by a limit alone, and use nothing of it up", async () => {
    const here = world();
    const visitor = here.browser();
    for (const guards of [
      [rateLimit(twice)],
      [rateLimit(twice), signedIn()],
      [all(rateLimit(twice))],
      [rateLimit(twice), permission("a:b")],
    ]) {
      const answer = await ask(here, visitor, ...guards);
      expect([answer.status, answer.headers.get("ratelimit")]).toEqual([401, null]);
    }
    expect(here.recorder.calls.map(({ name }) => name)).not.toContain("ephemeral.reserve");
  });

  test("are let on by anyone() beside it, inside all() as well", async () => {
    const here = world();
    expect((await ask(here, here.browser(), all(anyone(), rateLimit(twice)))).status).toBe(200);
    expect((await ask(here, here.browser(), rateLimit(twice), anyone())).status).toBe(200);
  });
});

describe("what shares a counter", () => {
  const requests = async (here: World, browser: Browser, guards: readonly Guard[]) => {
    const statuses: number[] = [];
    for (const guard of guards) statuses.push((await ask(here, browser, guard)).status);
    return statuses;
  };

  test("are guards of one name, and those without one that have the same limit and window", async () => {
    const here = world();
    const ana = await here.registered();
    const plain = { limit: 2, windowSeconds: 60 };
    expect(await requests(here, ana, [plain, plain, plain].map(rateLimit))).toEqual([200, 200, 429]);
    expect(
      await requests(
        here,
        ana,
        [
          { ...plain, name: "a" },
          { ...plain, name: "b" },
        ].map(rateLimit),
      ),
    ).toEqual([...[200, 200]]);
    expect(await requests(here, ana, [rateLimit({ limit: 2, windowSeconds: 61 })])).toEqual([200]);
  });

  test("are a user's session and their keys", async () => {
    const feature = apiKeys();
    const here = world({ features: [feature] });
    const ana = await here.registered();
    const { principal } = await here.auth.authenticate(ana.request("GET", "/"), { ip: null });
    const { key } = await here.auth.use(feature).create(principal, { name: "CI" });
    const byKey = here.auth.protect(() => new Response("done"), rateLimit(twice));
    const request = new Request("https://app.example/reports", { headers: { "X-API-Key": key } });
    expect((await byKey(request, { ip: null })).status).toBe(200);
    expect((await ask(here, ana, rateLimit(twice))).status).toBe(200);
    expect((await byKey(request, { ip: null })).status).toBe(429);
  });
});

describe("several limits on one route", () => {
  test("are all counted and all told, in their order", async () => {
    const here = world();
    const ana = await here.registered();
    const guards = [
      rateLimit({ ...twice, name: "burst" }),
      rateLimit({ limit: 9, windowSeconds: 3_600, name: "day" }),
    ];
    const answer = await ask(here, ana, ...guards);
    expect(told(answer)).toEqual([
      '"burst";q=2;w=60, "day";q=9;w=3600',
      '"burst";r=1;t=60, "day";r=8;t=3600',
      null,
    ]);
  });

  test("that were counted are told whatever another guard says", async () => {
    const here = world();
    const ana = await here.registered();
    const answer = await ask(here, ana, rateLimit(twice), permission("a:b"));
    expect([answer.status, answer.headers.get("ratelimit")]).toEqual([403, '"reports";r=1;t=60']);
    const before = await ask(here, ana, permission("a:b"), rateLimit(twice));
    expect(before.headers.get("ratelimit")).toBeNull();
  });
});

test("a refusal is an event of the user, at most one row for each of many", async () => {
  const here = world();
  const ana = await here.registered();
  for (let request = 0; request < 5; request++) await ask(here, ana, rateLimit(twice));
  expect(here.heard("rate_limit.hit")).toMatchObject(
    Array(3).fill({ userId: ana.userId, payload: { limit: "reports", retryAfterSeconds: 60 } }),
  );
});

test("a store that does not answer is 503, never unlimited", async () => {
  let isDown = false;
  const plan: FaultPlan = ({ port }) => (isDown && port === "ephemeral" ? "refuse" : null);
  const here = world({ wrap: (stores) => faulty(stores, plan) });
  const ana = await here.registered();
  isDown = true;
  expect((await ask(here, ana, rateLimit(twice))).status).toBe(503);
});

test("what a handler does to its session goes out with the limits", async () => {
  const here = world();
  const bound = here.auth.protect(
    async (_, __, session) => {
      await session.set("seen", true);
      return new Response("done");
    },
    anyone(),
    rateLimit(twice),
  );
  const answer = await bound(here.browser().request("POST", "/"), { ip: "192.0.2.1" });
  expect(answer.headers.get("ratelimit")).toBe('"reports";r=1;t=60');
  expect(answer.headers.getSetCookie().length).toBeGreaterThan(0);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test.each<[string, RateLimitOptions]>([
  ["a limit of 0", { limit: 0, windowSeconds: 1 }],
  ["a broken limit", { limit: 1.5, windowSeconds: 1 }],
  ["a window of 0", { limit: 1, windowSeconds: 0 }],
  ["a window of more than 30 days", { limit: 1, windowSeconds: 2_592_001 }],
  ["a name that is no header's", { ...twice, name: 'a"b' }],
  ["an empty name", { ...twice, name: "" }],
])("%s is refused", (_, options) => {
  expect(() => rateLimit(options)).toThrow(TypeError);
});

test("any() does not take a limit: whoever is within it would be let on", () => {
  expect(() => any(permission("a:b"), rateLimit(twice))).toThrow(TypeError);
  expect(() => any(permission("a:b"), all(rateLimit(twice)))).toThrow(TypeError);
});
