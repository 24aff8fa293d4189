import { describe, expect, test } from "vitest";
import { backends } from "../support/backends.ts";
import { bareRequest } from "../support/browser.ts";
import { cookieName, type World, type WorldOptions, world } from "../support/world.ts";

const home = { ip: "192.0.2.10", userAgent: "ExampleBrowser/1.0" };

/** Who the cookie of a browser is, sent from elsewhere. */
async function from(
  { auth }: World,
  jar: ReadonlyMap<string, string>,
  { ip, userAgent }: { readonly ip: string | null; readonly userAgent: string | null },
  mode = "navigate",
) {
  const agent: Record<string, string> = userAgent === null ? {} : { "user-agent": userAgent };
  const headers = { cookie: `${cookieName}=${jar.get(cookieName)}`, "sec-fetch-mode": mode, ...agent };
  const { principal, change } = await auth.authenticate(bareRequest({ headers }), { ip });
  return { user: principal.user?.id ?? null, change };
}

const clear = { session: "clear" };

describe.each(backends)("a session bound to its browser, on $backend", ({ open }) => {
  const start = async (binding: "off" | "user-agent" | "ip+user-agent", more: WorldOptions = {}) =>
    world({ stores: await open(), session: { binding }, ...more });

  test("works from that browser, wherever it is", async () => {
    const here = await start("user-agent");
    const ana = await here.registered();
    expect(await from(here, ana.jar, home)).toEqual({ user: ana.userId, change: undefined });
    expect(await from(here, ana.jar, { ...home, ip: "198.51.100.1" })).toMatchObject({ user: ana.userId });
  });

  test("is absent and cleared in another, with an event, and goes on in its own", async () => {
    const here = await start("user-agent");
    const ana = await here.registered();
    for (const userAgent of ["Other/2.0", "ExampleBrowser/1.01", "", null])
      expect(await from(here, ana.jar, { ...home, userAgent })).toEqual({ user: null, change: clear });
    const [row] = await here.audit("session.refused");
    expect(row?.userId).toBe(ana.userId);
    expect(JSON.parse(row?.payload ?? "")).toEqual({ reason: "user_agent", suppressed: 0 });
    expect(here.heard("session.refused")).toHaveLength(4);
    expect(await from(here, ana.jar, home)).toMatchObject({ user: ana.userId });
  });

  test("of browser and address is absent from another address", async () => {
    const here = await start("ip+user-agent");
    const ana = await here.registered();
    expect(await from(here, ana.jar, home)).toMatchObject({ user: ana.userId });
    for (const ip of ["192.0.2.11", "2001:db8::1", null])
      expect(await from(here, ana.jar, { ...home, ip })).toEqual({ user: null, change: clear });
    expect(await from(here, ana.jar, { ...home, userAgent: "Other/2.0" })).toMatchObject({ user: null });
    expect(here.heard("session.refused").map(({ payload }) => payload.reason)).toEqual([
      "ip",
      "ip",
      "ip",
      "user_agent",
    ]);
  });

  test("is bound to a subscriber's network where addresses are IPv6", async () => {
    const here = await start("ip+user-agent");
    const ana = here.browser();
    ana.ip = "2001:db8:1:2::a";
    await ana.post("/api/v1/auth/register", {
      email: "ana@example.com",
      password: "correct horse battery staple",
    });
    expect((await from(here, ana.jar, { ...home, ip: "2001:db8:1:2::b" })).user).not.toBeNull();
    expect((await from(here, ana.jar, { ...home, ip: "2001:db8:1:3::a" })).user).toBeNull();
  });

  test("off: neither counts", async () => {
    const here = await start("off");
    const ana = await here.registered();
    expect(await from(here, ana.jar, { ip: null, userAgent: null })).toEqual({
      user: ana.userId,
      change: undefined,
    });
    expect(here.heard("session.refused")).toEqual([]);
  });
});

describe("the binding of a session", () => {
  test("is a 401 that says so on a guarded route, and keeps the cookie where a script asked", async () => {
    const here = world({ session: { binding: "user-agent" } });
    const ana = await here.registered();
    const answer = await ana.copy().get("/api/v1/users/me", { headers: { "User-Agent": "Other/2.0" } });
    expect(answer).toMatchObject({ status: 401, body: { code: "session_expired" } });
    const asScript = await from(here, ana.jar, { ...home, userAgent: "Other/2.0" }, "cors");
    expect(asScript).toEqual({ user: null, change: undefined });
  });

  test("is not asked of who has the id and no secret: no event", async () => {
    const here = world({ session: { binding: "user-agent" } });
    const ana = await here.registered();
    const [id] = (ana.jar.get(cookieName) ?? "").split(".");
    const forged = new Map([[cookieName, `${id}.${"A".repeat(43)}`]]);
    expect(await from(here, forged, { ...home, userAgent: "Other/2.0" })).toMatchObject({ user: null });
    expect(here.heard("session.refused")).toEqual([]);
  });

  test("does not hold for sessions that were started without a request", async () => {
    const here = world({ session: { binding: "ip+user-agent" } });
    const user = await here.plant();
    const { session } = (await here.auth.sessions.start(user.id)).change;
    const token = typeof session === "object" ? session.token : "";
    expect(await from(here, new Map([[cookieName, token]]), home)).toMatchObject({ user: user.id });
  });

  test("survives a very long user agent, which is kept cut", async () => {
    const here = world({ session: { binding: "user-agent" } });
    const ana = here.browser();
    const userAgent = `Long/${"x".repeat(3_000)}`;
    const json = { email: "ana@example.com", password: "correct horse battery staple" };
    await ana.post("/api/v1/auth/register", json, { headers: { "User-Agent": userAgent } });
    expect((await from(here, ana.jar, { ...home, userAgent })).user).not.toBeNull();
  });

  test("holds for sessions that their cookie holds, too", async () => {
    const here = world({ session: { binding: "ip+user-agent", mode: "stateless" } });
    const ana = await here.registered();
    expect(await from(here, ana.jar, home)).toMatchObject({ user: ana.userId });
    expect(await from(here, ana.jar, { ...home, userAgent: "Other/2.0" })).toEqual({
      user: null,
      change: clear,
    });
    expect(await from(here, ana.jar, { ...home, ip: "192.0.2.11" })).toEqual({ user: null, change: clear });
  });
});
