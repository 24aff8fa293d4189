import { describe, expect, test } from "vitest";
import { password } from "../support/world.ts";
import { type FickleProvider, fickleProvider } from "./fickle-provider.ts";
import { oauthWorld, sessionCookie, signIn } from "./steps.ts";

// @see Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022

const email = "ana@example.com";
const login = "/api/v1/auth/login";

/** A provider that runs the mailboxes of example.com. */
async function mailProvider(): Promise<FickleProvider> {
  return fickleProvider();
}

function worldOf(provider: FickleProvider, authoritative: boolean, linkByEmail = true) {
  const isAuthoritative = (address: string): boolean => authoritative && address.endsWith("@example.com");
  const providers = [provider.provider({ isAuthoritative })];
  return oauthWorld([], { feature: { providers, linkByEmail: linkByEmail ? ["fickle"] : [] } });
}

describe("an address that is taken", () => {
  test.each([
    ["by default", true, true, false],
    ["where the provider has not verified it", false, true, true],
    ["where the provider does not run the mailbox", true, false, true],
  ])("never links by itself %s", async (_when, emailVerified, authoritative, linkByEmail) => {
    const provider = await mailProvider();
    const at = worldOf(provider, authoritative, linkByEmail);
    const user = await at.plant({ email, emailKey: email, emailVerified: true });
    provider.person = { sub: "1001", email, email_verified: emailVerified };
    const browser = at.browser();
    const { status, body } = await signIn(browser, provider);
    expect([status, body.code]).toEqual([409, "email_taken"]);
    expect(body.detail).toContain("then link");
    expect(browser.jar.has(sessionCookie)).toBe(false);
    expect(await at.auth.use(at.oauth).accounts(user.id)).toEqual([]);
    expect(await at.user(user.id)).toEqual(user);
  });

  test("links where both sides have verified it and the provider runs the mailbox", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    const user = await at.plant({ email, emailKey: email, emailVerified: true });
    const { status, body } = await signIn(at.browser(), provider);
    expect([status, body.user?.id]).toEqual([200, user.id]);
    expect((await at.audit()).map(({ type }) => type)).toEqual([
      "oauth.linked",
      "session.started",
      "user.logged_in",
    ]);
    expect((await signIn(at.browser(), provider)).body.user?.id).toBe(user.id);
  });

  test("does not link where it is another mailbox under the same key", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    await at.plant({ email: "ana@examplе.com", emailKey: email, emailVerified: true });
    expect((await signIn(at.browser(), provider)).status).toBe(409);
  });

  test("does not link to an account that may not be used", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    const user = await at.plant({ email, emailKey: email, emailVerified: true, status: "disabled" });
    expect((await signIn(at.browser(), provider)).status).toBe(403);
    expect(await at.auth.use(at.oauth).accounts(user.id)).toEqual([]);
  });

  test("does not link to an account that gives it up at that moment", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    const user = await at.plant({ email, emailKey: email, emailVerified: true });
    at.recorder.before = ({ writes }) => {
      if (!writes.includes("linked_account.insert")) return null;
      at.recorder.before = () => null;
      const changes = { email: "moved@example.com", emailKey: "moved@example.com", emailVerified: false };
      return at.write({ kind: "user.update", userId: user.id, version: user.version, changes });
    };
    const { status, body } = await signIn(at.browser(), provider);
    expect(status).toBe(200);
    expect(body.user?.id).not.toBe(user.id);
  });
});

describe("who registers with another person's address", () => {
  test("with a password first, does not get that person's sign-ins", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    const eve = await at.registered(email);
    const ana = at.browser();
    // Even from the provider that runs the mailbox: Eve's password would open what Ana fills.
    expect((await signIn(ana, provider)).status).toBe(409);
    expect(ana.jar.has(sessionCookie)).toBe(false);
    expect(await at.auth.use(at.oauth).accounts(eve.userId)).toEqual([]);
  });

  test("at a provider that does not verify first, does not get that person's account", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    provider.person = { sub: "eve", email, email_verified: false };
    const eve = await signIn(at.browser(), provider);
    expect(eve.body.user).toMatchObject({ email, email_verified: false });
    const byPassword = await at.browser().post("/api/v1/auth/register", { email, password });
    expect([byPassword.status, byPassword.body.code]).toEqual([409, "email_taken"]);
    provider.person = { sub: "ana", email, email_verified: true };
    expect((await signIn(at.browser(), provider)).status).toBe(409);
  });

  test("at a provider that says it is verified but does not run the mailbox, does not get that person's sign-ins", async () => {
    const provider = await mailProvider();
    let runsMailbox = false;
    const providers = [provider.provider({ isAuthoritative: () => runsMailbox })];
    const at = oauthWorld([], { feature: { providers, linkByEmail: ["fickle"] } });
    provider.person = { sub: "eve", email, email_verified: true };
    const eve = await signIn(at.browser(), provider);
    expect(eve.body.user).toMatchObject({ email, email_verified: true });
    runsMailbox = true;
    provider.person = { sub: "ana", email, email_verified: true };
    const ana = await signIn(at.browser(), provider);
    expect([ana.status, ana.body.code]).toEqual([409, "email_taken"]);
  });

  test("at a provider after that person registered with a password, gets nothing", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    const ana = await at.registered(email);
    provider.person = { sub: "eve", email, email_verified: false };
    expect((await signIn(at.browser(), provider)).status).toBe(409);
    expect(await at.auth.use(at.oauth).accounts(ana.userId)).toEqual([]);
    expect((await at.browser().post(login, { email, password })).status).toBe(200);
  });

  test("at a provider after that person signed in with theirs, gets nothing", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, true);
    const ana = await signIn(at.browser(), provider);
    provider.person = { sub: "eve", email, email_verified: false };
    expect((await signIn(at.browser(), provider)).status).toBe(409);
    const accounts = await at.auth.use(at.oauth).accounts(String(ana.body.user?.id));
    expect(accounts.map(({ subject }) => subject)).toEqual(["1001"]);
  });

  test("says no more of an account than registering with a password does", async () => {
    const provider = await mailProvider();
    const at = worldOf(provider, false);
    await at.registered(email);
    const taken = await signIn(at.browser(), provider);
    const registering = await at.browser().post("/api/v1/auth/register", { email, password });
    expect([taken.status, taken.body.code]).toEqual([registering.status, registering.body.code]);
  });
});
