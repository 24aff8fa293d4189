import { describe, expect, test } from "vitest";
import type { Tier } from "../../src/domain/tier.ts";
import { administration } from "../../src/features/administration.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tierLimits } from "../../src/features/tier-limits.ts";
import { operator } from "../../src/flows/acting.ts";
import { changeRights } from "../../src/flows/administration/change-rights.ts";
import { anyone } from "../../src/guards/guards.ts";
import { permission } from "../../src/guards/rights.ts";
import { type FaultPlan, faulty } from "../../src/testing/faulty.ts";
import { backends } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { password, type World, type WorldOptions, world } from "../support/world.ts";

type Limits = Tier["limits"];
const reports: Limits = [{ path: "/reports/*", limit: 2, windowSeconds: 60 }];

interface Scene extends World {
  readonly tiers: ReturnType<typeof tiersOf>;
}

function tiersOf(here: World, feature: ReturnType<typeof administration>) {
  return here.auth.use(feature).operator.tiers;
}

async function scene(options: WorldOptions = {}, settings = {}): Promise<Scene> {
  const feature = administration();
  const features = [tierLimits(settings), feature, ...(options.features ?? [])];
  const here = world({ ...options, features });
  const tiers = tiersOf(here, feature);
  await tiers.create({ name: "pro", limits: reports });
  return Object.assign(here, { tiers });
}

async function inTier(here: World, tier: string | null): Promise<Browser & { readonly userId: string }> {
  const user = await here.plant({ tier });
  const browser = here.browser();
  expect((await browser.post("/api/v1/auth/login", { email: user.email, password })).status).toBe(200);
  return Object.assign(browser, { userId: user.id });
}

/** What a request of an application's gets: its status, and what is left of its limit. */
async function ask(here: World, browser: Browser, path: string): Promise<readonly [number, string | null]> {
  const bound = here.auth.protect(() => new Response("done"));
  const { status, headers } = await bound(browser.request("GET", path), { ip: "192.0.2.1" });
  return [status, headers.get("ratelimit")];
}

describe.each(backends)("limits by tier, on $backend", ({ open }) => {
  test("count the requests of each user to the paths that their tier limits", async () => {
    const here = await scene({ stores: await open() });
    const ana = await inTier(here, "pro");
    const ben = await inTier(here, "pro");
    expect(await ask(here, ana, "/reports/a")).toEqual([200, '"pro";r=1;t=60']);
    expect(await ask(here, ana, "/Reports//b/")).toEqual([200, '"pro";r=0;t=60']);
    expect(await ask(here, ana, "/reports/c?x=1")).toEqual([429, '"pro";r=0;t=60']);
    expect(await ask(here, ana, "/other")).toEqual([200, null]);
    expect(await ask(here, ben, "/reports/a")).toEqual([200, '"pro";r=1;t=60']);
    here.clock.advance(60);
    expect(await ask(here, ana, "/reports/a")).toEqual([200, '"pro";r=1;t=60']);
  });

  test("count a path that routers read in two ways in both: the one that is left does not let on", async () => {
    const here = await scene({ stores: await open() });
    await here.tiers.setLimits("pro", [
      { path: "/reports/*", limit: 1, windowSeconds: 60 },
      { path: "/*", limit: 3, windowSeconds: 60 },
    ]);
    const ana = await inTier(here, "pro");
    expect(await ask(here, ana, "/reports%2Fa")).toEqual([200, '"pro";r=0;t=60, "pro";r=2;t=60']);
    expect((await ask(here, ana, "/reports/a"))[0]).toBe(429);
    expect(await ask(here, ana, "/a")).toEqual([200, '"pro";r=1;t=60']);
    expect((await ask(here, ana, "/reports%2Fa"))[0]).toBe(429);
    expect(await ask(here, ana, "/a")).toEqual([200, '"pro";r=0;t=60']);
  });

  test("hold across processes, under concurrency", async () => {
    const here = await scene({ stores: await open() });
    const there = here.again();
    const ana = await inTier(here, "pro");
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => ask(index % 2 ? here : there, ana, "/reports/a")),
    );
    expect(answers.filter(([status]) => status === 200)).toHaveLength(2);
    expect(answers.filter(([status]) => status === 429)).toHaveLength(10);
  });

  test("that were edited are gone by at once here, and 5 s later in every other process", async () => {
    const here = await scene({ stores: await open() });
    const there = here.again();
    const ana = await inTier(here, "pro");
    expect(await ask(there, ana, "/reports/a")).toEqual([200, '"pro";r=1;t=60']);
    await here.tiers.setLimits("pro", [{ path: "/reports/*", limit: 9, windowSeconds: 60 }]);
    expect(await ask(here, ana, "/reports/a")).toEqual([200, '"pro";r=7;t=60']);
    here.clock.advance(4.999);
    expect((await ask(there, ana, "/reports/a"))[0]).toBe(429);
    here.clock.advance(0.001);
    expect(await ask(there, ana, "/reports/a")).toEqual([200, '"pro";r=6;t=55']);
  });

  test("of a tier that was made a moment ago count at once everywhere", async () => {
    const here = await scene({ stores: await open() });
    const there = here.again();
    const ana = await inTier(here, "pro");
    await ask(there, ana, "/reports/a");
    await here.tiers.create({ name: "free", limits: [{ path: "*", limit: 1, windowSeconds: 10 }] });
    await changeRights(here.services, ana.userId, { tier: "free" }, operator);
    expect(await ask(there, ana, "/anything")).toEqual([200, '"free";r=0;t=10']);
    expect((await ask(here, ana, "/else"))[0]).toBe(429);
  });
});

describe("who is counted", () => {
  test("is a user by whatever proof, and nobody who is not signed in", async () => {
    const keys = apiKeys();
    const here = await scene({ features: [keys] });
    const ana = await inTier(here, "pro");
    const { principal } = await here.auth.authenticate(ana.request("GET", "/"), { ip: null });
    const { key } = await here.auth.use(keys).create(principal, { name: "CI" });
    const bound = here.auth.protect(() => new Response("done"), anyone());
    const byKey = () =>
      bound(new Request("https://app.example/reports/a", { headers: { "X-API-Key": key } }), { ip: null });
    expect((await byKey()).status).toBe(200);
    expect((await ask(here, ana, "/reports/a"))[0]).toBe(200);
    expect((await byKey()).status).toBe(429);
    for (let request = 0; request < 3; request++) {
      const stranger = await bound(here.browser().request("GET", "/reports/a"), { ip: null });
      expect([stranger.status, stranger.headers.get("ratelimit")]).toEqual([200, null]);
    }
  });

  test("is somebody in no tier by limits of their own, where there are any", async () => {
    const here = await scene({}, { withoutTier: [{ path: "*", limit: 1, windowSeconds: 60 }] });
    const ana = await inTier(here, null);
    expect(await ask(here, ana, "/x")).toEqual([200, '"no-tier";r=0;t=60']);
    expect((await ask(here, ana, "/x"))[0]).toBe(429);
    const gone = await inTier(here, "long-gone");
    expect(await ask(here, gone, "/x")).toEqual([200, '"no-tier";r=0;t=60']);
    const free = await scene();
    expect(await ask(free, await inTier(free, null), "/x")).toEqual([200, null]);
  });

  test("can still sign out, see who they are and change their password when nothing is left", async () => {
    const here = await scene();
    await here.tiers.setLimits("pro", [{ path: "*", limit: 1, windowSeconds: 3_600 }]);
    const ana = await inTier(here, "pro");
    expect((await ana.get("/api/v1/users/me/sessions")).status).toBe(200);
    const limited = await ana.get("/api/v1/users/me/sessions");
    expect(limited).toMatchObject({ status: 429, body: { code: "rate_limited" } });
    expect(limited.headers.get("retry-after")).toBe("3600");
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    const change = { current_password: password, new_password: `${password}!` };
    expect((await ana.put("/api/v1/users/me/password", change)).status).toBe(200);
    expect((await ana.post("/api/v1/auth/logout", {})).body).toMatchObject({ ended: true });
  });
});

test("each pattern has a counter of its own, and a tier that was made anew begins anew", async () => {
  const here = await scene();
  const each = (path: string) => ({ path, limit: 1, windowSeconds: 60 });
  await here.tiers.create({ name: "team", limits: [each("/a/*"), each("/b")] });
  const ana = await inTier(here, "team");
  expect((await ask(here, ana, "/a/1"))[0]).toBe(200);
  expect((await ask(here, ana, "/b"))[0]).toBe(200);
  expect((await ask(here, ana, "/a/2"))[0]).toBe(429);
  await changeRights(here.services, ana.userId, { tier: null }, operator);
  await here.tiers.delete("team");
  await here.tiers.create({ name: "team", limits: [each("/a/*")] });
  await changeRights(here.services, ana.userId, { tier: "team" }, operator);
  expect((await ask(here, ana, "/a/2"))[0]).toBe(200);
});

test("what an administrator does in somebody's place is not counted", async () => {
  const here = await scene();
  const ana = await inTier(here, "pro");
  const { email } = await here.plant({ isSuperuser: true });
  const root = here.browser();
  await root.post("/api/v1/auth/login", { email, password });
  expect((await root.post(`/api/v1/users/${ana.userId}/impersonate`, {})).status).toBe(200);
  expect(await ask(here, root, "/reports/a")).toEqual([200, null]);
  expect(await ask(here, ana, "/reports/a")).toEqual([200, '"pro";r=1;t=60']);
});

test("a refused request is an event, and was not asked about by any guard", async () => {
  const here = await scene();
  await here.tiers.setLimits("pro", [{ path: "*", limit: 1, windowSeconds: 60 }]);
  const ana = await inTier(here, "pro");
  await ask(here, ana, "/x");
  const bound = here.auth.protect(() => new Response("done"), permission("a:b"));
  expect((await bound(ana.request("GET", "/x"), { ip: null })).status).toBe(429);
  expect(here.heard("rate_limit.hit")).toMatchObject([{ userId: ana.userId, payload: { limit: "pro" } }]);
  expect(here.heard("permission.denied")).toEqual([]);
});

test("a request costs one reservation and, while the copy is young, no look at the tiers", async () => {
  const here = await scene();
  const ana = await inTier(here, "pro");
  await ask(here, ana, "/reports/a");
  here.recorder.calls.length = 0;
  await ask(here, ana, "/reports/a");
  expect(here.recorder.trace()).toEqual(["sessions.find", "ephemeral.reserve"]);
  here.recorder.calls.length = 0;
  await ask(here, ana, "/other");
  expect(here.recorder.trace()).toEqual(["sessions.find"]);
});

test("without the feature a check looks neither at tiers nor at counters", async () => {
  const here = world();
  const ana = await inTier(here, "pro");
  here.recorder.calls.length = 0;
  expect(await ask(here, ana, "/reports/a")).toEqual([200, null]);
  expect(here.recorder.trace()).toEqual(["sessions.find"]);
});

test.each(["directory", "ephemeral"] as const)(
  "a %s that does not answer is 503, never unlimited",
  async (down) => {
    let isDown = false;
    const plan: FaultPlan = ({ port, method }) =>
      isDown && port === down && ["tiers", "reserve"].includes(method) ? "refuse" : null;
    const here = await scene({ wrap: (stores) => faulty(stores, plan) });
    const ana = await inTier(here, "pro");
    expect((await ask(here, ana, "/reports/a"))[0]).toBe(200);
    here.clock.advance(5);
    isDown = true;
    expect((await ask(here, ana, "/reports/a"))[0]).toBe(503);
    isDown = false;
    expect((await ask(here, ana, "/reports/a"))[0]).toBe(200);
  },
);

test("limits for nobody's tier that cannot be used are a mistake of the programmer", () => {
  const wrong = { withoutTier: [{ path: "reports", limit: 1, windowSeconds: 1 }] };
  expect(() => world({ features: [tierLimits(wrong)] })).toThrow(TypeError);
});
