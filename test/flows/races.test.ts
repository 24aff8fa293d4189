import { describe, expect, test } from "vitest";
import { backends } from "../support/backends.ts";
import { type Browser, bareRequest } from "../support/browser.ts";
import { gate } from "../support/gate.ts";
import { password, type World, world } from "../support/world.ts";

const email = "ana@example.com";
const next = "staple battery horse correct";
const login = "/api/v1/auth/login";
const visit = { request: bareRequest({ method: "POST" }), client: { ip: "192.0.2.10" } };
/** No attempt is refused for being one of many: here the stores have to hold. */
const unlimited = { login: { maxAttempts: 1_000 }, session: { maxPerUser: 0 } };

async function isLive(browser: Browser): Promise<boolean> {
  return (await browser.copy().get("/api/v1/users/me")).status === 200;
}

/** Sign-ins with a password, each in a browser of its own, that were answered with a session. */
async function signIns(here: World, count: number, given = password): Promise<readonly Browser[]> {
  const browsers = Array.from({ length: count }, () => here.browser());
  const answers = await Promise.all(
    browsers.map((browser) => browser.post(login, { email, password: given })),
  );
  for (const { status } of answers) expect([200, 401]).toContain(status);
  return browsers.filter((_, index) => answers[index]?.status === 200);
}

/** Every session row of a user, of whatever generation, is one that a check accepts. */
async function noneOfAnOldGeneration(here: World, userId: string): Promise<void> {
  const { generation } = await here.user(userId);
  for (const session of await here.auth.sessions.list(userId)) expect(session.generation).toBe(generation);
}

describe.each(backends)("on $backend", ({ open }) => {
  describe("a sign-in that verified the old password before a change and inserts its session after it", () => {
    /** Holds the sign-in between the hash and the transaction, as a slow machine would. */
    async function overtaken(change: (here: World, userId: string) => Promise<unknown>) {
      const here = world({ stores: await open(), ...unlimited });
      const user = await here.plant({ email });
      const held = gate();
      here.recorder.before = ({ writes }) => {
        if (!writes.includes("session.insert")) return null;
        here.recorder.before = () => null;
        return held.pass();
      };
      const browser = here.browser();
      const signingIn = browser.post(login, { email, password });
      await held.reached;
      await change(here, user.id);
      held.open();
      return { here, user, browser, answer: await signingIn };
    }

    test("leaves no session behind a password change", async () => {
      const { here, user, browser, answer } = await overtaken(async ({ auth }, userId) => {
        const token = await auth.users.issueResetToken(userId);
        await auth.users.resetPassword({ token, password: next }, visit);
      });
      expect(answer).toMatchObject({ status: 401, body: { code: "invalid_credentials" }, cookies: [] });
      expect(await isLive(browser)).toBe(false);
      expect(await here.auth.sessions.list(user.id)).toEqual([]);
      expect(here.heard("session.started")).toEqual([]);
    });

    test("starts over behind a revocation of everything, and is then a sign-in after it", async () => {
      const { here, user, browser, answer } = await overtaken(({ auth }, userId) =>
        auth.sessions.revokeAll(userId),
      );
      expect(answer.status).toBe(200);
      expect(await isLive(browser)).toBe(true);
      expect(await here.auth.sessions.list(user.id)).toHaveLength(1);
      await noneOfAnOldGeneration(here, user.id);
    });

    test("leaves none behind a disabled account", async () => {
      const { here, user, answer } = await overtaken(({ write }, userId) =>
        write({ kind: "user.update", userId, version: 1, changes: { status: "disabled" } }),
      );
      expect(answer.status).toBe(401);
      expect(await here.auth.sessions.list(user.id)).toEqual([]);
    });
  });

  test("sign-ins that race a password change: none with the old password is accepted after it", async () => {
    const here = world({ stores: await open(), ...unlimited });
    const ana = await here.registered(email);
    const [started, changed] = await Promise.all([
      signIns(here, 12),
      ana.put("/api/v1/users/me/password", { current_password: password, new_password: next }),
    ]);
    expect(changed.status).toBe(200);
    const live = await Promise.all(started.map(isLive));
    expect(live.filter(Boolean)).toEqual([]);
    expect(await isLive(ana)).toBe(true);
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(1);
    expect((await signIns(here, 1)).length).toBe(0);
  });

  test("sign-ins that race a revocation of everything: what is live afterwards was started after it", async () => {
    const here = world({ stores: await open(), ...unlimited });
    const user = await here.plant({ email });
    const [started] = await Promise.all([
      signIns(here, 12),
      here.auth.sessions.revokeAll(user.id),
      here.auth.sessions.revokeAll(user.id),
    ]);
    const live = (await Promise.all(started.map(isLive))).filter(Boolean).length;
    expect(await here.auth.sessions.list(user.id)).toHaveLength(live);
    await noneOfAnOldGeneration(here, user.id);
    expect(await here.auth.sessions.revokeAll(user.id)).toBe(live);
    expect((await Promise.all(started.map(isLive))).filter(Boolean)).toEqual([]);
  });

  test("checks that race a revocation of everything: none that begins after it passes", async () => {
    const here = world({ stores: await open(), ...unlimited });
    const ana = await here.registered(email);
    await ana.get("/api/v1/users/me");
    await here.auth.sessions.revokeAll(ana.userId);
    const after = await Promise.all(Array.from({ length: 10 }, () => isLive(ana)));
    expect(after.filter(Boolean)).toEqual([]);
  });

  test("password changes that race each other: one wins, and its password is the one that works", async () => {
    const here = world({ stores: await open(), ...unlimited });
    const ana = await here.registered(email);
    const words = Array.from({ length: 6 }, (_, index) => `${next} ${index}`);
    const answers = await Promise.all(
      words.map((word) =>
        ana.copy().put("/api/v1/users/me/password", { current_password: password, new_password: word }),
      ),
    );
    const won = answers.findIndex(({ status }) => status === 200);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const [index, word] of words.entries())
      expect(await here.auth.users.verifyPassword(ana.userId, word)).toBe(index === won);
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(1);
    expect(await here.audit("password.changed")).toHaveLength(1);
  });

  test("a password change that races a sign-out everywhere ends with no session of the old generation", async () => {
    const here = world({ stores: await open(), ...unlimited });
    const ana = await here.registered(email);
    const browser = ana.copy();
    await Promise.all([
      browser.put("/api/v1/users/me/password", { current_password: password, new_password: next }),
      ana.copy().post("/api/v1/auth/logout-all"),
    ]);
    await noneOfAnOldGeneration(here, ana.userId);
    expect(await isLive(browser)).toBe((await here.auth.sessions.list(ana.userId)).length === 1);
  });

  test("a deletion that races sign-ins leaves no session", async () => {
    const here = world({ stores: await open(), ...unlimited });
    const ana = await here.registered(email);
    const [started, deleted] = await Promise.all([signIns(here, 8), ana.copy().delete("/api/v1/users/me")]);
    expect(deleted.status).toBe(204);
    expect((await Promise.all(started.map(isLive))).filter(Boolean)).toEqual([]);
    expect(await here.auth.sessions.list(ana.userId)).toEqual([]);
  });

  test("redeeming a reset token that races sign-ins leaves only sessions of the new password", async () => {
    const here = world({ stores: await open(), ...unlimited });
    const user = await here.plant({ email });
    const token = await here.auth.users.issueResetToken(user.id);
    const [started] = await Promise.all([
      signIns(here, 8),
      here.auth.users.resetPassword({ token, password: next }, visit),
    ]);
    expect((await Promise.all(started.map(isLive))).filter(Boolean)).toEqual([]);
    expect(await here.auth.sessions.list(user.id)).toEqual([]);
    expect((await signIns(here, 1, next)).length).toBe(1);
  });
});

test("two processes on one file: what one revokes, the other refuses at once", async () => {
  const sqlite = backends.find(({ backend }) => backend === "sqlite");
  if (sqlite === undefined) throw new Error("no sqlite");
  const here = world({ stores: await sqlite.open() });
  const there = here.again();
  const ana = await here.registered(email);
  const elsewhere = ana.copy();
  for (let i = 0; i < 3; i++) {
    expect((await there.auth.check(elsewhere.request("GET", "/x"), visit.client)).ok).toBe(true);
  }
  await here.auth.sessions.revokeAll(ana.userId);
  expect((await there.auth.check(elsewhere.request("GET", "/x"), visit.client)).ok).toBe(false);
});
