import { describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tokens } from "../../src/features/tokens.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { backends } from "../support/backends.ts";
import { type Browser, bareRequest } from "../support/browser.ts";
import { path, route, type TicketWorld, ticketOf, ticketWorld } from "../support/tickets.ts";
import { cookieName, password, type World, type WorldOptions } from "../support/world.ts";

const client = { ip: "192.0.2.10" };

/** What redeeming comes to: the principal, or code and status of the refusal. */
async function redeemed(here: TicketWorld, url: string, headers: Record<string, string> = {}) {
  try {
    const { user, via, sessionId } = await here.tickets.redeem(bareRequest({ url, headers }), client);
    return { user: user.id, via, sessionId };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return { code: error.code, status: error.status };
  }
}

const refused = { code: "token_invalid", status: 401 };

describe.each(backends)("a ticket, on $backend", ({ open }) => {
  test("stands once for who asked for it, at its path", async () => {
    const here = ticketWorld({ stores: await open() });
    const ana = await here.registered();
    const { status, body } = await ana.post(route, { path });
    expect({ status, body }).toEqual({ status: 201, body: { ticket: expect.any(String), expires_in: 30 } });
    const url = `${path}?ticket=${body.ticket}&room=1`;
    const { body: session } = await ana.get("/api/v1/auth/session");
    const principal = { user: ana.userId, via: "ticket", sessionId: session.session_id };
    expect(await redeemed(here, url)).toEqual(principal);
    expect(await redeemed(here, url)).toEqual(refused);
    expect(await here.audit("ticket.issued")).toMatchObject([
      { userId: ana.userId, sessionId: session.session_id },
    ]);
  });

  test("of many that show one at the same time, one gets in", async () => {
    const here = ticketWorld({ stores: await open() });
    const ana = await here.registered();
    const url = `${path}?ticket=${await ticketOf(ana)}`;
    const all = await Promise.all(Array.from({ length: 20 }, () => redeemed(here, url)));
    expect(all.filter((each) => "user" in each)).toHaveLength(1);
    expect(all.filter((each) => "code" in each && each.code === "token_invalid")).toHaveLength(19);
  });

  test("works for 30 seconds", async () => {
    const here = ticketWorld({ stores: await open() });
    const ana = await here.registered();
    const [early, late] = [await ticketOf(ana), await ticketOf(ana)];
    here.clock.advance(29.999);
    expect(await redeemed(here, `${path}?ticket=${early}`)).toMatchObject({ user: ana.userId });
    here.clock.advance(0.001);
    expect(await redeemed(here, `${path}?ticket=${late}`)).toEqual(refused);
  });

  test("at another path is refused, and used up", async () => {
    const here = ticketWorld({ stores: await open() });
    const ana = await here.registered();
    for (const other of ["/other", `${path}/`, `${path}/more`, "/SOCKET", "/%73ocket", `/x/..${path}x`]) {
      const ticket = await ticketOf(ana);
      expect(await redeemed(here, `${other}?ticket=${ticket}`), other).toEqual(refused);
      expect(await redeemed(here, `${path}?ticket=${ticket}`), other).toEqual(refused);
    }
  });

  test.each([
    ["its session ends", (_: World, browser: Browser) => browser.post("/api/v1/auth/logout")],
    ["every session ends", (here: World, _: Browser, userId: string) => here.auth.sessions.revokeAll(userId)],
    [
      "the account is disabled",
      async (here: World, _: Browser, userId: string) => {
        const { version } = await here.user(userId);
        await here.write({ kind: "user.update", userId, version, changes: { status: "disabled" } });
      },
    ],
    [
      "the session expires",
      async (here: World) => here.clock.advance(20),
      { session: { idleSeconds: 10, absoluteSeconds: 10 } },
    ],
  ] as const)("is refused once %s", async (_, end, options: WorldOptions = {}) => {
    const here = ticketWorld({ stores: await open(), ...options });
    const ana = await here.registered();
    const ticket = await ticketOf(ana);
    await end(here, ana, ana.userId);
    expect(await redeemed(here, `${path}?ticket=${ticket}`)).toEqual(refused);
  });
});

describe("asking for a ticket", () => {
  test("is for who is signed in, from this origin, with the CSRF token", async () => {
    const here = ticketWorld();
    const ana = await here.registered();
    expect((await here.browser().post(route, { path })).status).toBe(401);
    expect((await ana.post(route, { path }, { csrf: false })).body.code).toBe("csrf_required");
    const evil = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await ana.post(route, { path }, { headers: evil })).body.code).toBe("origin_rejected");
    expect(here.heard("ticket.issued")).toEqual([]);
  });

  test("needs a path as the address has it", async () => {
    const here = ticketWorld();
    const ana = await here.registered();
    const odd = ["", "socket", "/a?b", "/a#b", "/a/../b", "/a b", "/ü", "/\\x", `/${"x".repeat(512)}`];
    for (const path of [...odd, 7, null, ["/x"], undefined]) {
      const { status, body } = await ana.post(route, { path });
      expect({ status, field: body.errors?.[0]?.field }, String(path)).toEqual({
        status: 400,
        field: "path",
      });
    }
    for (const path of ["/", "/a/b.c", "/%C3%BC", `/${"x".repeat(511)}`])
      expect(await ticketOf(ana, path)).not.toBe("");
  });

  test("is not for a restricted proof, which would be widened", async () => {
    const keys = apiKeys();
    const here = ticketWorld({ features: [keys] });
    const ana = await here.registered();
    const { principal } = await here.auth.authenticate(ana.request("GET", "/x"), client);
    const { key } = await here.auth.use(keys).create(principal, { name: "key" });
    const bare = { "X-API-Key": key, "Sec-Fetch-Site": null, Origin: null };
    const answer = await here.browser().post(route, { path }, { headers: bare });
    expect(answer).toMatchObject({ status: 403, body: { code: "forbidden" } });
  });

  test("with an access token gives one that ends with its session", async () => {
    const here = ticketWorld({ features: [tokens()] });
    const { userId } = await here.registered();
    const { body } = await here.browser().post("/api/v1/auth/token", { email: "ana@example.com", password });
    const headers = { Authorization: `Bearer ${body.access_token}` };
    const ask = async () => (await here.browser().post(route, { path }, { headers })).body.ticket;
    expect(await redeemed(here, `${path}?ticket=${await ask()}`)).toMatchObject({
      user: userId,
      via: "ticket",
    });
    const late = await ask();
    const [kept] = (await here.auth.sessions.list(userId)).filter(({ userAgent }) => userAgent !== null);
    for (const { id } of await here.auth.sessions.list(userId)) await here.auth.sessions.revoke(userId, id);
    expect(kept).toBeDefined();
    expect(await redeemed(here, `${path}?ticket=${late}`)).toEqual(refused);
  });

  test("in a session that its cookie holds gives one that ends with every proof of the user", async () => {
    const here = ticketWorld({ session: { mode: "stateless" } });
    const ana = await here.registered();
    expect(await redeemed(here, `${path}?ticket=${await ticketOf(ana)}`)).toMatchObject({ user: ana.userId });
    const late = await ticketOf(ana);
    await here.auth.sessions.revokeAll(ana.userId);
    expect(await redeemed(here, `${path}?ticket=${late}`)).toEqual(refused);
  });

  test("keeps no secret in the store, in the events or in the audit log", async () => {
    const here = ticketWorld();
    const ana = await here.registered();
    const ticket = await ticketOf(ana);
    const secret = ticket.split(".")[1] ?? "";
    expect(secret).toHaveLength(43);
    const written = JSON.stringify([here.recorder.calls, here.events, await here.audit(), here.log]);
    expect(written).toContain("ticket.issued");
    expect(written).not.toContain(secret);
  });

  test("more than six hundred times in ten minutes is too often", async () => {
    const here = ticketWorld();
    const ana = await here.registered();
    const visit = { request: ana.request("GET", "/x"), client };
    for (let count = 0; count < 600; count++)
      await here.auth.takeFromLimit({ name: "ticket", limit: 600, windowSeconds: 600 }, visit.request, {
        ip: ana.ip,
      });
    expect((await ana.post(route, { path })).status).toBe(429);
  });
});

describe("redeeming a ticket", () => {
  test("asks for exactly one, well formed", async () => {
    const here = ticketWorld();
    const ana = await here.registered();
    const ticket = await ticketOf(ana);
    const [id] = ticket.split(".");
    const urls = ["/", path, `${path}?ticket=`, `${path}?ticket=x`, `${path}?ticket=${id}.${"A".repeat(43)}`];
    for (const url of [
      ...urls,
      `${path}?ticket=${ticket}&ticket=${ticket}`,
      `${path}?Ticket=${ticket}`,
      "::",
    ])
      expect(await redeemed(here, url), url).toEqual(refused);
    expect(await redeemed(here, `wss://app.example${path}?ticket=${ticket}`)).toMatchObject({
      user: ana.userId,
    });
  });

  test("from a page of another origin is refused and spends nothing", async () => {
    const here = ticketWorld({ trustedOrigins: ["https://admin.example"] });
    const ana = await here.registered();
    const url = `${path}?ticket=${await ticketOf(ana)}`;
    for (const origin of [
      "https://evil.example",
      "null",
      "https://app.example.evil.example",
      "http://app.example",
    ])
      expect(await redeemed(here, url, { origin })).toEqual({ code: "origin_rejected", status: 403 });
    expect(await redeemed(here, url, { origin: "https://admin.example" })).toMatchObject({
      user: ana.userId,
    });
  });

  test("counts nothing else that comes along", async () => {
    const here = ticketWorld();
    const [ana, bob] = [await here.registered(), await here.registered("bob@example.com")];
    const cookie = `${cookieName}=${bob.jar.get(cookieName)}`;
    expect(await redeemed(here, path, { cookie })).toEqual(refused);
    const url = `${path}?ticket=${await ticketOf(ana)}`;
    expect(await redeemed(here, url, { cookie })).toMatchObject({ user: ana.userId });
  });

  test("that a store fails is 503", async () => {
    let isDown = false;
    const here = ticketWorld({ wrap: (stores) => faulty(stores, () => (isDown ? "refuse" : null)) });
    const url = `${path}?ticket=${await ticketOf(await here.registered())}`;
    isDown = true;
    expect(await redeemed(here, url)).toEqual({ code: "store_unavailable", status: 503 });
  });
});

test("no token in an address ever authenticates a request", async () => {
  const keys = apiKeys();
  const here = ticketWorld({ features: [keys, tokens()] });
  const ana = await here.registered();
  const { principal } = await here.auth.authenticate(ana.request("GET", "/x"), client);
  const { key } = await here.auth.use(keys).create(principal, { name: "key" });
  const { body } = await ana.post("/api/v1/auth/token", {});
  const ticket = await ticketOf(ana);
  const secrets = [ana.jar.get(cookieName), key, body.access_token, body.refresh_token, ticket].map(String);
  expect(secrets.every((each) => each.length > 40)).toBe(true);
  for (const name of ["token", "access_token", "ticket", "key", "api_key", "session", cookieName]) {
    for (const value of secrets) {
      const url = `/api/v1/users/me?${name}=${encodeURIComponent(value)}`;
      expect((await here.browser().get(url)).status, `${name}=${value.slice(0, 4)}`).toBe(401);
    }
  }
  expect(await redeemed(here, `${path}?ticket=${ticket}`)).toMatchObject({ user: ana.userId });
});
