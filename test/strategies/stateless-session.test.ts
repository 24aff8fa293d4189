import { compactDecrypt } from "jose";
import { describe, expect, test } from "vitest";
import { tokens } from "../../src/features/tokens.ts";
import { anyone } from "../../src/guards/guards.ts";
import { deriveKeys } from "../../src/services/keys.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { backends } from "../support/backends.ts";
import { type Browser, bareRequest, readAnswer } from "../support/browser.ts";
import { cookieName, password, secret, type World, type WorldOptions, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };
const clear = { session: "clear" };

function stateless(options: WorldOptions = {}): World {
  return world({ ...options, session: { ...options.session, mode: "stateless" } });
}

/** Who a request with these cookies is, what it asked of the stores, and what the browser is told. */
async function asked({ auth, recorder }: World, values: readonly string[], headers = {}) {
  recorder.calls.length = 0;
  const cookie = values.map((value) => `${cookieName}=${value}`).join("; ");
  const verdict = await auth.check(bareRequest({ headers: { cookie, ...headers } }), client, anyone());
  if (!verdict.ok) throw verdict.error;
  return { user: verdict.principal.user?.id ?? null, change: verdict.change, calls: recorder.trace() };
}

const token = ({ jar }: Browser): string => jar.get(cookieName) ?? "";

describe.each(backends)("a session that its cookie holds, on $backend", ({ open }) => {
  test("signs in from registration on, by one read of the account; no store keeps a session", async () => {
    const here = stateless({ stores: await open() });
    const ana = await here.registered();
    expect(await asked(here, [token(ana)])).toEqual({
      user: ana.userId,
      change: undefined,
      calls: ["directory.user"],
    });
    const signedIn = here.browser();
    await signedIn.post("/api/v1/auth/login", { email: "ana@example.com", password });
    expect((await signedIn.get("/api/v1/users/me")).body.email).toBe("ana@example.com");
    expect(await here.auth.sessions.list(ana.userId)).toEqual([]);
    expect((await ana.get("/api/v1/users/me/sessions")).body.items).toEqual([]);
  });

  test("signing out clears the cookie, answers false and is on record; a copy of the cookie works on", async () => {
    const here = stateless({ stores: await open() });
    const ana = await here.registered();
    const thief = ana.copy();
    const answer = await ana.post("/api/v1/auth/logout");
    expect(answer).toMatchObject({ status: 200, body: { ended: false } });
    expect(ana.jar.has(cookieName)).toBe(false);
    expect(await here.audit("user.logged_out")).toMatchObject([{ userId: ana.userId }]);
    expect((await thief.get("/api/v1/users/me")).status).toBe(200);
  });

  test("signing out everywhere ends every copy at once", async () => {
    const here = stateless({ stores: await open() });
    const ana = await here.registered();
    const thief = ana.copy();
    expect((await ana.post("/api/v1/auth/logout-all")).status).toBe(200);
    expect((await thief.get("/api/v1/users/me")).status).toBe(401);
    expect(await asked(here, [token(thief)])).toMatchObject({ user: null, change: clear });
  });

  test("a changed password ends the others, and this browser goes on", async () => {
    const here = stateless({ stores: await open() });
    const ana = await here.registered();
    const thief = ana.copy();
    const passwords = { current_password: password, new_password: "another correct horse" };
    expect((await ana.put("/api/v1/users/me/password", passwords)).status).toBe(200);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await thief.get("/api/v1/users/me")).status).toBe(401);
  });

  test("ending all others does so too; ending one by its id finds none", async () => {
    const here = stateless({ stores: await open() });
    const ana = await here.registered();
    const other = ana.copy();
    const { body } = await ana.get("/api/v1/auth/session");
    expect((await ana.delete(`/api/v1/users/me/sessions/${body.session_id}`)).status).toBe(404);
    expect((await ana.delete("/api/v1/users/me/sessions")).status).toBeLessThan(300);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await other.get("/api/v1/users/me")).status).toBe(401);
  });

  test("of a user who may not sign in, or is gone, is nobody's", async () => {
    const here = stateless({ stores: await open() });
    const ana = await here.registered();
    const { version } = await here.user(ana.userId);
    await here.write({ kind: "user.update", userId: ana.userId, version, changes: { status: "disabled" } });
    expect(await asked(here, [token(ana)])).toMatchObject({ user: null, change: clear });
  });

  test("a role that is taken counts at the next request", async () => {
    const here = stateless({ stores: await open() });
    const ana = await here.registered();
    const { version } = await here.user(ana.userId);
    await here.write({ kind: "user.update", userId: ana.userId, version, changes: { roles: ["admin"] } });
    const request = ana.request("GET", "/x");
    const { principal } = await here.auth.authenticate(request, client);
    expect(principal.user?.roles).toEqual(["admin"]);
  });
});

describe("the cookie of a session that it holds", () => {
  test("is a JWE that others can open with the derived key; header and content say what is documented", async () => {
    const here = stateless();
    const ana = await here.registered();
    const [key] = deriveKeys([secret]).derived("sealed-session");
    const { plaintext, protectedHeader } = await compactDecrypt(token(ana), key);
    expect(protectedHeader).toEqual({
      alg: "dir",
      enc: "A256GCM",
      kid: expect.stringMatching(/^[\w-]{11}$/),
      typ: "session-1",
      cookie: cookieName,
    });
    const fields = JSON.parse(new TextDecoder().decode(plaintext));
    expect(fields.slice(1, 4)).toEqual([ana.userId, 1, ["pwd"]]);
    expect(fields.slice(-2)).toEqual([null, null]);
  });

  test("differs each time it is written, and tells a reader nothing", async () => {
    const here = stateless();
    const [ana, again] = [await here.registered(), here.browser()];
    await again.post("/api/v1/auth/login", { email: "ana@example.com", password });
    expect(token(again)).not.toBe(token(ana));
    const bytes = Buffer.from(token(ana).split(".")[3] ?? "", "base64url").toString("latin1");
    expect(bytes).not.toContain(ana.userId);
  });

  test("that was changed anywhere is nobody's, and asks no store", async () => {
    const here = stateless();
    const good = token(await here.registered());
    for (let at = 0; at < good.length; at++) {
      const changed = good.slice(0, at) + (good[at] === "A" ? "B" : "A") + good.slice(at + 1);
      expect(await asked(here, [changed]), `character ${at}`).toEqual({
        user: null,
        change: clear,
        calls: [],
      });
    }
    const parts = good.split(".");
    // A last character with spare bits: of 64 spellings one counts.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const at of [3, 4]) {
      const spellings = [...alphabet].map((last) =>
        parts.with(at, `${parts[at]?.slice(0, -1)}${last}`).join("."),
      );
      const users = await Promise.all(spellings.map(async (each) => (await asked(here, [each])).user));
      expect(users.filter((user) => user !== null)).toHaveLength(1);
    }
    const odd = [
      "",
      ".",
      "....",
      parts.slice(0, 4).join("."),
      `${good}.`,
      `${good}=`,
      ` ${good}x`,
      "x".repeat(9_000),
    ];
    for (const value of odd) expect(await asked(here, [value])).toMatchObject({ user: null, calls: [] });
  });

  test("of another secret is nobody's; of a former one it works, and a dropped one ends it", async () => {
    const here = stateless();
    const ana = await here.registered();
    const next = "another secret of at least thirty-two bytes";
    expect(await asked(here.again({ secrets: [next, secret] }), [token(ana)])).toMatchObject({
      user: ana.userId,
    });
    expect(await asked(here.again({ secrets: [next] }), [token(ana)])).toMatchObject({
      user: null,
      calls: [],
    });
    const both = here.again({ secrets: [next, secret] });
    const bob = await both.registered("bob@example.com");
    expect(await asked(here.again({ secrets: [next] }), [token(bob)])).toMatchObject({ user: bob.userId });
  });

  test("of another name opens nothing", async () => {
    const here = stateless();
    const ana = await here.registered();
    const other = here.again({ cookie: { name: "other" } });
    const cookie = `__Host-other=${token(ana)}`;
    const { principal } = await other.auth.authenticate(bareRequest({ headers: { cookie } }), client);
    expect(principal.isAuthenticated).toBe(false);
  });

  test("is none that a store would find, and a stored session's is none that opens", async () => {
    const here = stateless();
    const stateful = here.again({ session: { mode: "stateful" } });
    const ana = await here.registered();
    expect(await asked(stateful, [token(ana)])).toMatchObject({ user: null, change: clear });
    const bob = await stateful.registered("bob@example.com");
    expect(await asked(here, [token(bob)])).toMatchObject({ user: null, change: clear });
  });

  test("given more than once: what does not open is passed over, however many", async () => {
    const here = stateless();
    const ana = await here.registered();
    const junk = ["x", "null", "..", "a.b.c.d.e"];
    expect(await asked(here, [...junk, token(ana)])).toMatchObject({ user: ana.userId });
    const older = token(ana);
    here.clock.advance(1);
    await ana.post("/api/v1/auth/login", { email: "ana@example.com", password });
    const cookie = `${cookieName}=${older}; ${cookieName}=${token(ana)}`;
    const { principal } = await here.auth.authenticate(bareRequest({ headers: { cookie } }), client);
    expect(principal).toMatchObject({ user: { id: ana.userId }, authTime: here.clock.now() });
  });

  test("given more than three times: three are looked at", async () => {
    const here = stateless();
    const ana = await here.registered();
    const values = [token(ana)];
    for (let count = 0; count < 4; count++) {
      await ana.post("/api/v1/auth/login", { email: "ana@example.com", password });
      values.push(token(ana));
    }
    expect((await asked(here, values)).calls).toHaveLength(3);
  });

  test("has its account read from the database itself where something is to be changed", async () => {
    const asking: (boolean | undefined)[] = [];
    const here = stateless({
      wrap(stores) {
        const user: typeof stores.directory.user = (id, call) => {
          asking.push(call.readsThrough);
          return stores.directory.user(id, call);
        };
        return { ...stores, directory: { ...stores.directory, user } };
      },
    });
    const ana = await here.registered();
    for (const [method, readsThrough] of [
      ["GET", undefined],
      ["POST", true],
    ] as const) {
      asking.length = 0;
      await here.auth.check(ana.request(method, "/x"), client, anyone());
      expect(asking, method).toEqual([readsThrough]);
    }
  });

  test("of two people in one browser counts for neither", async () => {
    const here = stateless();
    const [ana, bob] = [await here.registered(), await here.registered("bob@example.com")];
    expect(await asked(here, [token(ana), token(bob)])).toMatchObject({ user: null, change: clear });
    await here.auth.sessions.revokeAll(bob.userId);
    expect(await asked(here, [token(ana), token(bob)])).toMatchObject({ user: ana.userId });
  });

  test("of a failing store is a failure and never nobody", async () => {
    let isDown = false;
    const here = stateless({ wrap: (stores) => faulty(stores, () => (isDown ? "refuse" : null)) });
    const ana = await here.registered();
    isDown = true;
    expect((await ana.get("/api/v1/users/me")).status).toBe(503);
  });
});

describe("the limits of a session that its cookie holds", () => {
  test("idle: used in time it goes on in a later cookie, unused it ends", async () => {
    const here = stateless({ session: { idleSeconds: 600, absoluteSeconds: 3_600 } });
    const ana = await here.registered();
    const first = token(ana);
    here.clock.advance(59);
    expect((await asked(here, [first])).change).toBeUndefined();
    here.clock.advance(481);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect(token(ana)).not.toBe(first);
    here.clock.advance(60);
    expect(await asked(here, [first])).toMatchObject({ user: null, change: clear, calls: [] });
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    here.clock.advance(600);
    const late = await ana.get("/api/v1/users/me");
    expect(late).toMatchObject({ status: 401, body: { code: "session_expired" } });
  });

  test("absolute: no use of it goes past", async () => {
    const here = stateless({ session: { idleSeconds: 600, absoluteSeconds: 1_200 } });
    const ana = await here.registered();
    for (const seconds of [500, 500, 199]) {
      here.clock.advance(seconds);
      expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    }
    here.clock.advance(1);
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
  });

  test("the later cookie keeps who, how, since when, and how long the browser keeps it", async () => {
    const here = stateless({ session: { binding: "user-agent" } });
    const ana = await here.registered();
    await ana.post("/api/v1/auth/login", { email: "ana@example.com", password, remember: true });
    const before = (await ana.get("/api/v1/auth/session")).body;
    here.clock.advance(3_600);
    const answer = await ana.get("/api/v1/auth/session");
    expect(answer.body).toEqual(before);
    const renewed = answer.cookies.find(({ name }) => name === cookieName);
    expect(renewed?.attributes["max-age"]).toBe(String(30 * 86_400 - 3_600));
    here.clock.advance(2 * 86_400);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await ana.post("/api/v1/auth/logout")).status).toBe(200);
  });

  test("a handler's own sign-out stands, also where a later cookie was due", async () => {
    const here = stateless();
    const ana = await here.registered();
    here.clock.advance(120);
    const signOut = here.auth.protect(async (request) => {
      const { change } = await here.auth.sessions.logout({ request, client });
      return here.auth.seal(new Response("bye"), change);
    });
    const { cookies } = await readAnswer(await signOut(ana.request("POST", "/bye"), client));
    const session = cookies.filter(({ name }) => name === cookieName);
    expect(session.map(({ attributes }) => attributes["max-age"])).toEqual(["0"]);
  });

  test("an unsafe request needs the CSRF token of its session, the one of a renewed cookie too", async () => {
    const here = stateless();
    const ana = await here.registered();
    const send = (csrf: boolean) => ana.post("/api/v1/auth/logout-all", undefined, { csrf });
    expect((await send(false)).body.code).toBe("csrf_required");
    here.clock.advance(120);
    await ana.get("/api/v1/users/me");
    expect((await send(true)).status).toBe(200);
  });
});

describe("what needs a store", () => {
  test("a cap is refused at the start", () => {
    expect(() => stateless({ session: { maxPerUser: 1 } })).toThrow(
      "session.maxPerUser: stateless sessions cannot be counted; leave it out",
    );
  });

  test("data is refused as misuse, a visitor's too, and no cookie says that it was kept", async () => {
    const here = stateless();
    const ana = await here.registered();
    for (const browser of [ana, here.browser()]) {
      const verdict = await here.auth.check(browser.request("POST", "/x"), client, anyone());
      if (!verdict.ok) throw verdict.error;
      await expect(verdict.session.set("cart", [])).rejects.toThrow(TypeError);
      expect([verdict.session.get("cart"), verdict.session.change]).toEqual([undefined, null]);
    }
  });

  test("sessions that tokens carry are kept in the store all the same", async () => {
    const here = stateless({ features: [tokens()] });
    const { userId } = await here.registered();
    const json = { email: "ana@example.com", password };
    const { body } = await here.browser().post("/api/v1/auth/token", json);
    const headers = { authorization: `Bearer ${body.access_token}` };
    const bearer = bareRequest({ headers });
    expect((await here.auth.authenticate(bearer, client)).principal.user?.id).toBe(userId);
    const [kept] = await here.auth.sessions.list(userId);
    expect(await here.auth.sessions.revoke(userId, kept?.id ?? "")).toBe(true);
    await expect(here.auth.authenticate(bearer, client)).rejects.toMatchObject({ status: 401 });
  });
});

test("an unknown mode or binding is refused at the start", () => {
  expect(() => world({ session: { mode: "none" as never } })).toThrow("session.mode: stateful or stateless");
  expect(() => world({ session: { binding: "ip" as never } })).toThrow(
    "session.binding: off, user-agent or ip+user-agent",
  );
});
