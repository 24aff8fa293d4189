import { describe, expect, test } from "vitest";
import { digestSecret, parseSessionToken } from "../../src/domain/session.ts";
import { anyone } from "../../src/guards/guards.ts";
import { backends } from "../support/backends.ts";
import { type Browser, bareRequest } from "../support/browser.ts";
import { cookieName, password, type World, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };
const unknown = (letter: string) => `${letter.repeat(24)}.${letter.repeat(43)}`;

/** Who a request with this Cookie header is, how many calls that took, and what the browser is told. */
async function asked({ auth, recorder }: World, cookie: string) {
  recorder.calls.length = 0;
  const verdict = await auth.check(bareRequest({ url: "/x", headers: { cookie } }), client, anyone());
  if (!verdict.ok) throw verdict.error;
  const { principal, change } = verdict;
  return {
    user: principal.user?.id ?? null,
    change,
    calls: recorder.trace(),
    ids: recorder.calls[0]?.args[0],
  };
}

function token(browser: Browser): string {
  return browser.jar.get(cookieName) ?? "";
}

/** The session that a browser's cookie names. */
function sessionId(browser: Browser): string {
  return parseSessionToken(token(browser))?.id ?? "";
}

describe.each(backends)("the session cookie, on $backend", ({ open }) => {
  test("is recognised by one read and no write", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    expect(await asked(here, `${cookieName}=${token(ana)}`)).toEqual({
      user: ana.userId,
      change: undefined,
      calls: ["sessions.find"],
      ids: [sessionId(ana)],
    });
    await here.settle();
    expect(here.recorder.trace()).toEqual(["sessions.find"]);
  });

  test("that is not there costs no call", async () => {
    const here = world({ stores: await open() });
    for (const cookie of ["", "other=1", `x${cookieName}=${unknown("a")}`, `${cookieName}-csrf=c1.x`]) {
      expect(await asked(here, cookie)).toMatchObject({ user: null, change: undefined, calls: [] });
    }
  });

  test("that is malformed is cleared unread", async () => {
    const here = world({ stores: await open() });
    for (const value of ["", "x", "null", unknown("a").slice(1), `"${unknown("a")}"`, "%00"]) {
      expect(await asked(here, `${cookieName}=${value}`)).toMatchObject({
        user: null,
        change: { session: "clear" },
        calls: [],
      });
    }
  });

  test("with a good id and another secret is nobody's", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const forged = `${sessionId(ana)}.${"A".repeat(43)}`;
    expect(await asked(here, `${cookieName}=${forged}`)).toMatchObject({
      user: null,
      change: { session: "clear" },
    });
    expect(await asked(here, `${cookieName}=${token(ana)}`)).toMatchObject({ user: ana.userId });
  });

  test("of a user who may not sign in is nobody's", async () => {
    for (const status of ["disabled", "deleted", "anonymized"] as const) {
      const here = world({ stores: await open() });
      const ana = await here.registered();
      const { version } = await here.user(ana.userId);
      await here.write({ kind: "user.update", userId: ana.userId, version, changes: { status } });
      expect(await asked(here, `${cookieName}=${token(ana)}`)).toMatchObject({
        user: null,
        change: { session: "clear" },
      });
    }
  });

  test("of another generation is nobody's", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    await here.write({ kind: "user.advance", userId: ana.userId, from: 1 });
    expect(await asked(here, `${cookieName}=${token(ana)}`)).toMatchObject({
      user: null,
      change: { session: "clear" },
    });
  });

  test("given more than once: malformed ones are dropped unread, however many", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const garbage = Array.from({ length: 99 }, (_, index) => `${cookieName}=garbage${index}; `).join("");
    expect(await asked(here, `${garbage}${cookieName}=${token(ana)}`)).toMatchObject({
      user: ana.userId,
      calls: ["sessions.find"],
      ids: [sessionId(ana)],
    });
  });

  test("given more than once: at most three are looked up, in one call", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const among = (...others: readonly string[]) =>
      [...others.map(unknown), token(ana)].map((value) => `${cookieName}=${value}`).join("; ");
    expect(await asked(here, among("a", "b"))).toMatchObject({ user: ana.userId, calls: ["sessions.find"] });
    const many = await asked(here, among("a", "b", "c", "d"));
    // The good one may be among those that were not looked at, so nothing is cleared.
    expect(many).toMatchObject({ user: null, change: undefined, calls: ["sessions.find"] });
    expect(many.ids).toHaveLength(3);
  });

  test("given more than once for one person: the newest session counts", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(1);
    const later = here.browser();
    await later.post("/api/v1/auth/login", { email: "ana@example.com", password });
    for (const pair of [[ana, later] as const, [later, ana] as const]) {
      const cookie = pair.map((each) => `${cookieName}=${token(each)}`).join("; ");
      const verdict = await here.auth.check(bareRequest({ headers: { cookie } }), client);
      expect(verdict).toMatchObject({ ok: true, principal: { sessionId: sessionId(later) } });
    }
  });

  test("given for two people clears all: somebody planted one of them", async () => {
    const here = world({ stores: await open() });
    const [ana, bob] = [await here.registered(), await here.registered("bob@example.com")];
    const cookie = [ana, bob].map((each) => `${cookieName}=${token(each)}`).join("; ");
    expect(await asked(here, cookie)).toMatchObject({
      user: null,
      change: { session: "clear" },
      calls: ["sessions.find"],
    });
  });

  test("given for somebody and a stale one beside it is theirs", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const gone = await here.registered("bob@example.com");
    await gone.copy().post("/api/v1/auth/logout");
    const cookie = [gone, ana].map((each) => `${cookieName}=${token(each)}`).join("; ");
    expect(await asked(here, cookie)).toMatchObject({ user: ana.userId, change: undefined });
  });
});

describe.each(backends)("a session's life, on $backend", ({ open }) => {
  test("ends at the very instant of its idle limit", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(1_799.999);
    expect(await asked(here.again(), `${cookieName}=${token(ana)}`)).toMatchObject({ user: ana.userId });
    here.clock.advance(0.001);
    expect(await asked(here, `${cookieName}=${token(ana)}`)).toMatchObject({
      user: null,
      change: { session: "clear" },
    });
  });

  test("ends at the very instant of its absolute limit, however busy", async () => {
    const here = world({ stores: await open(), session: { idleSeconds: 600, absoluteSeconds: 1_000 } });
    const ana = await here.registered();
    here.clock.advance(500);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    await here.settle();
    here.clock.advance(499.999);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    await here.settle();
    here.clock.advance(0.001);
    expect((await ana.get("/api/v1/users/me")).body.code).toBe("session_expired");
  });

  test("goes on with use, written at most once an interval, after the answer", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const use = async () => {
      here.recorder.calls.length = 0;
      expect((await ana.get("/api/v1/auth/session")).body.authenticated).toBe(true);
      const before = here.recorder.trace();
      await here.settle();
      return { before, after: here.recorder.trace().slice(before.length) };
    };
    here.clock.advance(59.999);
    expect(await use()).toEqual({ before: ["sessions.find"], after: [] });
    here.clock.advance(0.001);
    expect(await use()).toEqual({ before: ["sessions.find"], after: ["sessions.touch"] });
    expect(await use()).toEqual({ before: ["sessions.find"], after: [] });
    here.clock.advance(1_799);
    expect(await use()).toEqual({ before: ["sessions.find"], after: ["sessions.touch"] });
    here.clock.advance(1_799);
    expect((await use()).before).toEqual(["sessions.find"]);
  });

  test("a burst of uses is one write", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(61);
    here.recorder.calls.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => ana.get("/api/v1/auth/session")));
    await here.settle();
    expect(here.recorder.trace().filter((name) => name !== "sessions.find")).toEqual(["sessions.touch"]);
  });

  test("remembered is longer: 14 days idle, 30 in all", async () => {
    const here = world({ stores: await open() });
    await here.registered();
    const ana = here.browser();
    await ana.post("/api/v1/auth/login", { email: "ana@example.com", password, remember: true });
    for (const days of [13.9, 13.9]) {
      here.clock.advance(days * 86_400);
      expect((await ana.get("/api/v1/users/me")).status).toBe(200);
      await here.settle();
    }
    here.clock.advance(2.2 * 86_400 - 0.001);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    here.clock.advance(0.001);
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
  });

  test("a use moves the idle limit by the idle time of its kind", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const remembered = here.browser();
    await remembered.post("/api/v1/auth/login", { email: "ana@example.com", password, remember: true });
    here.clock.advance(100);
    for (const each of [ana, remembered]) await each.get("/api/v1/auth/session");
    await here.settle();
    const limits = (await here.auth.sessions.list(ana.userId)).map(({ isRemembered, idleExpiresAt }) => [
      isRemembered,
      (idleExpiresAt.getTime() - here.clock.now().getTime()) / 1000,
    ]);
    expect(Object.fromEntries(limits)).toEqual({ false: 1_800, true: 14 * 86_400 });
  });

  test("its end is told once, however many requests and sweeps find it", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(1_800);
    await Promise.all([
      ...Array.from({ length: 10 }, () => ana.copy().get("/api/v1/auth/session")),
      here.auth.sessions.sweep(),
      here.again().auth.sessions.sweep(),
    ]);
    await here.settle();
    await here.auth.sessions.sweep();
    const rows = await here.audit("session.expired");
    expect(rows).toMatchObject([{ userId: ana.userId, sessionId: sessionId(ana) }]);
  });

  test("its end found by a request is an event, and the row is gone", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    here.clock.advance(1_800);
    await ana.copy().get("/api/v1/auth/session");
    await here.settle();
    expect(here.heard("session.expired")).toMatchObject([
      { userId: ana.userId, sessionId: sessionId(ana), ip: null },
    ]);
    expect(await here.auth.sessions.sweep()).toBe(0);
  });

  test("its end found by a sweep is an event", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    expect(await here.auth.sessions.sweep()).toBe(0);
    here.clock.advance(1_800);
    expect(await here.auth.sessions.sweep()).toBe(1);
    expect(here.heard("session.expired")).toMatchObject([{ userId: ana.userId, sessionId: sessionId(ana) }]);
  });
});

describe("at rest", () => {
  test("only the digest of the secret is kept", async () => {
    const here = world();
    const ana = await here.registered();
    const [found] = await here.services.stores.sessions.find([sessionId(ana)], here.call());
    if (!found || found.expired) throw new Error("no session");
    const secret = parseSessionToken(token(ana))?.secret ?? "";
    expect(Buffer.from(found.session.secretDigest)).toEqual(Buffer.from(digestSecret(secret)));
    expect(JSON.stringify(found)).not.toContain(secret);
  });
});
