import { createHmac } from "node:crypto";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { tokens } from "../../src/features/tokens.ts";
import { anyone } from "../../src/guards/guards.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { backends, temporaryDirectory } from "../support/backends.ts";
import { bareRequest } from "../support/browser.ts";
import {
  bearer,
  signedInClient,
  tokenClient,
  tokensOf,
  tokenWorld,
  wireTokens,
} from "../support/token-client.ts";
import { password, type World } from "../support/world.ts";

const client = { ip: "192.0.2.10" };

async function asked(here: World, token: string, method = "GET") {
  here.recorder.calls.length = 0;
  const headers = { authorization: `Bearer ${token}` };
  const verdict = await here.auth.check(bareRequest({ method, headers }), client, anyone());
  return {
    user: verdict.ok ? (verdict.principal.user?.id ?? null) : null,
    via: verdict.ok ? verdict.principal.via : null,
    code: verdict.ok ? null : verdict.error.code,
    status: verdict.ok ? 200 : verdict.error.status,
    calls: here.recorder.trace(),
  };
}

describe.each(backends)("an access token, on $backend", ({ open }) => {
  const start = async (options: Parameters<typeof tokens>[0] = {}) =>
    tokenWorld({ stores: await open() }, options);

  test("signs its user in, by one read and no write", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    expect(await asked(here, ana.tokens.access_token)).toEqual({
      user: ana.userId,
      via: "jwt",
      code: null,
      status: 200,
      calls: ["sessions.find"],
    });
    expect((await ana.send("GET", "/api/v1/users/me")).body.email).toBe("ana@example.com");
  });

  test("works until it expires, clocks that differ by 30 s allowed for, also where it was seen before", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    expect(ana.tokens.expires_in).toBe(900);
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({ status: 200 });
    here.clock.advance(929.999);
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({ status: 200 });
    here.clock.advance(0.001);
    const late = { status: 401, code: "token_invalid", calls: [] };
    expect(await asked(here, ana.tokens.access_token)).toMatchObject(late);
    expect(await asked(here.again(), ana.tokens.access_token)).toMatchObject(late);
  });

  test.each([
    [
      "its session is ended",
      (here: World, userId: string, sid: string) => here.auth.sessions.revoke(userId, sid),
    ],
    ["all sessions are ended", (here: World, userId: string) => here.auth.sessions.revokeAll(userId)],
    [
      "the account is disabled",
      async (here: World, userId: string) => {
        const { version } = await here.user(userId);
        await here.write({ kind: "user.update", userId, version, changes: { status: "disabled" } });
      },
    ],
    [
      "the generation moves, whatever becomes of sessions",
      (here: World, userId: string) => here.write({ kind: "user.advance", userId, from: 1 }),
    ],
    [
      "the account is anonymised",
      (here: World, userId: string) => here.write({ kind: "user.erase", userId, requires: "any" }),
    ],
    [
      "it is revoked",
      (here: World, _userId: string, _sid: string, token: string) => tokensOf(here).revoke(token),
    ],
  ])("is refused, on a public route too, once %s", async (_name, end) => {
    const here = await start();
    const ana = await tokenClient(here);
    const token = ana.tokens.access_token;
    expect(await asked(here, token)).toMatchObject({ status: 200 });
    const claims = tokensOf(here).decodeUnverified(token);
    await end(here, ana.userId, String(claims?.sid), token);
    expect(await asked(here, token)).toMatchObject({ status: 401, code: "token_invalid" });
    expect(await tokensOf(here).verify(token)).toBeNull();
    // Who cannot ask sees none of this.
    expect(tokensOf(here).verifyOffline(token)).toEqual(claims);
  });

  test("of one revoked goes alone", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const old = ana.tokens.access_token;
    await ana.refresh();
    await tokensOf(here).revoke(old);
    expect(await asked(here, old)).toMatchObject({ status: 401 });
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({ status: 200 });
  });

  test("of a cookie's session keeps it in use; it ends with it", async () => {
    const here = await start();
    const ana = await here.registered();
    const { body } = await ana.post("/api/v1/auth/token");
    const token = String(body.access_token);
    here.clock.advance(800);
    expect(await asked(here, token)).toMatchObject({ user: ana.userId });
    await here.settle();
    here.clock.advance(1_100);
    expect((await ana.get("/api/v1/auth/session")).body.authenticated).toBe(true);
    await ana.post("/api/v1/auth/logout");
    expect(await asked(here, token)).toMatchObject({ status: 401 });
  });

  test("needs no CSRF token and no origin, since no browser sends it by itself", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const answer = await here.browser().send("PATCH", "/api/v1/users/me", {
      json: { name: "Ana" },
      headers: {
        ...bearer(ana.tokens.access_token),
        Origin: "https://elsewhere.example",
        "Sec-Fetch-Site": "cross-site",
      },
    });
    expect([answer.status, answer.body.name]).toEqual([200, "Ana"]);
  });

  test("wins over a cookie, and bad it is not made good by one", async () => {
    const here = await start();
    const bob = await here.registered("bob@example.com");
    const ana = await tokenClient(here);
    const both = await bob.get("/api/v1/users/me", { headers: bearer(ana.tokens.access_token) });
    expect(both.body.email).toBe("ana@example.com");
    const bad = await bob.get("/api/v1/users/me", { headers: bearer(`${ana.tokens.access_token}A`) });
    expect([bad.status, bad.body.code]).toEqual([401, "token_invalid"]);
    expect(bad.headers.get("www-authenticate")).toBe('Bearer error="invalid_token", Cookie');
  });

  test("is asked of a failing backend: 503, not 401", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    here.recorder.before = () => Promise.reject(new Error("gone"));
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({
      status: 503,
      code: "store_unavailable",
    });
  });
});

describe("an access token", () => {
  const start = (options: Parameters<typeof tokens>[0] = {}) => tokenWorld({}, options);

  test("says who, for whom, from whom, until when, in which session and generation", async () => {
    const here = start();
    const ana = await tokenClient(here);
    const [header, payload] = ana.tokens.access_token
      .split(".")
      .map((part) => Buffer.from(part, "base64url"));
    const now = here.clock.now().getTime() / 1000;
    expect(JSON.parse(String(header))).toEqual({ typ: "at+jwt", alg: "HS256" });
    expect(JSON.parse(String(payload))).toEqual({
      iss: "https://app.example",
      aud: "https://app.example",
      sub: ana.userId,
      iat: now,
      exp: now + 900,
      jti: expect.stringMatching(/^[A-Za-z0-9]{22}$/),
      sid: expect.stringMatching(/^[A-Za-z0-9]{24}$/),
      gen: 1,
    });
  });

  test("is checked without a statement where SQLite knows its session", async () => {
    const statements: string[] = [];
    const onStatement = (sql: string) => void statements.push(sql.trim());
    const here = tokenWorld({ stores: sqlite({ path: join(temporaryDirectory(), "a.db"), onStatement }) });
    const ana = await tokenClient(here);
    const check = async () => {
      statements.length = 0;
      expect(await asked(here, ana.tokens.access_token)).toMatchObject({ user: ana.userId });
      return statements.filter((sql) => !sql.includes("data_version"));
    };
    await check();
    expect(await check()).toEqual([]);
    await ana.refresh();
    expect(await check()).toEqual([]);
  });

  test("signed under a former secret goes on working, and under none of ours does not", async () => {
    const here = start();
    const ana = await tokenClient(here);
    const next = "another secret of at least thirty-two bytes, for tests";
    const both = here.again({
      secrets: [next, "a secret of at least thirty-two bytes for tests"],
      features: [tokens()],
    });
    expect(await asked(both, ana.tokens.access_token)).toMatchObject({ status: 200 });
    const without = here.again({ secrets: [next], features: [tokens()] });
    expect(await asked(without, ana.tokens.access_token)).toMatchObject({ status: 401 });
  });

  test("forged, unsigned or of another key is refused", async () => {
    const here = start();
    const ana = await tokenClient(here);
    const [header = "", payload = "", signature = ""] = ana.tokens.access_token.split(".");
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const none = encode({ typ: "at+jwt", alg: "none" });
    const claims = JSON.parse(String(Buffer.from(payload, "base64url")));
    const sign = (text: string, key: string) => createHmac("sha256", key).update(text).digest("base64url");
    const other = encode({ ...claims, sub: "somebody else" });
    const own = encode({ typ: "at+jwt", alg: "HS256", jwk: { kty: "oct", k: encode("k"), alg: "HS256" } });
    const forged = [
      `${header}.${other}.${signature}`,
      `${none}.${payload}.`,
      `${none}.${payload}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}.${sign(`${header}.${payload}`, "")}`,
      `${own}.${payload}.${sign(`${own}.${payload}`, "k")}`,
    ];
    for (const token of forged) expect(await asked(here, token)).toMatchObject({ status: 401, calls: [] });
  });

  test.each([
    ["white space", (token: string) => token.replace(".", " .")],
    ["padding", (token: string) => `${token}=`],
    ["the other alphabet", (token: string) => `${token.slice(0, -1)}+`],
    ["spare bits", (token: string) => token.slice(0, -1) + nextLetter(token.at(-1) ?? "")],
    ["a length past all measure", (token: string) => `${token}${"A".repeat(9_000)}`],
  ])("in another spelling (%s) is refused, also where it was seen before", async (_name, respell) => {
    const here = start();
    const ana = await tokenClient(here);
    const other = respell(ana.tokens.access_token);
    expect(other).not.toBe(ana.tokens.access_token);
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({ status: 200 });
    expect(await asked(here, other)).toMatchObject({ status: 401 });
  });

  test.each([
    ["nothing but the word", "Bearer "],
    ["another scheme", "Basic YTpi"],
    ["one part", "Bearer garbage"],
    ["two parts", "Bearer a.b"],
    ["five parts, as an encrypted token has", "Bearer a.b.c.d.e"],
  ])("an Authorization header of %s is nobody's: absent", async (_name, authorization) => {
    const here = start();
    const verdict = await here.auth.check(bareRequest({ headers: { authorization } }), client, anyone());
    expect(verdict).toMatchObject({ ok: true, principal: { via: "anonymous" } });
  });

  test("in the URL, a form or a cookie signs nobody in", async () => {
    const here = start();
    const ana = await tokenClient(here);
    const token = ana.tokens.access_token;
    const browser = here.browser();
    browser.jar.set("token", token).set("__Host-latchkey", token);
    const { body } = await browser.get(`/api/v1/auth/session?token=${token}&access_token=${token}`);
    expect(body.authenticated).toBe(false);
  });

  test("of another issuer or type is left to others; for another audience it is refused", async () => {
    const here = start();
    const ana = await tokenClient(here);
    const elsewhere = here.again({ origin: "https://other.example", features: [tokens()] });
    expect(await asked(elsewhere, ana.tokens.access_token)).toMatchObject({ status: 200, user: null });
    const otherAudience = here.again({ features: [tokens({ audience: "https://api.example" })] });
    expect(await asked(otherAudience, ana.tokens.access_token)).toMatchObject({ status: 401 });
  });

  test("has the application's claims, which it may refuse at every use", async () => {
    let isTaken = true;
    const here = start({
      claims: (user) => ({ plan: "pro", name: user.username }),
      validateClaims: (claims) => claims.plan === "pro" && isTaken,
    });
    const ana = await tokenClient(here);
    const issued = tokensOf(here);
    expect(await issued.verify(ana.tokens.access_token)).toMatchObject({ plan: "pro" });
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({ status: 200 });
    isTaken = false;
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({ status: 401 });
    expect(await issued.verify(ana.tokens.access_token)).toBeNull();
    await expect(issued.issue(ana.userId, { claims: { gen: 7 } })).rejects.toThrow(TypeError);
  });

  test("travels in a header and behind a word of one's choice", async () => {
    const here = start({ header: "X-Token", prefix: "" });
    const ana = await tokenClient(here);
    const headers = { "x-token": ana.tokens.access_token };
    const verdict = await here.auth.check(bareRequest({ headers }), client);
    expect(verdict).toMatchObject({ ok: true, principal: { via: "jwt" } });
    expect(await asked(here, ana.tokens.access_token)).toMatchObject({ user: null });
    expect(() => start({ header: "X Token" })).toThrow(TypeError);
    expect(() => start({ prefix: "a b" })).toThrow(TypeError);
  });

  test("lives 60 minutes without refresh tokens, as long as one says, and never longer than its session", async () => {
    const expiresIn = async (options: Parameters<typeof tokens>[0], session = {}) => {
      const here = tokenWorld({ session }, options);
      const ana = await here.registered();
      return Number((await ana.post("/api/v1/auth/token")).body.expires_in);
    };
    expect(await expiresIn({ refresh: false })).toBe(3_600);
    expect(await expiresIn({ expiresInMinutes: 5 })).toBe(300);
    expect(await expiresIn({}, { idleSeconds: 100, absoluteSeconds: 200 })).toBe(200);
    for (const expiresInMinutes of [0, 1.5, 10_081])
      expect(() => start({ expiresInMinutes })).toThrow(TypeError);
  });

  test("a password changed with one ends all others, and the answer carries fresh ones", async () => {
    const here = start();
    const ana = await tokenClient(here);
    const other = await signedInClient(here, ana.userId);
    const old = ana.tokens;
    const changed = await ana.send("PUT", "/api/v1/users/me/password", {
      current_password: password,
      new_password: "a completely different sentence",
    });
    expect(changed).toMatchObject({
      status: 200,
      cookies: [],
      body: { csrf_token: null, token_type: "Bearer" },
    });
    for (const token of [old.access_token, other.tokens.access_token]) {
      expect(await asked(here, token)).toMatchObject({ status: 401 });
    }
    expect((await ana.refresh(old.refresh_token)).status).toBe(401);
    expect(await asked(here, String(changed.body.access_token))).toMatchObject({ user: ana.userId });
    expect((await ana.refresh(String(changed.body.refresh_token))).status).toBe(200);
  });

  test("where its session gets a new id for another reason, the answer carries fresh ones too", async () => {
    const here = start();
    const ana = await tokenClient(here);
    // Without the password there is no new id to be had: a stolen access token would come with a refresh token.
    for (const refused of [
      await ana.send("DELETE", "/api/v1/users/me/sessions"),
      await ana.send("PATCH", "/api/v1/users/me", { email: "ana@new.example" }),
    ])
      expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
    expect((await ana.send("DELETE", "/api/v1/users/me")).body.code).toBe("fresh_auth_required");
    const steps = [() => ana.send("POST", "/api/v1/auth/reauthenticate", { password })];
    for (const step of steps) {
      const old = ana.tokens.access_token;
      const answer = await step();
      expect([answer.status, answer.cookies]).toEqual([200, []]);
      ana.tokens = wireTokens(answer);
      expect(await asked(here, old)).toMatchObject({ status: 401 });
      expect(await asked(here, ana.tokens.access_token)).toMatchObject({ user: ana.userId });
      expect((await ana.refresh()).status).toBe(200);
    }
    const sessions = await here.auth.sessions.list(ana.userId);
    expect(
      sessions.map(({ idleExpiresAt, expiresAt }) => expiresAt.getTime() - idleExpiresAt.getTime()),
    ).toContain(0);
    expect((await ana.send("PATCH", "/api/v1/users/me", { name: "Ana" })).body).not.toHaveProperty(
      "access_token",
    );
  });

  test("of a browser's session, with the password, moves that session on and keeps its browser signed in", async () => {
    const here = start();
    const ana = await here.registered();
    const headers = bearer(String((await ana.post("/api/v1/auth/token")).body.access_token));
    const { body } = await ana.post("/api/v1/auth/reauthenticate", { password }, { headers });
    expect((await ana.get("/api/v1/auth/session")).body.authenticated).toBe(true);
    expect(await asked(here, String(body.access_token))).toMatchObject({ user: ana.userId });
  });

  test("of a browser's session cannot become that session", async () => {
    const here = start();
    const ana = await here.registered();
    const token = String((await ana.post("/api/v1/auth/token")).body.access_token);
    const thief = here.browser();
    const headers = bearer(token);
    const answers = [
      await thief.post("/api/v1/auth/token", {}, { headers }),
      await thief.delete("/api/v1/users/me/sessions", { headers }),
      await thief.patch("/api/v1/users/me", { email: "thief@example.com" }, { headers }),
    ];
    expect(answers.map(({ status, cookies }) => [status, cookies])).toEqual([
      [403, []],
      [403, []],
      [403, []],
    ]);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
  });
});

function nextLetter(letter: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(letter) + 1] ?? "A";
}
