import { describe, expect, test } from "vitest";
import { signedInAs } from "../../src/domain/principal.ts";
import { digestSecret, parseSessionToken, type Session } from "../../src/domain/session.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { audit } from "../../src/features/audit.ts";
import { github, oauth } from "../../src/features/oauth.ts";
import { tickets } from "../../src/features/tickets.ts";
import { tokens } from "../../src/features/tokens.ts";
import { issueTicket, redeemTicket } from "../../src/flows/tickets.ts";
import { liveAccess } from "../../src/jwt/access-claims.ts";
import { memory } from "../../src/stores/memory.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { split } from "../../src/stores/split.ts";
import { backends } from "../support/backends.ts";
import { cookieName, password, type World } from "../support/world.ts";
import { administered, holding, type Person, person, root, signIn, users } from "./staff.ts";

const stop = "/api/v1/auth/impersonation/stop";
const me = `${users}/me`;

/** Somebody who acts in Ana's place. */
async function acting(here: World): Promise<{ boss: Person; ana: Person }> {
  const boss = await holding(here, "boss", "user:impersonate");
  const ana = await person(here, "ana");
  const { status, text } = await boss.post(`${users}/ana/impersonate`);
  if (status !== 200) throw new Error(text);
  return { boss, ana };
}

function sessionId(browser: Person): string {
  return parseSessionToken(browser.jar.get(cookieName) ?? "")?.id ?? "";
}

const engines = [
  ...backends,
  { backend: "two engines", open: async () => split({ ...memory(), sessions: memorySessions() }) },
];

describe.each(engines)("acting in somebody's place, on $backend", ({ open }) => {
  test("shows the site as they see it, and says who does it", async () => {
    const here = administered({ stores: await open() });
    const { boss, ana } = await acting(here);
    expect((await boss.get(me)).body.username).toBe("ana");
    expect((await boss.get("/api/v1/auth/session")).body).toMatchObject({
      ...{ authenticated: true, authenticated_at: null, session_id: sessionId(boss) },
      impersonator: { id: boss.userId, username: "boss" },
    });
    expect((await ana.get("/api/v1/auth/session")).body.impersonator).toBeNull();
    expect(here.heard("user.impersonated")).toMatchObject([
      { userId: ana.userId, sessionId: sessionId(boss), ip: null, payload: { impersonatorId: boss.userId } },
    ]);
    expect(await here.audit("user.impersonated")).toHaveLength(1);
  });

  test("stops with the session of before, under a new id", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:impersonate");
    const ana = await person(here, "ana");
    const [before, first] = [boss.copy(), sessionId(boss)];
    await boss.post(`${users}/ana/impersonate`);
    const [within, second] = [boss.copy(), sessionId(boss)];
    // Who stole the cookie of before has nothing by it.
    expect((await before.get(me)).status).toBe(401);
    const { status, body } = await boss.post(stop);
    expect({ status, user: body.user?.username }).toEqual({ status: 200, user: "boss" });
    expect((await boss.get(me)).body.username).toBe("boss");
    expect(new Set([first, second, sessionId(boss)]).size).toBe(3);
    expect((await within.get(me)).status).toBe(401);
    expect((await ana.get(me)).status).toBe(200);
    expect(here.heard("user.impersonation_stopped")).toMatchObject([
      { userId: ana.userId, sessionId: second, ip: null, payload: { impersonatorId: boss.userId } },
    ]);
    expect((await boss.post(stop)).body.code).toBe("forbidden");
    // It is their own session again, with what it was allowed before.
    expect((await boss.post(`${users}/ana/impersonate`)).status).toBe(200);
  });

  test("stops once, however often it is asked for at once", async () => {
    const here = administered({ stores: await open() });
    const { boss } = await acting(here);
    const all = await Promise.all([1, 2, 3, 4].map(() => boss.copy().post(stop)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await here.audit("user.impersonation_stopped")).toHaveLength(1);
  });

  test("ends with the right to do it, with the account and with the session that it came from", async () => {
    for (const how of [
      "right",
      "disabled",
      "generation",
      "session",
      "target generation",
      "superuser",
    ] as const) {
      const here = administered({ stores: await open() });
      const { boss, ana } = await acting(here);
      expect((await boss.get(me)).status).toBe(200);
      const [bossNow, anaNow] = [await here.user(boss.userId), await here.user(ana.userId)];
      const change = (userId: string, version: number, changes: object) =>
        here.write({ kind: "user.update", userId, version, changes });
      if (how === "right") await change(boss.userId, bossNow.version, { permissions: [] });
      if (how === "disabled") await change(boss.userId, bossNow.version, { status: "disabled" });
      if (how === "superuser") await change(ana.userId, anaNow.version, { isSuperuser: true });
      if (how === "generation")
        await here.write({ kind: "user.advance", userId: boss.userId, from: bossNow.generation });
      if (how === "target generation")
        await here.write({ kind: "user.advance", userId: ana.userId, from: anaNow.generation });
      if (how === "session")
        await here.write({ kind: "session.delete_all", userId: boss.userId, except: null, ended: () => [] });
      expect({ how, ...(await boss.get(me)).body }).toMatchObject({ how, code: "session_expired" });
      expect((await boss.post(stop)).status).toBe(401);
    }
  });

  test("ends after an hour, and not for want of use before", async () => {
    const here = administered({ stores: await open() });
    const { boss } = await acting(here);
    for (let minutes = 0; minutes < 59; minutes += 20) {
      expect((await boss.get(me)).status).toBe(200);
      await here.settle();
      here.clock.advance(minutes === 40 ? 19.99 * 60 : 20 * 60);
    }
    const again = boss.copy();
    expect((await again.get(me)).status).toBe(200);
    here.clock.advance(0.01 * 60);
    expect((await boss.get(me)).status).toBe(401);
  });

  test("of two of their sessions takes none away", async () => {
    const here = administered({ stores: await open(), session: { maxPerUser: 1 } });
    const { boss, ana } = await acting(here);
    expect((await ana.get(me)).status).toBe(200);
    expect((await boss.get(me)).status).toBe(200);
    expect(here.heard("session.evicted")).toEqual([]);
  });

  test("signing out there signs out altogether", async () => {
    const here = administered({ stores: await open() });
    const { boss, ana } = await acting(here);
    here.events.length = 0;
    expect((await boss.post("/api/v1/auth/logout")).body).toEqual({ ended: true });
    expect(here.events.map(({ type, userId }) => [type, userId])).toEqual([
      ["user.impersonation_stopped", ana.userId],
      ["user.logged_out", boss.userId],
    ]);
    expect(await here.auth.sessions.list(boss.userId)).toEqual([]);
    expect((await ana.get(me)).status).toBe(200);
  });

  test.each(["boss", "bob", "ana"] as const)("signing in there as %s is leaving it", async (username) => {
    const here = administered({ stores: await open(), session: { maxPerUser: 2 } });
    const bob = await person(here, "bob");
    const { boss, ana } = await acting(here);
    const [within, acted] = [boss.copy(), sessionId(boss)];
    await here.write({ kind: "session.set_data", sessionId: acted, dataVersion: 0, data: { left: "there" } });
    Object.assign(boss, { ip: "203.0.113.9" });
    here.events.length = 0;
    expect((await boss.post("/api/v1/auth/login", { username, password })).status).toBe(200);
    const userId = { boss: boss.userId, bob: bob.userId, ana: ana.userId }[username];
    expect((await boss.get(me)).body.id).toBe(userId);
    expect(here.events.map((event) => [event.type, event.userId, event.ip])).toEqual([
      ["session.started", userId, "203.0.113.9"],
      ["user.logged_in", userId, "203.0.113.9"],
      ["user.impersonation_stopped", ana.userId, null],
      ["user.logged_out", boss.userId, "203.0.113.9"],
    ]);
    expect(here.heard("user.impersonation_stopped")).toMatchObject([
      { sessionId: acted, payload: { impersonatorId: boss.userId } },
    ]);
    expect((await within.get(me)).status).toBe(401);
    const count = async (id: string) => (await here.auth.sessions.list(id)).length;
    expect([await count(boss.userId), await count(bob.userId), await count(ana.userId)]).toEqual([
      username === "boss" ? 1 : 0,
      username === "bob" ? 2 : 1,
      username === "ana" ? 2 : 1,
    ]);
    const [found] = await here.services.stores.sessions.find([sessionId(boss)], here.call());
    expect(found?.expired === false && found.session.data).toEqual({});
    if (username !== "ana") expect((await ana.get(`${me}/export`)).text).not.toContain("203.0.113.9");
  });
});

describe("acting in somebody's place", () => {
  test("is shown to the person, without where the administrator sits", async () => {
    const here = administered();
    const boss = await holding(here, "boss", "user:impersonate");
    const ana = await person(here, "ana");
    boss.ip = "203.0.113.9";
    const headers = { "user-agent": "AdminBrowser/9" };
    await boss.post(`${users}/ana/impersonate`, undefined, { headers });
    await boss.post(`${users}/bob/disable`, undefined, { headers });
    await boss.post(`${users}/ana/disable`, undefined, { headers, csrf: false });
    const { items } = (await ana.get(`${me}/sessions`)).body;
    expect(items?.map(({ impersonated, ip }) => [impersonated, ip])).toEqual(
      expect.arrayContaining([
        [true, null],
        [false, "192.0.2.10"],
      ]),
    );
    await here.settle();
    const { text } = await ana.get(`${me}/export`);
    expect(text).toContain("permission.denied");
    expect(text).toContain("csrf.refused");
    for (const his of ["203.0.113.9", "AdminBrowser"]) expect(text).not.toContain(his);
  });

  test("needs the permission, a fresh sign-in and a session", async () => {
    const here = administered({ features: [tokens()] });
    const ana = await person(here, "ana");
    const boss = await holding(here, "boss", "user:impersonate");
    const other = await holding(here, "other", "user:write", "user:read");
    expect((await ana.post(`${users}/boss/impersonate`)).body.code).toBe("forbidden");
    expect((await other.post(`${users}/ana/impersonate`)).body.code).toBe("forbidden");
    expect((await here.browser().post(`${users}/ana/impersonate`)).status).toBe(401);
    const { access_token: token } = (await boss.post("/api/v1/auth/token", {})).body;
    const bearer = { headers: { authorization: `Bearer ${token}` } };
    expect((await here.browser().post(`${users}/ana/impersonate`, undefined, bearer)).status).toBe(403);
    here.clock.advance(600);
    expect((await boss.post(`${users}/ana/impersonate`)).body.code).toBe("fresh_auth_required");
    await boss.post("/api/v1/auth/reauthenticate", { password });
    expect((await boss.post(`${users}/ana/impersonate`)).status).toBe(200);
  });

  test("is for no superuser, not oneself, nobody who may do more, nobody who is barred, and within none", async () => {
    const here = administered();
    const chief = await root(here);
    const boss = await holding(here, "boss", "user:impersonate");
    await holding(here, "bob", "user:impersonate");
    await holding(here, "dan", "user:write");
    await person(here, "second", { isSuperuser: true });
    await here.plant({ username: "eve", email: "eve@example.com", status: "disabled" });
    expect((await boss.post(`${users}/root/impersonate`)).body.code).toBe("forbidden");
    expect((await chief.post(`${users}/second/impersonate`)).body.code).toBe("forbidden");
    expect((await boss.post(`${users}/boss/impersonate`)).body.code).toBe("forbidden");
    expect((await boss.post(`${users}/dan/impersonate`)).body.code).toBe("forbidden");
    expect((await boss.post(`${users}/eve/impersonate`)).body).toMatchObject({
      ...{ code: "conflict", detail: "The account is disabled." },
    });
    expect((await boss.post(`${users}/nobody/impersonate`)).status).toBe(404);
    expect((await boss.post(`${users}/bob/impersonate`)).status).toBe(200);
    await here.plant({ username: "ana", email: "ana@example.com" });
    expect((await boss.post(`${users}/ana/impersonate`)).body.code).toBe("forbidden");
    expect(here.heard("user.impersonated")).toHaveLength(1);
  });

  test("touches no credential and nothing that outlives it", async () => {
    const providers = [github({ clientId: "a", clientSecret: "b" })] as const;
    const here = administered({ features: [apiKeys(), tokens(), tickets(), audit(), oauth({ providers })] });
    const chief = await root(here);
    const permissions = ["user:read", "user:write", "audit:read"] as never;
    const ana = await person(here, "ana", { permissions });
    await chief.post(`${users}/ana/impersonate`);
    const before = await here.user(ana.userId);
    const forbidden: readonly (readonly [string, string, unknown?])[] = [
      ["PUT", `${me}/password`, { current_password: password, new_password: "another long password" }],
      ["POST", "/api/v1/auth/reauthenticate", { password }],
      ["PATCH", me, { email: "new@example.com" }],
      ["PATCH", me, { username: "newname" }],
      ["DELETE", me],
      ["DELETE", `${me}?erase=now`],
      ["GET", `${me}/export`],
      ["GET", `${me}/accounts`],
      ["GET", `${me}/sessions`],
      ["DELETE", `${me}/sessions`],
      ["DELETE", `${me}/sessions/${(await here.auth.sessions.list(ana.userId))[0]?.id}`],
      ["POST", "/api/v1/auth/logout-all"],
      ["POST", "/api/v1/api-keys", { name: "mine" }],
      ["GET", "/api/v1/api-keys"],
      ["POST", "/api/v1/auth/ticket", { path: "/socket" }],
      ["GET", `${users}?search=a`],
      ["GET", "/api/v1/audit"],
      ["GET", "/api/v1/audit/export"],
      ["POST", `${users}/ana/disable`],
    ];
    for (const [method, path, json] of forbidden) {
      const answer = await chief.send(method, path, json === undefined ? {} : { json });
      expect({ method, path, code: answer.body.code }).toEqual({ method, path, code: "forbidden" });
    }
    expect((await chief.post("/api/v1/auth/token", {})).status).toBeGreaterThanOrEqual(400);
    expect(await here.user(ana.userId)).toEqual(before);
    expect((await ana.get(me)).status).toBe(200);
    expect((await chief.get(me)).body.username).toBe("ana");
  });

  test("hangs on a live session of somebody who may do it, and on nothing else", async () => {
    const here = administered();
    const permissions = ["user:impersonate"] as never;
    const boss = here.make.user({ username: "boss", email: "boss@example.com", permissions });
    const dan = here.make.user({ username: "dan", email: "dan@example.com", permissions });
    const ana = here.make.user({ username: "ana", email: "ana@example.com" });
    for (const user of [boss, dan, ana]) await here.write({ kind: "user.insert", user });
    const insert = (session: Session) => ({
      kind: "session.insert" as const,
      session,
      cap: 0,
      evicted: () => [],
    });
    const own = here.make.session(boss);
    const gone = { ...here.make.session(boss), idleExpiresAt: here.clock.now() };
    const visitor = here.make.session(null);
    const nested = { ...here.make.session(dan), amr: ["imp"] as const, rotatedFrom: own.id };
    await here.write(insert(own), insert(gone), insert(visitor), insert(nested));
    const secret = "s".repeat(43);
    const open = async (rotatedFrom: string | null): Promise<number> => {
      const drafted = here.make.session(ana);
      await here.write(insert({ ...drafted, amr: ["imp"], rotatedFrom, secretDigest: digestSecret(secret) }));
      const browser = here.browser();
      browser.jar.set(cookieName, `${drafted.id}.${secret}`);
      return (await browser.get(me)).status;
    };
    expect(await open(own.id)).toBe(200);
    for (const rotatedFrom of [gone.id, visitor.id, nested.id, null, "nobody"])
      expect({ rotatedFrom, status: await open(rotatedFrom) }).toEqual({ rotatedFrom, status: 401 });
  });

  test("is stood for by no token and no ticket, however it was come by", async () => {
    const here = administered();
    const ana = here.make.user();
    await here.write({ kind: "user.insert", user: ana });
    const session = { ...here.make.session(ana), amr: ["imp"] as const };
    await here.write({ kind: "session.insert", session, cap: 0, evicted: () => [] });
    const { id: sessionId, generation } = session;
    const claims = { userId: ana.id, sessionId, generation, tokenId: "x", expiresAt: session.expiresAt };
    expect(liveAccess(claims, { expired: false, session, user: ana })).toBe(
      "somebody acts in the user's place",
    );
    const proof = { via: "session", amr: session.amr, authTime: here.clock.now(), sessionId, scopes: null };
    const from = { ip: null, userAgent: null, requestId: null };
    const about = { principal: signedInAs(ana, proof), current: session, from };
    const { ticket } = await issueTicket(here.services, "/socket", about);
    await expect(redeemTicket(here.services, ticket, "/socket")).rejects.toMatchObject({
      code: "token_invalid",
    });
  });

  test("is fresh nowhere", async () => {
    const here = administered();
    const { boss } = await acting(here);
    const { principal } = await here.auth.authenticate(boss.request("GET", "/"), { ip: "192.0.2.10" });
    expect(principal).toMatchObject({ isAuthenticated: true, authTime: new Date(0), amr: ["imp"] });
  });

  test("stops for a browser with its cookie alone, with the CSRF token of that session", async () => {
    const here = administered();
    const { boss } = await acting(here);
    expect((await boss.post(stop, undefined, { csrf: false })).body.code).toBe("csrf_required");
    expect((await boss.post(stop)).status).toBe(200);
  });

  test("is not to be had where cookies hold the sessions", async () => {
    const here = administered({ session: { mode: "stateless" } });
    const boss = await holding(here, "boss", "user:impersonate");
    await person(here, "ana");
    expect((await boss.post(`${users}/ana/impersonate`)).body.code).toBe("forbidden");
  });

  test("costs every other request nothing: one read each", async () => {
    const here = administered();
    const ana = await person(here, "ana");
    here.recorder.calls.length = 0;
    await ana.get(me);
    expect(here.recorder.trace().filter((call) => call.startsWith("sessions.find"))).toHaveLength(1);
    const boss = await holding(here, "boss", "user:impersonate");
    await boss.post(`${users}/ana/impersonate`);
    here.recorder.calls.length = 0;
    await boss.get(me);
    expect(here.recorder.trace().filter((call) => call.startsWith("sessions.find"))).toHaveLength(2);
    await signIn(here, "ana");
  });
});
