import { describe, expect, test } from "vitest";
import { mostRevokedTokens } from "../../src/domain/user.ts";
import { memory } from "../../src/stores/memory.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { split } from "../../src/stores/split.ts";
import { backends } from "../support/backends.ts";
import {
  askForTokens,
  bearer,
  tokenClient,
  tokensOf,
  tokenWorld,
  wireTokens,
} from "../support/token-client.ts";
import { cookieName, password, type World } from "../support/world.ts";

const works = async (here: World, token: unknown) => (await tokensOf(here).verify(String(token))) !== null;

describe("POST /auth/token", () => {
  test("for a password starts a session that no cookie carries, and leaves the browser's own alone", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    const answer = await ana.post("/api/v1/auth/token", { username: "ana@example.com", password });
    expect(answer).toMatchObject({
      status: 200,
      cookies: [],
      body: { token_type: "Bearer", expires_in: 900 },
    });
    expect((await ana.get("/api/v1/auth/session")).body.authenticated).toBe(true);
    const sessions = await here.auth.sessions.list(ana.userId);
    const days = sessions.map(({ expiresAt, idleExpiresAt }) =>
      [expiresAt, idleExpiresAt].map((each) => (each.getTime() - here.clock.now().getTime()) / 86_400_000),
    );
    expect(days).toContainEqual([7, 7]);
    expect(here.heard("token.issued")).toMatchObject([{ userId: ana.userId, ip: "192.0.2.10" }]);
  });

  test("counts for the cap of sessions", async () => {
    const here = tokenWorld({ session: { maxPerUser: 2 } });
    const ana = await tokenClient(here);
    const first = ana.tokens.access_token;
    here.clock.advance(1);
    await askForTokens(here);
    await askForTokens(here);
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(2);
    expect(await works(here, first)).toBe(false);
  });

  test("cannot be opened with what might be a cookie's token of such a session", async () => {
    const here = tokenWorld();
    const ana = await tokenClient(here);
    const claims = tokensOf(here).decodeUnverified(ana.tokens.access_token);
    const thief = here.browser();
    thief.jar.set(cookieName, `${claims?.sid}.${"A".repeat(43)}`);
    expect((await thief.get("/api/v1/auth/session")).body.authenticated).toBe(false);
  });

  test("refuses as login does: one answer for the unknown and the wrong, and counted", async () => {
    const here = tokenWorld();
    await here.registered();
    const wrong = { email: "ana@example.com", password: "not the right one" };
    const browser = here.browser();
    for (let tries = 0; tries < 5; tries++) {
      const { status, body } = await browser.post("/api/v1/auth/token", wrong);
      expect([status, body.code]).toEqual([401, "invalid_credentials"]);
    }
    expect((await browser.post("/api/v1/auth/token", { ...wrong, password })).status).toBe(429);
    const unknown = await browser.post("/api/v1/auth/token", { ...wrong, email: "nobody@example.com" });
    expect(unknown.body.code).toBe("invalid_credentials");
  });

  test("without a password needs a session, and with half of what a sign-in needs says so", async () => {
    const here = tokenWorld();
    const browser = here.browser();
    expect((await browser.post("/api/v1/auth/token")).body.code).toBe("not_authenticated");
    expect((await browser.post("/api/v1/auth/token", { email: "a@b.c" })).body.errors?.[0]?.field).toBe(
      "password",
    );
    expect((await browser.post("/api/v1/auth/token", { password })).body.errors?.[0]?.field).toBe("username");
  });

  test("beside sessions that only the browser holds needs the password, and ends like any other", async () => {
    const here = tokenWorld({ session: { mode: "stateless" } });
    const ana = await here.registered();
    expect(await ana.post("/api/v1/auth/token")).toMatchObject({ status: 403, body: { code: "forbidden" } });
    const { access_token, refresh_token } = wireTokens(await askForTokens(here));
    expect((await tokensOf(here).refresh(refresh_token ?? "")).user.id).toBe(ana.userId);
    expect(await works(here, access_token)).toBe(true);
    await here.auth.sessions.revokeAll(ana.userId);
    expect(await works(here, access_token)).toBe(false);
  });

  test("for another site's page is refused", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    for (const path of ["/auth/token", "/auth/token/refresh", "/auth/token/revoke"]) {
      expect((await ana.post(`/api/v1${path}`, { token: "x" }, { headers })).body.code).toBe(
        "origin_rejected",
      );
    }
  });
});

describe("POST /auth/token/refresh", () => {
  test("with a bearer alone re-issues an access token of the same session", async () => {
    const here = tokenWorld();
    const ana = await tokenClient(here);
    here.clock.advance(800);
    const { status, body } = await ana.send("POST", "/api/v1/auth/token/refresh");
    expect([status, body.token, body.expires_in]).toEqual([200, body.access_token, 900]);
    expect(body).not.toHaveProperty("refresh_token");
    here.clock.advance(200);
    expect(await works(here, ana.tokens.access_token)).toBe(false);
    expect(await works(here, body.token)).toBe(true);
    expect((await ana.refresh()).status).toBe(200);
  });

  test("with nothing, or with a cookie alone, is 401", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    for (const each of [ana, here.browser()]) {
      expect((await each.post("/api/v1/auth/token/refresh")).body.code).toBe("not_authenticated");
    }
  });
});

describe.each(backends)("POST /auth/token/revoke, on $backend", ({ open }) => {
  const start = async () => tokenWorld({ stores: await open() });
  const revoke = (here: World, token: unknown) => here.browser().post("/api/v1/auth/token/revoke", { token });

  test("of a refresh token ends the session that tokens carry", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const { access_token, refresh_token } = ana.tokens;
    expect(await revoke(here, refresh_token)).toMatchObject({ status: 200, text: "{}" });
    expect(await works(here, access_token)).toBe(false);
    expect((await ana.refresh()).body.code).toBe("token_invalid");
    expect(here.heard("token.revoked")).toMatchObject([{ userId: ana.userId }]);
    expect(await revoke(here, refresh_token)).toMatchObject({ status: 200 });
    expect(here.heard("token.revoked")).toHaveLength(1);
  });

  test("of a refresh token of a browser ends the refresh tokens and not the browser's session", async () => {
    const here = await start();
    const ana = await here.registered();
    const { refresh_token } = wireTokens(await ana.post("/api/v1/auth/token"));
    expect((await revoke(here, refresh_token)).status).toBe(200);
    await expect(tokensOf(here).refresh(String(refresh_token))).rejects.toMatchObject({
      code: "token_invalid",
    });
    expect((await ana.get("/api/v1/auth/session")).body.authenticated).toBe(true);
    expect(await here.audit("token.reused")).toEqual([]);
  });

  test("of an access token ends it alone, in every process", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const old = ana.tokens.access_token;
    await ana.refresh();
    expect((await revoke(here, old)).status).toBe(200);
    expect(await works(here, old)).toBe(false);
    expect(await works(here, ana.tokens.access_token)).toBe(true);
    expect((await revoke(here, old)).status).toBe(200);
    expect((await here.user(ana.userId)).revokedTokens).toHaveLength(1);
  });

  test("of many access tokens at once ends each of them", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const issued: string[] = [];
    for (let each = 0; each < 4; each++) {
      issued.push(String((await ana.send("POST", "/api/v1/auth/token/refresh")).body.token));
    }
    const answers = await Promise.all(issued.map((token) => revoke(here, token)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    for (const token of issued) expect(await works(here, token)).toBe(false);
    expect(await works(here, ana.tokens.access_token)).toBe(true);
  });

  test("of what is no token, or works no more, is 200 and does nothing", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    here.recorder.calls.length = 0;
    for (const token of ["x", "a.b.c", "lkr_x", `${ana.tokens.refresh_token}x`]) {
      expect((await revoke(here, token)).status).toBe(200);
    }
    expect(here.recorder.trace().filter((name) => name.includes("commit"))).toEqual([]);
    expect(await works(here, ana.tokens.access_token)).toBe(true);
  });

  test("forgets those that have expired, and past the most ends the session", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const revokedTokens = Array.from({ length: mostRevokedTokens }, (_, index) => ({
      tokenId: `token ${index}`,
      expiresAt: new Date(here.clock.now().getTime() + 60_000),
    }));
    const { version } = await here.user(ana.userId);
    await here.write({ kind: "user.update", userId: ana.userId, version, changes: { revokedTokens } });
    const other = String((await ana.send("POST", "/api/v1/auth/token/refresh")).body.token);
    here.clock.advance(61);
    await revoke(here, other);
    expect((await here.user(ana.userId)).revokedTokens).toHaveLength(1);
    const now = { ...(await here.user(ana.userId)) };
    const full = Array.from({ length: mostRevokedTokens }, (_, index) => ({
      tokenId: `token ${index}`,
      expiresAt: new Date(here.clock.now().getTime() + 60_000),
    }));
    await here.write({
      kind: "user.update",
      userId: ana.userId,
      version: now.version,
      changes: { revokedTokens: full },
    });
    expect(await works(here, ana.tokens.access_token)).toBe(true);
    await revoke(here, ana.tokens.access_token);
    expect(await works(here, ana.tokens.access_token)).toBe(false);
    expect((await ana.refresh()).status).toBe(401);
  });
});

describe("tokens of the library", () => {
  test("are issued for a user without a session, and for one of theirs", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    const [own] = await here.auth.sessions.list(ana.userId);
    const issued = await tokensOf(here).issue(ana.userId, { claims: { tenant: 7 } });
    expect(issued.sessionId).not.toBe(own?.id);
    expect(await tokensOf(here).verify(issued.accessToken)).toMatchObject({
      tenant: 7,
      sid: issued.sessionId,
    });
    const ofSession = await tokensOf(here).issue(ana.userId, {
      sessionId: own?.id ?? "",
      withRefresh: false,
    });
    expect(ofSession).toMatchObject({ sessionId: own?.id, refreshToken: null });
  });

  test("are not issued for another user's session, nor for nobody", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    const bob = await here.registered("bob@example.com");
    const [ofBob] = await here.auth.sessions.list(bob.userId);
    const issue = tokensOf(here).issue;
    await expect(issue(ana.userId, { sessionId: ofBob?.id ?? "" })).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(issue("nobody")).rejects.toMatchObject({ code: "not_found" });
    const { version } = await here.user(bob.userId);
    await here.write({ kind: "user.update", userId: bob.userId, version, changes: { status: "disabled" } });
    await expect(issue(bob.userId)).rejects.toMatchObject({ code: "not_found" });
  });

  test("are decoded without being verified, and null where there is nothing to decode", async () => {
    const here = tokenWorld();
    const { decodeUnverified, verifyOffline, verify } = tokensOf(here);
    const forged = `${btoa('{"alg":"none"}').replaceAll("=", "")}.${btoa('{"sub":"x"}').replaceAll("=", "")}.`;
    expect(decodeUnverified(forged)).toEqual({ sub: "x" });
    expect([verifyOffline(forged), await verify(forged)]).toEqual([null, null]);
    expect(decodeUnverified("a.b.c")).toBeNull();
  });

  test("with HS256 have no public keys and no key to rotate", async () => {
    const here = tokenWorld();
    const { body } = await here.browser().get("/.well-known/jwks.json");
    expect(body).toEqual({ keys: [] });
    await expect(tokensOf(here).rotateSigningKey()).rejects.toThrow(TypeError);
  });

  test("show no digest where their sessions are listed", async () => {
    const here = tokenWorld();
    const ana = await tokenClient(here);
    for (const session of await here.auth.sessions.list(ana.userId)) {
      expect(session).not.toHaveProperty("refresh");
      expect(session).not.toHaveProperty("secretDigest");
    }
  });

  test("a browser signed in beside them is nobody else", async () => {
    const here = tokenWorld();
    const ana = await tokenClient(here);
    const answer = await here
      .browser()
      .get("/api/v1/users/me/sessions", { headers: bearer(ana.tokens.access_token) });
    expect(answer.body.items?.filter(({ current }) => current)).toHaveLength(1);
  });
});

describe("beside an engine of sessions that fails over to what it was before", () => {
  test("a refresh token that was revoked stays so, and new ones work", async () => {
    const [inner, engine] = [memory(), memorySessions()];
    const here = tokenWorld({ stores: split({ ...inner, sessions: engine }) });
    const ana = await here.registered();
    const [browser] = await here.auth.sessions.list((await here.user(ana.userId)).id);
    const sessionId = String(browser?.id);
    const issue = async () => String((await tokensOf(here).issue(ana.userId, { sessionId })).refreshToken);
    const state = async () => (await engine.find([sessionId], here.call()))[0]?.session ?? null;
    const states = [null, await state()];
    const first = await issue();
    states.splice(1, 0, await state());
    await tokensOf(here).revoke(first);
    for (const before of states) {
      if (before !== null) {
        await engine.take([sessionId], here.call());
        await engine.insert(before, 0, here.call());
      }
      await expect(tokensOf(here).refresh(first)).rejects.toMatchObject({ code: "token_invalid" });
    }
    const second = await issue();
    expect((await tokensOf(here).refresh(second)).sessionId).toBe(sessionId);
    await expect(tokensOf(here).refresh(first)).rejects.toMatchObject({ code: "token_invalid" });
    // One entry for the session, however often.
    await tokensOf(here).revoke(second);
    await tokensOf(here).revoke(first);
    expect((await here.user(ana.userId)).revokedTokens).toHaveLength(1);
    await expect(tokensOf(here).refresh(second)).rejects.toMatchObject({ code: "token_invalid" });
  });
});
