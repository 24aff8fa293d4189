import { describe, expect, test } from "vitest";
import { formatRefreshToken, parseRefreshToken } from "../../src/domain/refresh-token.ts";
import { backends } from "../support/backends.ts";
import {
  signedInClient,
  type TokenClient,
  tokenAgain,
  tokenClient,
  tokensOf,
  tokenWorld,
} from "../support/token-client.ts";
import { secret, type World } from "../support/world.ts";

const graceSeconds = 10;

/** Whether the access token of a client works, asked anew. */
async function works(here: World, { tokens }: Pick<TokenClient, "tokens">): Promise<boolean> {
  return (await tokensOf(here).verify(tokens.access_token)) !== null;
}

function sessionOf({ tokens }: Pick<TokenClient, "tokens">): string {
  return parseRefreshToken(tokens.refresh_token ?? "")?.sessionId ?? "";
}

async function familyOf(here: World, client: TokenClient) {
  const [found] = await here.services.stores.sessions.find([sessionOf(client)], here.call());
  return found == null || found.expired ? null : found.session.refresh;
}

describe.each(backends)("refreshing, on $backend", ({ open }) => {
  const start = async () => tokenWorld({ stores: await open() });

  test("answers the next tokens, and the session is the same", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const before = ana.tokens;
    const answer = await ana.refresh();
    expect(answer).toMatchObject({
      status: 200,
      cookies: [],
      body: { token_type: "Bearer", expires_in: 900 },
    });
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(ana.tokens.refresh_token).not.toBe(before.refresh_token);
    expect(sessionOf(ana)).toBe(sessionOf({ tokens: before }));
    expect(await works(here, ana)).toBe(true);
    expect(await works(here, { tokens: before })).toBe(true);
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(2);
  });

  test("goes on for days, and ends seven days after the sign-in", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    for (let day = 0; day < 6; day++) {
      here.clock.advance(86_400);
      expect((await ana.refresh()).status).toBe(200);
    }
    here.clock.advance(86_400 - 600);
    expect((await ana.refresh()).body.expires_in).toBe(600);
    here.clock.advance(600);
    expect(await ana.refresh()).toMatchObject({ status: 401, body: { code: "token_invalid" } });
  });

  test("of an answer that was lost is answered again, byte for byte, for ten seconds", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const first = ana.tokens.refresh_token;
    await ana.refresh();
    const next = ana.tokens.refresh_token;
    here.clock.advance(graceSeconds - 0.001);
    expect((await ana.refresh(first)).body.refresh_token).toBe(next);
    expect((await ana.refresh(next)).status).toBe(200);
    expect(await here.audit("token.reused")).toEqual([]);
  });

  test("by many tabs at once gives all the same successor and logs nobody out", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const first = ana.tokens.refresh_token;
    for (let round = 0; round < 3; round++) {
      const token = ana.tokens.refresh_token;
      const answers = await Promise.all(Array.from({ length: 12 }, () => ana.refresh(token)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
      here.clock.advance(60);
    }
    expect(await works(here, ana)).toBe(true);
    expect((await familyOf(here, ana))?.number).toBe(3);
    expect(first).not.toBe(ana.tokens.refresh_token);
  });

  test("with a token that was used before ends the session and every token of it, and is told once", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const other = await signedInClient(here, ana.userId);
    const stolen = ana.tokens.refresh_token;
    await ana.refresh();
    here.clock.advance(graceSeconds);
    const replays = await Promise.all(Array.from({ length: 5 }, () => ana.refresh(stolen)));
    expect(replays.map(({ body }) => body.code)).toContain("token_reused");
    expect(replays.every(({ status }) => status === 401)).toBe(true);
    expect(await works(here, ana)).toBe(false);
    expect((await ana.refresh()).status).toBe(401);
    expect(await here.audit("token.reused")).toMatchObject([
      { userId: ana.userId, sessionId: sessionOf(ana) },
    ]);
    expect(await here.audit("session.revoked")).toMatchObject([{ sessionId: sessionOf(ana) }]);
    expect(await works(here, other)).toBe(true);
  });

  test("with a token whose successor was used is reuse also within the ten seconds", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const stolen = ana.tokens.refresh_token;
    await ana.refresh();
    await ana.refresh();
    expect((await ana.refresh(stolen)).body.code).toBe("token_reused");
    expect(await works(here, ana)).toBe(false);
  });

  test("by whoever stole a token and by its owner: the second to come ends it for both", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const thief = { ...ana };
    here.clock.advance(600);
    const stolen = ana.tokens.refresh_token;
    expect((await thief.refresh(stolen)).status).toBe(200);
    here.clock.advance(300);
    expect((await ana.refresh(stolen)).body.code).toBe("token_reused");
    expect(await works(here, thief)).toBe(false);
  });

  test.each([1, 3])("goes on after the store lost the last writes, as after a failover: %i", async (lost) => {
    const here = await start();
    const ana = await tokenClient(here);
    await ana.refresh();
    const before = await familyOf(here, ana);
    for (let each = 0; each < lost; each++) await ana.refresh();
    const after = await familyOf(here, ana);
    if (before === null || after === null) throw new Error("no family");
    // As if they had never been: the number goes back to the one before.
    await here.write({
      kind: "session.refresh",
      sessionId: sessionOf(ana),
      from: after.number,
      family: before,
    });
    expect((await ana.refresh()).status).toBe(200);
    expect((await familyOf(here, ana))?.number).toBe(after.number + 1);
    expect(await works(here, ana)).toBe(true);
  });

  test("while the account is disabled or its sessions end is refused, whoever comes first", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const [answer] = await Promise.all([ana.refresh(), here.auth.sessions.revokeAll(ana.userId)]);
    expect([200, 401]).toContain(answer.status);
    expect(await works(here, ana)).toBe(false);
    expect((await ana.refresh()).status).toBe(401);
  });

  test("is on record, and no token of it is", async () => {
    const here = await start();
    const ana = await tokenClient(here);
    const secrets = [ana.tokens.refresh_token, ana.tokens.access_token];
    await ana.refresh();
    secrets.push(ana.tokens.refresh_token, ana.tokens.access_token);
    const rows = await here.audit();
    expect(rows.filter(({ type }) => type === "token.refreshed")).toHaveLength(1);
    expect(rows.filter(({ type }) => type === "token.issued")).toHaveLength(1);
    const everything = JSON.stringify([rows, here.events, here.log, here.recorder.calls]);
    for (const each of secrets) {
      for (const part of (each ?? "").split(".").filter((text) => text.length > 24)) {
        expect(everything).not.toContain(part);
      }
    }
  });
});

describe("refreshing", () => {
  test("with a token that was never minted looks nothing up and ends nothing", async () => {
    const here = tokenWorld();
    const ana = await tokenClient(here);
    const [start, number, ownSecret, tag = ""] = (ana.tokens.refresh_token ?? "").split(".");
    const other = formatRefreshToken({ sessionId: sessionOf(ana), number: 0, secret: "A".repeat(43) }, [
      new Uint8Array(32),
    ]);
    const forged = [
      other,
      `${start}.7.${ownSecret}.${tag}`,
      `${start}.${number}.${"A".repeat(43)}.${tag}`,
      `${start}.${number}.${ownSecret}.${tag.slice(0, -1)}${tag.endsWith("A") ? "B" : "A"}`,
      "lkr_",
      "",
      "x".repeat(8_000),
      ana.tokens.access_token,
    ];
    for (const token of forged) {
      here.recorder.calls.length = 0;
      expect(await ana.refresh(token)).toMatchObject({ status: 401, body: { code: "token_invalid" } });
      expect(here.recorder.trace()).toEqual([]);
    }
    expect((await ana.refresh()).status).toBe(200);
  });

  test("goes on while a secret is exchanged, also by processes that disagree about which is the first", async () => {
    const next = "another secret of at least thirty-two bytes, for tests";
    const here = tokenWorld();
    const ana = await tokenClient(here);
    const first = ana.tokens.refresh_token ?? "";
    const old = tokenAgain(here, { secrets: [secret, next] });
    const fresh = tokenAgain(here, { secrets: [next, secret] });
    const one = await tokensOf(old).refresh(first);
    const two = await tokensOf(fresh).refresh(first);
    expect(parseRefreshToken(two.refreshToken ?? "")).toMatchObject({
      secret: parseRefreshToken(one.refreshToken ?? "")?.secret,
    });
    await tokensOf(fresh).refresh(one.refreshToken ?? "");
  });

  test("from a cookie's session ends with it", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    const { body } = await ana.post("/api/v1/auth/token");
    await ana.post("/api/v1/auth/logout");
    await expect(tokensOf(here).refresh(String(body.refresh_token))).rejects.toMatchObject({
      code: "token_invalid",
    });
  });

  test("from a cookie's session keeps it in use", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    let token = String((await ana.post("/api/v1/auth/token")).body.refresh_token);
    for (let turn = 0; turn < 4; turn++) {
      here.clock.advance(900);
      token = (await tokensOf(here).refresh(token)).refreshToken ?? "";
      await here.settle();
    }
    expect((await ana.get("/api/v1/auth/session")).body.authenticated).toBe(true);
  });

  test("by a tab whose tokens another tab of the browser has started anew is refused, and nobody is logged out", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    const one = (await ana.post("/api/v1/auth/token")).body;
    const two = (await ana.post("/api/v1/auth/token")).body;
    await expect(tokensOf(here).refresh(String(one.refresh_token))).rejects.toMatchObject({
      code: "token_invalid",
      status: 401,
    });
    const refreshed = await tokensOf(here).refresh(String(two.refresh_token));
    const { body } = await ana.get("/api/v1/auth/session");
    expect(body).toMatchObject({ authenticated: true, session_id: refreshed.sessionId });
    expect(await here.audit("token.reused")).toEqual([]);
  });

  test("many starts at once of one browser leave one of them working", async () => {
    const here = tokenWorld();
    const ana = await here.registered();
    const answers = await Promise.all(Array.from({ length: 5 }, () => ana.copy().post("/api/v1/auth/token")));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const good = await Promise.allSettled(
      answers.map(({ body }) => tokensOf(here).refresh(String(body.refresh_token))),
    );
    expect(good.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("is off where one says so: there is no refresh token", async () => {
    const here = tokenWorld({}, { refresh: false });
    const ana = await tokenClient(here);
    expect(ana.tokens).not.toHaveProperty("refresh_token");
    expect(await familyOf(here, ana)).toBeNull();
    expect(ana.tokens.expires_in).toBe(3_600);
  });
});
