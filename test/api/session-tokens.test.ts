import { describe, expect, test } from "vitest";
import { signedInAs } from "../../src/domain/principal.ts";
import { anyone } from "../../src/guards/guards.ts";
import type { Strategy } from "../../src/ports/strategy.ts";
import { testClock } from "../../src/testing/clock.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { testRandom } from "../../src/testing/random.ts";
import { type Browser, bareRequest } from "../support/browser.ts";
import { cookieName, password, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };

const token = ({ jar }: Browser): string => jar.get(cookieName) ?? "";

/** Whoever asks is let in. */
const letsIn: Strategy = {
  name: "let-in",
  ambient: false,
  challenge: "Let-In",
  authenticate({ headers }) {
    if (headers.get("x-let-in") == null) return { kind: "absent" };
    const proof = { via: "let-in", amr: [], authTime: new Date(0), sessionId: null, scopes: null };
    return {
      kind: "accepted",
      principal: signedInAs(fixtures(testClock(), testRandom("let-in")).user(), proof),
    };
  },
};

/** A request that a token came with. */
function visit(headers: Record<string, string> = {}, ip: string = client.ip) {
  return { request: bareRequest({ headers }), client: { ip } };
}

describe("a session token that travels by other means than the cookie", () => {
  test("says who holds it, as the cookie does", async () => {
    const { auth, ...here } = world();
    const ana = await here.registered();
    const { principal } = await auth.authenticate(ana.request("GET", "/"), client);
    expect(await auth.sessions.validate(token(ana))).toEqual(principal);
    expect(principal).toMatchObject({ via: "session", user: { id: ana.userId } });
  });

  test("is nobody's where it is altered, malformed, of a visitor or of a session that ended", async () => {
    const { auth, ...here } = world();
    const ana = await here.registered();
    const good = token(ana);
    const texts = [
      `${good.slice(0, -2)}AA`,
      "",
      "a",
      good.split(".")[0] ?? "",
      `${good} `,
      good.repeat(100),
      `x; ${cookieName}=${good}`,
      `"${good}"`,
    ];
    for (const text of texts) expect(await auth.sessions.validate(text), text).toBeNull();
    const visitor = await auth.check(bareRequest({ method: "POST" }), client, anyone());
    if (!visitor.ok) throw visitor.error;
    await visitor.session.set("cart", [1]);
    const started = visitor.session.change?.session;
    if (typeof started !== "object") throw new Error("the visitor has no session");
    expect(await auth.sessions.validate(started.token)).toBeNull();
    expect(await auth.sessions.end(started.token)).toBe(false);
    await auth.sessions.revokeAll(ana.userId);
    expect(await auth.sessions.validate(good)).toBeNull();
  });

  test("is asked about alone: other proofs that came along count for nothing", async () => {
    const { auth, ...here } = world({ strategies: [letsIn] });
    const ana = await here.registered();
    const came = visit({ cookie: `${cookieName}=${token(ana)}`, "x-let-in": "yes" });
    expect((await auth.authenticate(came.request, client)).principal.via).toBe("let-in");
    expect(await auth.sessions.validate("unknown", came)).toBeNull();
    expect(await auth.sessions.validate("no token", came)).toBeNull();
    expect(await auth.sessions.end("unknown", came)).toBe(false);
    expect(await auth.sessions.validate(token(ana))).not.toBeNull();
  });

  test("is used by that: its idle limit moves, its absolute one does not", async () => {
    const { auth, clock, ...here } = world({ session: { idleSeconds: 600, absoluteSeconds: 1_500 } });
    const ana = await here.registered();
    for (let past = 0; past < 1_200; past += 300) {
      clock.advance(300);
      expect(await auth.sessions.validate(token(ana)), `${past} s`).not.toBeNull();
      await here.settle();
    }
    clock.advance(300);
    expect(await auth.sessions.validate(token(ana))).toBeNull();
  });

  test("is bound to browser and address where sessions are", async () => {
    const { auth, ...here } = world({ session: { binding: "ip+user-agent" } });
    const ana = await here.registered();
    const browser = { "user-agent": "ExampleBrowser/1.0" };
    expect(await auth.sessions.validate(token(ana), visit(browser))).not.toBeNull();
    expect(await auth.sessions.validate(token(ana), visit({ "user-agent": "Other/1.0" }))).toBeNull();
    expect(await auth.sessions.validate(token(ana), visit(browser, "198.51.100.7"))).toBeNull();
    expect(await auth.sessions.validate(token(ana))).toBeNull();
  });

  test("ends its session once, as signing out does", async () => {
    const { auth, ...here } = world();
    const ana = await here.registered();
    expect(await auth.sessions.end(token(ana), visit({ "user-agent": "Program/2" }))).toBe(true);
    expect(await auth.sessions.end(token(ana))).toBe(false);
    expect(await auth.sessions.validate(token(ana))).toBeNull();
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
    const heard = here.heard("user.logged_out");
    expect(heard).toMatchObject([{ userId: ana.userId, ip: client.ip, userAgent: "Program/2" }]);
  });

  test("is neither nobody's nor ended where the store fails", async () => {
    let isDown = false;
    const here = world({
      wrap: (stores) => faulty(stores, () => (isDown ? "refuse" : null)),
    });
    const ana = await here.registered();
    isDown = true;
    const unavailable = { code: "store_unavailable" };
    await expect(here.auth.sessions.validate(token(ana))).rejects.toMatchObject(unavailable);
    await expect(here.auth.sessions.end(token(ana))).rejects.toMatchObject(unavailable);
    isDown = false;
    expect(await here.auth.sessions.validate(token(ana))).not.toBeNull();
  });

  test("of a stateless session is validated, and cannot be ended", async () => {
    const { auth, ...here } = world({ session: { mode: "stateless" } });
    const ana = await here.registered();
    expect(await auth.sessions.validate(token(ana))).toMatchObject({ user: { id: ana.userId } });
    expect(await auth.sessions.end(token(ana))).toBe(false);
    expect(here.heard("user.logged_out")).toHaveLength(1);
    await auth.sessions.revokeAll(ana.userId);
    expect(await auth.sessions.validate(token(ana))).toBeNull();
  });
});

describe("a session with a lifetime of its own", () => {
  test.each([
    ["shorter", 120],
    ["longer", 40 * 86_400],
  ])("ends when that is over: %s", async (_, absoluteSeconds) => {
    const { auth, clock, ...here } = world({ session: { rememberedIdleSeconds: 50 * 86_400 } });
    const user = await here.plant({ email: "ana@example.com" });
    const { change, session } = await auth.sessions.start(user.id, { isRemembered: true, absoluteSeconds });
    if (typeof change.session !== "object") throw new Error("no session");
    expect(change.session.maxAgeSeconds).toBe(absoluteSeconds);
    expect(session.expiresAt.getTime() - session.createdAt.getTime()).toBe(absoluteSeconds * 1_000);
    clock.advance(absoluteSeconds - 1);
    expect(await auth.sessions.validate(change.session.token)).not.toBeNull();
    clock.advance(1);
    expect(await auth.sessions.validate(change.session.token)).toBeNull();
  });

  test("keeps it where it goes on under a new id", async () => {
    const { auth, ...here } = world();
    const user = await here.plant({ email: "ana@example.com" });
    const { change, session } = await auth.sessions.start(user.id, { absoluteSeconds: 3_600 });
    if (typeof change.session !== "object") throw new Error("no session");
    const cookie = `${cookieName}=${change.session.token}`;
    const next = await auth.users.reauthenticate(password, visit({ cookie }));
    expect(next.session).toMatchObject({ rotatedFrom: session.id, expiresAt: session.expiresAt });
  });

  test.each([9, 315_360_001, 60.5, Number.NaN, -60])("of %d s is refused", async (absoluteSeconds) => {
    const { auth, ...here } = world();
    const user = await here.plant({ email: "ana@example.com" });
    await expect(auth.sessions.start(user.id, { absoluteSeconds })).rejects.toThrow(TypeError);
    expect(await auth.sessions.list(user.id)).toEqual([]);
  });
});
