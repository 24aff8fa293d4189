import { describe, expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tokens } from "../../src/features/tokens.ts";
import { backends } from "../support/backends.ts";
import { gate } from "../support/gate.ts";
import { password } from "../support/world.ts";
import { fickleProvider } from "./fickle-provider.ts";
import { begin, beginLink, bring, oauthWorld, refusals, signIn } from "./steps.ts";

const link = "/api/v1/auth/oauth/fickle/link";
const unlink = "/api/v1/auth/oauth/fickle";
const accounts = "/api/v1/users/me/accounts";

async function linked() {
  const provider = await fickleProvider();
  const at = oauthWorld([provider]);
  const ana = await at.registered();
  const answer = await bring(ana, provider.authorize(await beginLink(ana)));
  expect([answer.status, answer.body]).toEqual([200, { linked: "fickle" }]);
  return { provider, at, ana };
}

describe("linking", () => {
  test("adds a way to sign in to one's account, whatever its address", async () => {
    const { at, ana, provider } = await linked();
    expect((await ana.get(accounts)).body.items).toMatchObject([
      { provider: "fickle", email: "ana@example.com" },
    ]);
    expect((await at.audit("oauth.linked")).map(({ userId }) => userId)).toEqual([ana.userId]);
    expect((await signIn(at.browser(), provider)).body.user?.id).toBe(ana.userId);
  });

  test("needs somebody who is signed in, their CSRF token, and a recent proof", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    expect((await at.browser().post(link)).status).toBe(401);
    const ana = await at.registered();
    const forged = await ana.post(link, undefined, { csrf: false });
    expect([forged.status, forged.body.code]).toEqual([403, "csrf_required"]);
    const elsewhere = await ana.post(link, undefined, {
      headers: { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" },
    });
    expect([elsewhere.status, elsewhere.body.code]).toEqual([403, "origin_rejected"]);
    at.clock.advance(599);
    expect((await ana.post(link)).status).toBe(200);
    at.clock.advance(1);
    const stale = await ana.post(link);
    expect([stale.status, stale.body.code]).toEqual([403, "fresh_auth_required"]);
    await ana.post("/api/v1/auth/reauthenticate", { password });
    expect((await ana.post(link)).status).toBe(200);
  });

  test("is not for an access token of the browser's session, which would sign in for ever; nor is unlinking", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { beside: [tokens()] });
    const ana = await at.registered();
    expect((await bring(ana, provider.authorize(await beginLink(ana)))).status).toBe(200);
    const { body } = await ana.post("/api/v1/auth/token");
    const bearer = { headers: { Authorization: `Bearer ${body.access_token}` } };
    const thief = at.browser();
    expect((await thief.get(accounts, bearer)).status).toBe(200);
    for (const answer of [await thief.post(link, undefined, bearer), await thief.delete(unlink, bearer)]) {
      expect([answer.status, answer.body.code]).toEqual([403, "forbidden"]);
    }
    const own = (await thief.post("/api/v1/auth/token", { email: "ana@example.com", password })).body;
    const carried = { headers: { Authorization: `Bearer ${own.access_token}` } };
    expect((await thief.delete(unlink, carried)).status).toBe(403);
    expect((await ana.delete(unlink)).status).toBe(204);
  });

  test("again changes nothing", async () => {
    const { at, ana, provider } = await linked();
    expect((await bring(ana, provider.authorize(await beginLink(ana)))).status).toBe(200);
    expect(await at.audit("oauth.linked")).toHaveLength(1);
  });

  test("takes no account that is another user's", async () => {
    const { at, provider } = await linked();
    const eve = await at.registered("eve@example.com");
    const { status, body } = await bring(eve, provider.authorize(await beginLink(eve)));
    expect([status, body.code]).toEqual([409, "conflict"]);
    expect(body.detail).toContain("linked to another account");
    expect((await eve.get(accounts)).body.items).toEqual([]);
  });

  test("takes one account of a provider", async () => {
    const { ana, provider } = await linked();
    provider.person = { sub: "another" };
    const { status, body } = await bring(ana, provider.authorize(await beginLink(ana)));
    expect([status, body.detail]).toEqual([409, "Another Fickle account is linked. Unlink it first."]);
  });

  test("is for the browser and the person that began: not after signing out, nor as somebody else", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const ana = await at.registered();
    const signedOut = provider.authorize(await beginLink(ana));
    const anas = ana.copy();
    await ana.post("/api/v1/auth/logout");
    expect((await bring(ana, signedOut)).body.code).toBe("session_expired");
    await anas.post("/api/v1/auth/login", { email: "ana@example.com", password });
    const begun = provider.authorize(await beginLink(anas));
    await anas.post("/api/v1/auth/register", { email: "eve@example.com", password });
    expect((await bring(anas, begun)).status).toBe(401);
    expect(await refusals(at)).toEqual(["session_changed", "session_changed"]);
    expect(await at.auth.use(at.oauth).accounts(ana.userId)).toEqual([]);
    expect(await at.audit("user.registered")).toHaveLength(2);
  });

  test("does not survive that every session is ended meanwhile", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const ana = await at.registered();
    const begun = provider.authorize(await beginLink(ana));
    const before = ana.copy();
    await ana.delete("/api/v1/users/me/sessions");
    ana.jar.set("latchkey-oauth", before.jar.get("latchkey-oauth") ?? "");
    // The session went on under another generation; the attempt did not.
    expect((await bring(ana, begun)).body.code).toBe("session_expired");
    expect(await refusals(at)).toEqual(["session_changed"]);
    expect(await at.auth.use(at.oauth).accounts(ana.userId)).toEqual([]);
  });

  test("cannot be turned into a sign-in, nor a sign-in into a link", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const ana = await at.registered();
    provider.person = { sub: "eve", email: "eve@example.com" };
    const answer = await bring(ana, provider.authorize(await begin(ana)));
    expect(answer.body.user?.email).toBe("eve@example.com");
    expect(await at.auth.use(at.oauth).accounts(ana.userId)).toEqual([]);
  });
});

test("a key with scopes does not read who its owner is elsewhere", async () => {
  const provider = await fickleProvider();
  const keys = apiKeys();
  const at = oauthWorld([provider], { beside: [keys] });
  const ana = await at.registered();
  await bring(ana, provider.authorize(await beginLink(ana)));
  const { principal } = await at.auth.authenticate(ana.request("GET", accounts), { ip: "192.0.2.10" });
  const { key } = await at.auth.use(keys).create(principal, { name: "CI" });
  const { status, body, text } = await at.browser().get(accounts, { headers: { "X-API-Key": key } });
  expect([status, body.code]).toEqual([403, "forbidden"]);
  expect(text).not.toContain("fickle");
  expect((await at.browser().get("/api/v1/users/me", { headers: { "X-API-Key": key } })).status).toBe(200);
});

describe("unlinking", () => {
  test("removes the way in", async () => {
    const { at, ana, provider } = await linked();
    expect((await ana.delete(unlink)).status).toBe(204);
    expect((await ana.get(accounts)).body.items).toEqual([]);
    expect((await at.audit("oauth.unlinked")).map(({ userId }) => userId)).toEqual([ana.userId]);
    expect((await signIn(at.browser(), provider)).status).toBe(409);
    expect((await ana.delete(unlink)).status).toBe(404);
  });

  test("needs a recent proof and the CSRF token", async () => {
    const { at, ana } = await linked();
    expect((await ana.delete(unlink, { csrf: false })).body.code).toBe("csrf_required");
    at.clock.advance(600);
    expect((await ana.delete(unlink)).body.code).toBe("fresh_auth_required");
    expect((await at.browser().delete(unlink)).status).toBe(401);
    expect((await ana.get(accounts)).body.items).toHaveLength(1);
  });

  test("is not done for a session that is ended at that moment", async () => {
    const { at, ana } = await linked();
    const held = gate();
    at.recorder.before = ({ writes }) => (writes.includes("linked_account.delete") ? held.pass() : null);
    const unlinking = ana.delete(unlink);
    await held.reached;
    at.recorder.before = () => null;
    await at.auth.sessions.revokeAll(ana.userId);
    held.open();
    expect((await unlinking).body.code).toBe("session_expired");
    expect(await at.auth.use(at.oauth).accounts(ana.userId)).toHaveLength(1);
  });

  test("never removes the last way to sign in", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    await signIn(browser, provider, { query: "?fresh=on" });
    const { status, body } = await browser.delete(unlink);
    expect([status, body.code]).toEqual([409, "conflict"]);
    expect(body.detail).toContain("last way to sign in");
    expect((await signIn(at.browser(), provider)).status).toBe(200);
    expect(await at.audit("oauth.unlinked")).toEqual([]);
  });

  test.each(backends)("leaves one of two that are removed at once, on $backend", async ({ open }) => {
    const [one, other] = [await fickleProvider(), await fickleProvider("other")];
    const providers = [one.provider(), other.provider({ name: "other" })];
    const at = oauthWorld([], { stores: await open(), feature: { providers } });
    const browser = at.browser();
    await signIn(browser, one, { query: "?fresh=on" });
    const url = await beginLink(browser, "other");
    expect((await bring(browser, other.authorize(url), { name: "other" })).status).toBe(200);
    const answers = await Promise.all([browser.delete(unlink), browser.delete("/api/v1/auth/oauth/other")]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect((await browser.get(accounts)).body.items).toHaveLength(1);
  });
});
