import { describe, expect, test } from "vitest";
import { backends } from "../support/backends.ts";
import { gate } from "../support/gate.ts";
import { fickleProvider } from "./fickle-provider.ts";
import { attemptCookie, begin, bring, oauthWorld, refusals, sessionCookie, signIn } from "./steps.ts";

const login = "/api/v1/auth/login";
const me = "/api/v1/users/me";

describe("somebody whom nobody knows", () => {
  test("gets an account, a session and one transaction that says so", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    const { status, body } = await signIn(browser, provider);
    expect([status, body.user]).toMatchObject([
      200,
      { email: "ana@example.com", email_verified: true, name: "Ana", is_superuser: false },
    ]);
    expect(body.csrf_token).toMatch(/^c1\./);
    expect(browser.jar.has(sessionCookie)).toBe(true);
    expect(browser.jar.has(attemptCookie)).toBe(false);
    expect((await at.audit()).map(({ type }) => type)).toEqual([
      "user.registered",
      "oauth.linked",
      "session.started",
    ]);
    const commits = at.recorder.calls.filter(({ name }) => name === "directory.commit");
    expect(commits.map(({ writes }) => writes)).toEqual([
      [
        "user.insert",
        "linked_account.insert",
        "audit.insert",
        "audit.insert",
        "session.insert",
        "audit.insert",
      ],
    ]);
    expect((await browser.get(me)).status).toBe(200);
  });

  test("is turned away where registration is closed, and one who has an account is not", async () => {
    const provider = await fickleProvider();
    const open = oauthWorld([provider]);
    await signIn(open.browser(), provider);
    const closed = open.again({ registration: "closed" });
    expect((await signIn(closed.browser(), provider)).status).toBe(200);
    provider.person = { ...provider.person, sub: "2002", email: "eve@example.com" };
    const browser = closed.browser();
    const { status, body } = await signIn(browser, provider);
    expect([status, body.code]).toEqual([403, "registration_closed"]);
    expect(browser.jar.has(sessionCookie)).toBe(false);
  });

  test("gets an account alone where registering does not sign in", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { signInAfterRegistration: false });
    const browser = at.browser();
    const { status, body } = await signIn(browser, provider);
    expect([status, body.user?.email]).toEqual([201, "ana@example.com"]);
    expect([browser.jar.has(sessionCookie), browser.jar.has(attemptCookie)]).toEqual([false, false]);
  });

  test.each([
    ["has no address", { email: undefined }],
    ["has an address that is none", { email: "not an address" }],
    ["has an address that is no text", { email: { $ne: "" } }],
  ])("is asked to register with a password where the provider %s", async (_what, person) => {
    const provider = await fickleProvider();
    provider.person = { sub: "1001", ...person };
    const at = oauthWorld([provider]);
    const { status, body } = await signIn(at.browser(), provider);
    expect([status, body.code, body.detail]).toEqual([
      400,
      "provider_refused",
      expect.stringContaining("Fickle gave no email address"),
    ]);
    expect(await refusals(at)).toEqual(["email_missing"]);
  });

  test("keeps an address that the provider does not vouch for unverified", async () => {
    const provider = await fickleProvider();
    for (const [sub, email_verified] of [
      ["1", false],
      ["2", undefined],
      ["3", "true"],
      ["4", 1],
    ] as const) {
      provider.person = { sub, email: `p${sub}@example.com`, email_verified };
      const { body } = await signIn(oauthWorld([provider]).browser(), provider);
      expect([sub, body.user?.email_verified]).toEqual([sub, false]);
    }
  });

  test("keeps no name that cannot be shown", async () => {
    const provider = await fickleProvider();
    provider.person = { ...provider.person, name: "a\u0007b" };
    const { body } = await signIn(oauthWorld([provider]).browser(), provider);
    expect(body.user?.name).toBeNull();
  });

  test("is refused by a policy before an account is written, and that is on record", async () => {
    const provider = await fickleProvider();
    const policies = [({ kind }: { readonly kind: string }) => (kind === "register" ? "Not you." : null)];
    const at = oauthWorld([provider], { policies });
    const { status, body } = await signIn(at.browser(), provider);
    expect([status, body.detail]).toEqual([403, "Not you."]);
    expect(await refusals(at)).toEqual(["policy"]);
    expect((await at.audit()).map(({ type }) => type)).toEqual(["oauth.refused"]);
  });

  test("counts as a registration: one address makes no more accounts than with passwords", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    for (let made = 0; made < 100; made++) {
      await at.auth.takeFromLimit(
        { name: "register", limit: 100, windowSeconds: 3_600 },
        browser.request("POST", "/x"),
        { ip: browser.ip },
      );
    }
    expect((await signIn(browser, provider)).status).toBe(429);
    expect(await at.audit("user.registered")).toEqual([]);
  });
});

describe("somebody whose account is linked", () => {
  test("is the same person the next time, also under another address and name", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const first = await signIn(at.browser(), provider);
    provider.person = { sub: "1001", email: "new@example.com", email_verified: true, name: "Else" };
    at.clock.advance(60);
    const again = await signIn(at.browser(), provider);
    expect(again.body.user).toMatchObject({ id: first.body.user?.id, email: "ana@example.com", name: "Ana" });
    expect(at.heard("user.logged_in").map(({ payload }) => payload)).toEqual([
      { amr: ["fed"], isRemembered: false },
    ]);
    const [account] = await at.auth.use(at.oauth).accounts(String(first.body.user?.id));
    expect(account).toMatchObject({ email: "new@example.com", lastUsedAt: at.clock.now() });
  });

  test("is another person with the same subject at another issuer", async () => {
    const [one, other] = [await fickleProvider(), await fickleProvider("other")];
    other.person = { ...other.person, email: "other@example.com" };
    const at = oauthWorld([], {
      feature: { providers: [one.provider(), other.provider({ name: "other" })] },
    });
    const first = await signIn(at.browser(), one);
    const browser = at.browser();
    const url = await begin(browser, "", "other");
    const second = await bring(browser, other.authorize(url), { name: "other" });
    expect(second.status).toBe(200);
    expect(second.body.user?.id).not.toBe(first.body.user?.id);
  });

  test("stays out while the account may not be used", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const { body } = await signIn(at.browser(), provider);
    const user = await at.user(String(body.user?.id));
    await at.write({
      kind: "user.update",
      userId: user.id,
      version: user.version,
      changes: { status: "disabled" },
    });
    const browser = at.browser();
    expect((await signIn(browser, provider)).status).toBe(403);
    expect(browser.jar.has(sessionCookie)).toBe(false);
    expect(await refusals(at)).toEqual(["account_status"]);
  });

  test("stays out where a policy says so", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    await signIn(at.browser(), provider);
    const strict = at.again({ policies: [({ kind }) => (kind === "login" ? "Not today." : null)] });
    expect((await signIn(strict.browser(), provider)).body.detail).toBe("Not today.");
    expect(await refusals(at)).toEqual(["policy"]);
  });

  test("has a session as any other: rotated, capped, remembered, with the visitor's bag", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { session: { maxPerUser: 1 } });
    const browser = at.browser();
    await signIn(browser, provider);
    const before = browser.jar.get(sessionCookie);
    await signIn(browser, provider, { query: "?remember=on" });
    expect(browser.jar.get(sessionCookie)).not.toBe(before);
    expect(at.heard("session.rotated")).toHaveLength(1);
    await signIn(at.browser(), provider);
    expect(at.heard("session.evicted")).toHaveLength(1);
    expect(at.heard("user.logged_in").map(({ payload }) => payload.isRemembered)).toEqual([true, false]);
    expect((await browser.get(me)).status).toBe(401);
  });
});

describe.each(backends)("on $backend", ({ open }) => {
  test("many who sign in at once with one account are one person, all of them let in", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { stores: await open(), session: { maxPerUser: 0 } });
    const browsers = Array.from({ length: 4 }, () => at.browser());
    const answers = await Promise.all(browsers.map((browser) => signIn(browser, provider)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.user?.id)).size).toBe(1);
    expect(await at.audit("user.registered")).toHaveLength(1);
    expect(await at.audit("oauth.linked")).toHaveLength(1);
  });

  test("who signs in while the link is removed has no session afterwards", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { stores: await open() });
    const ana = await at.registered();
    const { body } = await ana.post("/api/v1/auth/oauth/fickle/link");
    await bring(ana, provider.authorize(String(body.url)));
    const late = at.browser();
    const answer = provider.authorize(await begin(late));
    const held = gate();
    at.recorder.before = ({ writes }) => (writes.includes("linked_account.update") ? held.pass() : null);
    const signingIn = bring(late, answer);
    await held.reached;
    at.recorder.before = () => null;
    expect((await ana.delete("/api/v1/auth/oauth/fickle")).status).toBe(204);
    held.open();
    // The link is gone, so it is a stranger with an address that is taken.
    expect((await signingIn).status).toBe(409);
    expect(late.jar.has(sessionCookie)).toBe(false);
  });

  test("who signs in while every session is ended has none afterwards", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { stores: await open() });
    const { body } = await signIn(at.browser(), provider);
    const userId = String(body.user?.id);
    const late = at.browser();
    const answer = provider.authorize(await begin(late));
    const held = gate();
    at.recorder.before = ({ writes }) => (writes.includes("linked_account.update") ? held.pass() : null);
    const signingIn = bring(late, answer);
    await held.reached;
    at.recorder.before = () => null;
    const user = await at.user(userId);
    await at.write({
      kind: "user.update",
      userId,
      version: user.version,
      changes: { status: "disabled" },
    });
    await at.auth.sessions.revokeAll(userId);
    held.open();
    expect((await signingIn).status).toBe(403);
    expect(await at.auth.sessions.list(userId)).toEqual([]);
  });

  test("a failing store is told as that, and signs nobody in", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { stores: await open() });
    for (const [broken, name] of [
      ["ephemeral.take", "state"],
      ["directory.linkedAccount", "link"],
      ["directory.commit", "session"],
    ] as const) {
      const browser = at.browser();
      const answer = provider.authorize(await begin(browser));
      at.recorder.before = (call) => (call.name === broken ? Promise.reject(new Error("down")) : null);
      const { status, body } = await bring(browser, answer);
      at.recorder.before = () => null;
      expect([name, status, body.code]).toEqual([name, 503, "store_unavailable"]);
      expect(browser.jar.has(sessionCookie)).toBe(false);
    }
  });
});

test("a password that nobody set is none: such an account has no way in but its link", async () => {
  const provider = await fickleProvider();
  const at = oauthWorld([provider]);
  await signIn(at.browser(), provider);
  for (const password of ["", "null", "undefined"]) {
    const { status } = await at.browser().post(login, { email: "ana@example.com", password });
    expect([400, 401]).toContain(status);
  }
});
