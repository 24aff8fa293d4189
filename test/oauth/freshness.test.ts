import { describe, expect, test } from "vitest";
import type { Provider } from "../../src/features/oauth.ts";
import { backends } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { type FickleProvider, fickleProvider, type Json } from "./fickle-provider.ts";
import { sendJson } from "./stand-in.ts";
import { oauthWorld, signIn } from "./steps.ts";

const me = "/api/v1/users/me";
const again = { query: "?fresh=on" };

/** When the session says that its person was there. */
async function provenAt(browser: Browser): Promise<unknown> {
  return (await browser.get("/api/v1/auth/session")).body.authenticated_at;
}

/** What becomes of deleting the account. */
async function deleting(browser: Browser): Promise<unknown> {
  const { status, body } = await browser.delete(me);
  return status === 204 ? "deleted" : body.code;
}

/** `auth_time` of the person, in seconds before now; null: the provider says nothing, whatever it is asked. */
function says(
  provider: FickleProvider,
  at: { readonly clock: { now(): Date } },
  secondsAgo: number | null,
): void {
  const authTime = Math.floor(at.clock.now().getTime() / 1000) - (secondsAgo ?? 0);
  provider.defect = {
    claims: ({ auth_time: _, ...rest }: Json) =>
      secondsAgo === null ? rest : { ...rest, auth_time: authTime },
  };
}

describe.each(backends)("a session that began at a provider, on $backend", ({ open }) => {
  test("is not fresh where the provider may not have asked", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { stores: await open() });
    const browser = at.browser();
    expect((await signIn(browser, provider)).status).toBe(200);
    expect(await provenAt(browser)).toBeNull();
    expect(await deleting(browser)).toBe("fresh_auth_required");
    expect((await browser.patch(me, { email: "new@example.com" })).body.code).toBe("fresh_auth_required");
    expect((await browser.post("/api/v1/auth/oauth/fickle/link")).body.code).toBe("fresh_auth_required");
    expect((await browser.delete("/api/v1/auth/oauth/fickle")).body.code).toBe("fresh_auth_required");
    expect((await browser.get(me)).status).toBe(200);
    const { principal } = await at.auth.authenticate(browser.request("GET", me), { ip: null });
    expect(principal).toMatchObject({ isAuthenticated: true, authTime: new Date(0) });
  });

  test("is fresh where it was asked to ask, and says when it did", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { stores: await open() });
    const browser = at.browser();
    await signIn(browser, provider);
    at.clock.advance(60);
    says(provider, at, 2);
    await signIn(browser, provider, again);
    expect(await provenAt(browser)).toBe(new Date(at.clock.now().getTime() - 2_000).toISOString());
    expect(await deleting(browser)).toBe("deleted");
  });
});

describe("a session that began at a provider", () => {
  test("has wrong passwords at its prompt counted by itself, although its proof has no moment", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const [thief, owner] = [at.browser(), at.browser()];
    await signIn(thief, provider);
    at.clock.advance(60);
    await signIn(owner, provider);
    const ask = (browser: Browser) =>
      browser.post("/api/v1/auth/reauthenticate", { password: "a wrong guess" });
    for (let i = 0; i < 5; i++) await ask(thief);
    expect((await ask(thief)).body.code).toBe("rate_limited");
    expect((await ask(owner)).body.code).toBe("invalid_credentials");
  });

  test.each([
    ["a moment ago", 599, "deleted"],
    ["too long ago", 600, "fresh_auth_required"],
    ["two hours ago", 7_200, "fresh_auth_required"],
  ])("is as fresh as the provider says: %s", async (_when, secondsAgo, wanted) => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    says(provider, at, secondsAgo);
    for (const options of [{}, again]) {
      const browser = at.browser();
      await signIn(browser, provider, options);
      expect(await provenAt(browser)).toBe(
        new Date(at.clock.now().getTime() - secondsAgo * 1000).toISOString(),
      );
    }
    const browser = at.browser();
    await signIn(browser, provider);
    expect(await deleting(browser)).toBe(wanted);
  });

  test("is never fresher than now, by a clock that is ahead", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    says(provider, at, -1e9);
    const browser = at.browser();
    await signIn(browser, provider);
    expect(await provenAt(browser)).toBe(at.clock.now().toISOString());
    at.clock.advance(600);
    expect(await deleting(browser)).toBe("fresh_auth_required");
  });

  test("is not fresh where the provider was asked to say when, and says nothing", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    says(provider, at, null);
    const browser = at.browser();
    expect((await signIn(browser, provider, again)).status).toBe(200);
    expect(await deleting(browser)).toBe("fresh_auth_required");
  });

  test.each<[string, unknown]>([
    ["none", null],
    ["a text", "1"],
    ["before all time", -1e12],
    ["the first second", 0],
    ["after all time", 1e300],
    ["an object", {}],
  ])("is not fresh by an auth_time that is %s", async (_what, authTime) => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    provider.defect = { claims: (honest) => ({ ...honest, auth_time: authTime }) };
    const browser = at.browser();
    const { status } = await signIn(browser, provider, again);
    expect(status === 200 ? await deleting(browser) : "not signed in").toMatch(
      /fresh_auth_required|not signed in/,
    );
  });

  test("is not fresh under a new id either", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    await signIn(browser, provider);
    const idOf = async () => (await browser.get("/api/v1/auth/session")).body.session_id;
    const before = await idOf();
    expect((await browser.delete(`${me}/sessions`)).status).toBe(204);
    expect(await idOf()).not.toBe(before);
    expect(await deleting(browser)).toBe("fresh_auth_required");
  });
});

describe("a provider that does not say when, but is trusted to ask", () => {
  test("makes a session fresh where it was asked to ask, and only there", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { feature: { freshWithoutAuthTime: ["fickle"] } });
    says(provider, at, null);
    const browser = at.browser();
    await signIn(browser, provider);
    expect(await deleting(browser)).toBe("fresh_auth_required");
    await signIn(browser, provider, again);
    expect(await provenAt(browser)).toBe(at.clock.now().toISOString());
    expect(await deleting(browser)).toBe("deleted");
  });

  test("is believed where it does say when", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { feature: { freshWithoutAuthTime: ["fickle"] } });
    says(provider, at, 7_200);
    const browser = at.browser();
    await signIn(browser, provider, again);
    expect(await deleting(browser)).toBe("fresh_auth_required");
  });

  test("may be one without ID tokens, which gets no max_age", async () => {
    const fickle = await fickleProvider();
    const provider: Provider = {
      ...fickle.provider(),
      server: {
        kind: "fixed",
        issuer: fickle.url,
        authorizationEndpoint: `${fickle.url}/authorize`,
        tokenEndpoint: `${fickle.url}/token`,
        resources: { user: `${fickle.url}/userinfo` },
      },
      profile: ({ user }) => ({
        subject: "1",
        email: "ana@example.com",
        isEmailVerified: true,
        name: null,
        ...(user as object),
      }),
    };
    fickle.defect = {
      answer: (honest) => {
        honest.delete("iss");
        return honest;
      },
      token: ({ id_token: _, ...rest }) => rest,
      instead: { "/userinfo": (response) => sendJson(response, {}) },
    };
    const feature = { providers: [provider], freshWithoutAuthTime: ["fickle"] };
    const [trusted, usual] = [
      oauthWorld([], { feature }),
      oauthWorld([], { feature: { providers: [provider] } }),
    ];
    for (const [at, wanted] of [
      [trusted, "deleted"],
      [usual, "fresh_auth_required"],
    ] as const) {
      const browser = at.browser();
      expect((await signIn(browser, fickle, again)).status).toBe(200);
      expect(await deleting(browser)).toBe(wanted);
    }
    const { body } = await usual.browser().get("/api/v1/auth/oauth/fickle?fresh=on");
    expect(new URL(String(body.url)).searchParams.has("max_age")).toBe(false);
  });

  test("has to be there", async () => {
    const provider = await fickleProvider();
    expect(() => oauthWorld([provider], { feature: { freshWithoutAuthTime: ["other"] } })).toThrow(
      /no provider is called "other"/,
    );
  });
});
