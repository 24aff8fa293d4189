import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { type Context, Hono } from "hono";
import { describe, expect, test } from "vitest";
import { hono } from "../../src/adapters/hono.ts";
import { node } from "../../src/adapters/node.ts";
import { formatApiKey, mintApiKey, parseApiKey } from "../../src/domain/api-key-text.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tokens } from "../../src/features/tokens.ts";
import { anyone, via } from "../../src/guards/guards.ts";
import { rateLimit } from "../../src/guards/rate-limit.ts";
import type { Visit } from "../../src/ports/visit.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { testRandom } from "../../src/testing/random.ts";
import { type ApiKeyWorld, apiKeyWorld, notingReads } from "../support/api-keys.ts";
import { backends } from "../support/backends.ts";
import { bareRequest } from "../support/browser.ts";
import { password, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };

/** What `check` says of a request with these headers, on a public route. */
async function asked(
  here: ApiKeyWorld,
  headers: Readonly<Record<string, string>>,
  method = "GET",
  from = client,
) {
  here.recorder.calls.length = 0;
  const verdict = await here.auth.check(bareRequest({ method, url: "/x?y", headers }), from, anyone());
  const calls = here.recorder.trace();
  return verdict.ok
    ? { user: verdict.principal.user?.id ?? null, principal: verdict.principal, calls }
    : { code: verdict.error.code, message: verdict.error.message, error: verdict.error, calls };
}

/** The text with another secret, and a checksum that fits. */
function withOtherSecret(text: string): string {
  const parsed = parseApiKey(text);
  if (parsed === null) throw new Error("no key");
  const secret = (parsed.secret.startsWith("a") ? "b" : "a") + parsed.secret.slice(1);
  return formatApiKey({ ...parsed, secret });
}

describe.each(backends)("an API key, on $backend", ({ open }) => {
  test("is recognised by one read and no write", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key, id, createdAt } = await here.key({ permissions: ["invoice:read"] });
    here.clock.advance(60);
    const { principal, calls } = await asked(here, { "x-api-key": key });
    expect(calls).toEqual(["directory.apiKey"]);
    expect(principal).toMatchObject({
      user: { id: here.ana.id },
      via: "api-key",
      amr: [],
      authTime: createdAt,
      sessionId: null,
      scopes: ["invoice:read"],
    });
    await here.settle();
    expect(here.recorder.trace()).toEqual(["directory.apiKey"]);
    expect(here.recorder.calls[0]?.args).toEqual([id]);
  });

  test("is understood as a bearer token, whatever the case of the scheme", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key } = await here.key();
    for (const authorization of [`Bearer ${key}`, `bearer ${key}`, `BEARER  ${key}`])
      expect(await asked(here, { authorization })).toMatchObject({ user: here.ana.id });
  });

  test("does what it may and its owner may, as of now", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key } = await here.key({ permissions: ["invoice:read", "invoice:write"] });
    const { version } = await here.user(here.ana.id);
    const changes = { permissions: ["invoice:read", "user:read"] };
    await here.write({ kind: "user.update", userId: here.ana.id, version, changes });
    const { principal } = await asked(here, { "x-api-key": key });
    if (principal === undefined) throw new Error("refused");
    const held = ["invoice:read", "invoice:write", "user:read"].map((each) =>
      here.auth.hasPermission(principal, each),
    );
    expect(held).toEqual([true, false, false]);
  });

  test("of a superuser does no more than it may", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const root = await here.plant({ isSuperuser: true });
    const { key } = await here.keys.create(here.principal(root), { name: "x", permissions: ["a:b"] });
    const { principal } = await asked(here, { "x-api-key": key });
    if (principal === undefined) throw new Error("refused");
    expect(["a:b", "a:c"].map((each) => here.auth.hasPermission(principal, each))).toEqual([true, false]);
  });

  test("that cannot be used is refused in one voice, also on a public route; the event tells why", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const expiring = await here.key({ expiresAt: new Date(here.clock.now().getTime() + 1_000) });
    const bound = await here.key({ allowedIps: ["198.51.100.0/24"] });
    const good = await here.key();
    const gone = await here.plant({ permissions: [] });
    const orphan = await here.keys.create(here.principal(gone), { name: "orphan" });
    await here.write({ kind: "user.update", userId: gone.id, version: 2, changes: { status: "disabled" } });
    here.clock.advance(1);
    const random = testRandom("unknown");
    const unknown = formatApiKey(mintApiKey("live", (length) => random.bytes(length)));
    const owner = here.ana.id;
    for (const [text, reason, keyId, userId] of [
      [unknown, "unknown", null, null],
      [withOtherSecret(good.key), "secret", good.id, owner],
      [expiring.key, "expired", expiring.id, owner],
      [bound.key, "address", bound.id, owner],
      [orphan.key, "owner", orphan.id, gone.id],
    ] as const) {
      here.events.length = 0;
      expect(await asked(here, { "x-api-key": text })).toMatchObject({
        code: "not_authenticated",
        message: "The API key cannot be used.",
        calls: ["directory.apiKey"],
      });
      expect(here.heard("api_key.refused")).toMatchObject([
        { userId, payload: { keyId, reason, suppressed: 0 }, ip: client.ip },
      ]);
    }
    expect(await here.audit("api_key.refused")).toHaveLength(5);
    expect(await asked(here, { "x-api-key": good.key })).toMatchObject({ user: owner });
  });

  test("that cannot be one is refused before any look-up", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key } = await here.key();
    const parsed = parseApiKey(key);
    if (parsed === null) throw new Error("no key");
    for (const [text, reason] of [
      [`${key.slice(0, -1)}${key.endsWith("a") ? "b" : "a"}`, "malformed"],
      ["x", "malformed"],
      [`${key}, ${key}`, "malformed"],
      [formatApiKey({ ...parsed, environment: "test" }), "environment"],
    ] as const) {
      here.events.length = 0;
      const answer = await asked(here, { "x-api-key": text });
      expect(answer).toMatchObject({ code: "not_authenticated", calls: [] });
      expect(here.heard("api_key.refused")).toMatchObject([
        { userId: null, payload: { keyId: null, reason } },
      ]);
    }
    expect(await asked(here, { authorization: "Bearer lk_live_x" })).toMatchObject({ calls: [] });
  });

  test("dies with its expiry, to the millisecond", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key } = await here.key({ expiresAt: new Date(here.clock.now().getTime() + 1_000) });
    here.clock.advance(0.999);
    expect(await asked(here, { "x-api-key": key })).toMatchObject({ user: here.ana.id });
    here.clock.advance(0.001);
    expect(await asked(here, { "x-api-key": key })).toMatchObject({ code: "not_authenticated" });
  });

  test("is used from the addresses that it was made for, in any spelling", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const allowedIps = ["198.51.100.0/24", "2001:db8::/32", "fe80::/10"];
    const { key } = await here.key({ allowedIps });
    const from = async (ip: string | null) =>
      (await here.auth.check(bareRequest({ headers: { "x-api-key": key } }), { ip })).ok;
    for (const ip of [
      "198.51.100.9",
      "::ffff:198.51.100.9",
      "::ffff:c633:6409",
      "2001:DB8:1::1",
      "fe80::1%eth0",
    ])
      expect([ip, await from(ip)]).toEqual([ip, true]);
    for (const ip of ["198.51.101.9", "::ffff:198.51.101.9", "::198.51.100.9", "2001:db9::1", "x", null])
      expect([ip, await from(ip)]).toEqual([ip, false]);
  });
});

describe("an API key", () => {
  test("that is not there costs no call", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key();
    const foreign: readonly Readonly<Record<string, string>>[] = [
      {},
      { "x-api-key": "" },
      { authorization: "Bearer x.y.z" },
      { authorization: `Basic ${key}` },
      { authorization: key },
      { "x-key": key },
      { cookie: `x-api-key=${key}` },
    ];
    for (const headers of foreign)
      expect(await asked(here, headers)).toMatchObject({ user: null, calls: [] });
  });

  test("in the header of a set-up's choice is found there alone", async () => {
    const here = await apiKeyWorld({}, { header: "X-Service-Key", environment: "staging" });
    const { key } = await here.key();
    expect(key).toMatch(/^lk_staging_/);
    expect(await asked(here, { "x-service-key": key })).toMatchObject({ user: here.ana.id });
    expect(await asked(here, { "x-api-key": key })).toMatchObject({ user: null });
  });

  test("needs no CSRF token: no browser sends it by itself", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key();
    const headers = { "x-api-key": key, "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    expect(await asked(here, headers, "POST")).toMatchObject({ user: here.ana.id });
  });

  test("comes before a session cookie, and a bad one is not made good by it", async () => {
    const here = await apiKeyWorld();
    const browser = here.browser();
    await browser.post("/api/v1/auth/register", {
      email: "eve@example.com",
      password: "correct horse battery",
    });
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const { key } = await here.key();
    expect(await asked(here, { cookie, "x-api-key": key })).toMatchObject({ user: here.ana.id });
    const bad = await asked(here, { cookie, "x-api-key": withOtherSecret(key) });
    expect(bad).toMatchObject({ code: "not_authenticated" });
  });

  test("of a directory that does not answer is 503, and never nobody's", async () => {
    const state = { isDown: false };
    const here = await apiKeyWorld({
      wrap: (stores) =>
        faulty(stores, ({ method }) => (state.isDown && method === "apiKey" ? "refuse" : null)),
    });
    const { key } = await here.key();
    state.isDown = true;
    expect(await asked(here, { "x-api-key": key })).toMatchObject({ code: "store_unavailable" });
  });

  test("is read through where something is to be changed", async () => {
    const { calls, wrap } = notingReads("apiKey");
    const here = await apiKeyWorld({ wrap });
    const { key } = await here.key();
    await asked(here, { "x-api-key": key });
    await asked(here, { "x-api-key": key }, "POST");
    expect(calls).toEqual([undefined, true]);
  });

  test("makes its refusals known twenty times a minute for one client, however often it is tried", async () => {
    const here = await apiKeyWorld();
    for (let index = 0; index < 50; index++) await asked(here, { "x-api-key": "x" });
    expect(here.heard("api_key.refused")).toHaveLength(50);
    expect(await here.audit("api_key.refused")).toHaveLength(20);
  });

  test("names itself in the challenge of a 401", async () => {
    const here = await apiKeyWorld();
    const { headers } = await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": "x" } });
    expect(headers.get("www-authenticate")).toContain("Bearer");
  });
});

describe("the ways to prove who one is, side by side", () => {
  test("each opens its own endpoint, and those that leave the choice", async () => {
    const token = tokens();
    const here = await apiKeyWorld({ features: [token] });
    const browser = here.browser();
    await browser.post("/api/v1/auth/login", { email: "ana@example.com", password });
    const cookie = [...browser.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const { accessToken } = await here.auth.use(token).issue(here.ana.id);
    const { key } = await here.key();
    const proofs = {
      session: { cookie },
      jwt: { authorization: `Bearer ${accessToken}` },
      "api-key": { authorization: `Bearer ${key}` },
    };
    const endpoints = {
      session: [via("session")],
      jwt: [via("jwt")],
      "api-key": [via("api-key")],
      programs: [via("jwt", "api-key")],
      all: [],
    };
    const opened: Record<string, readonly string[]> = {};
    for (const [endpoint, guards] of Object.entries(endpoints)) {
      const bound = here.auth.protect((_, principal) => new Response(principal.via), ...guards);
      const answers = Object.entries(proofs).map(async ([name, headers]) => {
        const response = await bound(new Request(`${here.origin}/x`, { headers }), client);
        expect([200, 401]).toContain(response.status);
        if (response.status === 200) expect(await response.text()).toBe(name);
        return response.status === 200 ? [name] : [];
      });
      opened[endpoint] = (await Promise.all(answers)).flat();
    }
    expect(opened).toEqual({
      session: ["session"],
      jwt: ["jwt"],
      "api-key": ["api-key"],
      programs: ["jwt", "api-key"],
      all: ["session", "jwt", "api-key"],
    });
  });
});

describe("the limits of an API key", () => {
  test("are its own: none is hidden, and one without any takes from no counter", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key();
    for (let index = 0; index < 200; index++)
      expect(await asked(here, { "x-api-key": key })).toMatchObject({ calls: ["directory.apiKey"] });
  });

  test("count a request once, whatever looks at it: a guard, and then a flow by its visit", async () => {
    const here = await apiKeyWorld();
    const headers = { "x-api-key": (await here.key({ limits: { perMinute: 2 } })).key };
    const open = ({ request, client }: Visit) => here.auth.check(request, client);
    const message = () =>
      Object.assign(new IncomingMessage(new Socket()), { method: "GET", url: "/", headers });
    const viewsOf: Record<string, () => Promise<[Visit, Visit]>> = {
      async node() {
        const [{ visit }, incoming] = [node(here.auth), message()];
        return [visit(incoming), visit(incoming)];
      },
      async hono() {
        const { visit } = hono<Context>(here.auth);
        let views: [Visit, Visit] | null = null;
        const app = new Hono().get("/", (context) => {
          views = [visit(context), visit(context)];
          return context.text("");
        });
        await app.request("/", { headers });
        return views ?? Promise.reject(new Error("no request came"));
      },
    };
    for (const views of Object.values(viewsOf)) {
      const [one, other] = await views();
      expect([(await open(one)).ok, (await open(other)).ok]).toEqual([true, true]);
    }
    expect(await open((await viewsOf.node?.())?.[0] as Visit)).toMatchObject({
      error: { code: "rate_limited" },
    });
  });

  test("hold for each minute and each day", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key({ limits: { perMinute: 2, perDay: 3 } });
    const use = () => asked(here, { "x-api-key": key });
    expect(await use()).toMatchObject({
      user: here.ana.id,
      calls: ["directory.apiKey", "ephemeral.reserve"],
    });
    expect(await use()).toMatchObject({ user: here.ana.id });
    expect((await use()).error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 60 });
    here.clock.advance(60);
    expect(await use()).toMatchObject({ user: here.ana.id });
    expect((await use()).error).toMatchObject({ code: "rate_limited", retryAfterSeconds: 86_340 });
    here.clock.advance(86_340);
    expect(await use()).toMatchObject({ user: here.ana.id });
    expect(here.heard("rate_limit.hit")).toMatchObject([
      { userId: here.ana.id, payload: { limit: "api-key", retryAfterSeconds: 60 } },
      { payload: { retryAfterSeconds: 86_340 } },
    ]);
  });

  test.each(backends)("are never passed, however many race, on $backend", async ({ open }) => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key } = await here.key({ limits: { perMinute: 7 } });
    const headers = { "x-api-key": key };
    const checks = Array.from({ length: 40 }, () => here.auth.check(bareRequest({ headers }), client));
    const verdicts = await Promise.all(checks);
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(7);
  });

  test("are taken from by who has the secret alone", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key({ limits: { perDay: 1 } });
    expect(await asked(here, { "x-api-key": withOtherSecret(key) })).toMatchObject({
      calls: ["directory.apiKey"],
    });
    expect(await asked(here, { "x-api-key": key })).toMatchObject({ user: here.ana.id });
  });

  test("count a request once, however often it is asked who it is from", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key({ limits: { perDay: 2 } });
    const browser = here.browser();
    // The route asks, and so does the flow that changes the profile.
    const patch = () => browser.patch("/api/v1/users/me", { name: "Eve" }, { headers: { "X-API-Key": key } });
    expect([(await patch()).status, (await patch()).status]).toEqual([403, 403]);
    const third = await patch();
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "86400"]);
  });

  test("refuse a request again that they have refused, however often it is asked who it is from", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key({ limits: { perDay: 1 } });
    const headers = { "x-api-key": key };
    expect(await asked(here, headers)).toMatchObject({ user: here.ana.id });
    const late = bareRequest({ headers });
    for (let times = 0; times < 3; times++) {
      const verdict = await here.auth.check(late, client, anyone());
      expect(verdict).toMatchObject({ ok: false, error: { code: "rate_limited" } });
    }
  });

  test("that could not be counted once are asked again: no request rides on the failure", async () => {
    let isDown = false;
    const here = await apiKeyWorld({
      wrap: (stores) => faulty(stores, ({ method }) => (isDown && method === "reserve" ? "refuse" : null)),
    });
    const { key } = await here.key({ limits: { perDay: 1 } });
    const headers = { "x-api-key": key };
    const failed = bareRequest({ headers });
    isDown = true;
    for (let times = 0; times < 2; times++) {
      const verdict = await here.auth.check(failed, client, anyone());
      expect(verdict).toMatchObject({ ok: false, error: { code: "store_unavailable" } });
    }
    isDown = false;
    expect(await asked(here, headers)).toMatchObject({ user: here.ana.id });
    const late = await here.auth.check(failed, client, anyone());
    expect(late).toMatchObject({ ok: false, error: { code: "rate_limited" } });
  });

  test("are told in each answer that they let through, beside those of the route", async () => {
    const here = await apiKeyWorld();
    const { key } = await here.key({ limits: { perMinute: 2, perDay: 9 } });
    const bound = here.auth.protect(
      () => new Response("done"),
      rateLimit({ limit: 5, windowSeconds: 60, name: "route" }),
    );
    const use = () =>
      bound(new Request("https://app.example/", { headers: { "x-api-key": key } }), { ip: null });
    const told = ({ headers }: Response) => [headers.get("ratelimit-policy"), headers.get("ratelimit")];
    expect(told(await use())).toEqual([
      '"key-minute";q=2;w=60, "key-day";q=9;w=86400, "route";q=5;w=60',
      '"key-minute";r=1;t=60, "key-day";r=8;t=86400, "route";r=4;t=60',
    ]);
    here.clock.advance(59);
    expect(told(await use())[1]).toBe('"key-minute";r=0;t=1, "key-day";r=7;t=86341, "route";r=3;t=1');
    expect((await use()).status).toBe(429);
    const unlimited = await here.key();
    const free = new Request("https://app.example/", { headers: { "x-api-key": unlimited.key } });
    const plain = here.auth.protect(() => new Response("done"));
    expect(told(await plain(free, { ip: null }))).toEqual([null, null]);
  });

  test("that cannot be counted are 503, and never unlimited", async () => {
    const here = await apiKeyWorld({
      wrap: (stores) => faulty(stores, ({ method }) => (method === "reserve" ? "refuse" : null)),
    });
    const { key } = await here.key({ limits: { perDay: 2 } });
    expect(await asked(here, { "x-api-key": key })).toMatchObject({ code: "store_unavailable" });
  });
});

test.each([
  { environment: "" },
  { environment: "LIVE" },
  { environment: "a_b" },
  { header: "" },
  { header: "Authorization" },
  { header: "cookie" },
  { header: "X API Key" },
])("settings that cannot be used do not start: %j", (settings) => {
  expect(() => world({ features: [apiKeys(settings)] })).toThrow(TypeError);
});
