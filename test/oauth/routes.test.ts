import { describe, expect, test } from "vitest";
import { fickleProvider } from "./fickle-provider.ts";
import { attemptCookie, begin, bring, oauthWorld, origin, sessionCookie, signIn } from "./steps.ts";

const start = "/api/v1/auth/oauth/fickle";
const navigating = { "Sec-Fetch-Mode": "navigate", Accept: "text/html" };

describe("the start", () => {
  test.each([
    ["a program", {}, 200],
    ["who accepts HTML by name", { Accept: "text/html" }, 302],
    ["a navigation", { "Sec-Fetch-Mode": "navigate" }, 302],
  ])("answers %s as it can read it", async (_who, headers, wanted) => {
    const provider = await fickleProvider();
    const browser = oauthWorld([provider]).browser();
    const { status, body, headers: told } = await browser.get(start, { headers });
    const url = new URL(String(wanted === 302 ? told.get("location") : body.url));
    expect([status, url.origin]).toEqual([wanted, provider.url]);
    expect(browser.jar.has(attemptCookie)).toBe(true);
    expect(told.get("cache-control")).toBe("no-store");
  });

  test.each([
    ["a link on another site's page", { "Sec-Fetch-Site": "cross-site", Referer: "https://evil.example/" }],
    ["another site's page that hides where it is", { "Sec-Fetch-Site": "cross-site" }],
    ["a page of a sibling domain", { "Sec-Fetch-Site": "same-site", Referer: "https://x.example.com/" }],
    [
      "one that is named like a trusted one",
      { "Sec-Fetch-Site": "cross-site", Referer: "https://partner.example.evil.example/" },
    ],
    ["a sandbox", { "Sec-Fetch-Site": "cross-site", Origin: "null", Referer: "https://partner.example/" }],
    ["no page, but with an address that is none", { "Sec-Fetch-Site": "cross-site", Referer: "::" }],
  ])("is not made by %s: that leads to the sign-in page", async (_who, headers) => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { trustedOrigins: ["https://partner.example"] });
    for (const each of [at.browser(), await at.registered()]) {
      const before = at.recorder.trace().filter((call) => call !== "sessions.find").length;
      const options = { headers: { ...navigating, ...headers } };
      const { status, headers: told, cookies } = await each.get(`${start}?next=%2Fa%3Fb&fresh=on`, options);
      expect([status, told.get("location"), cookies]).toEqual([303, "/login?next=%2Fa%3Fb", []]);
      const foreign = await each.get(`${start}?next=%2F%2Fevil.example`, options);
      expect(foreign.headers.get("location")).toBe("/login");
      expect(at.recorder.trace().filter((call) => call !== "sessions.find")).toHaveLength(before);
    }
  });

  test.each([
    ["a link on a page of ours", { "Sec-Fetch-Site": "same-origin" }],
    ["an address that was typed", { "Sec-Fetch-Site": "none" }],
    ["a browser that does not say", { "Sec-Fetch-Site": null }],
    [
      "a page of a trusted origin",
      { "Sec-Fetch-Site": "cross-site", Referer: "https://partner.example/a?b" },
    ],
    ["a form of a trusted origin", { "Sec-Fetch-Site": "cross-site", Origin: "https://partner.example" }],
  ])("is made by %s", async (_who, headers) => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { trustedOrigins: ["https://partner.example"] });
    const { status, headers: told } = await at
      .browser()
      .get(start, { headers: { ...navigating, ...headers } });
    expect([status, new URL(told.get("location") ?? "").origin]).toEqual([302, provider.url]);
  });

  test("is answered to a program wherever it runs", async () => {
    const provider = await fickleProvider();
    const headers = {
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "cors",
      Origin: "https://app.partner.example",
    };
    const { status, body } = await oauthWorld([provider]).browser().get(start, { headers });
    expect([status, new URL(String(body.url)).origin]).toEqual([200, provider.url]);
  });

  test("asks for what the provider is said to need, with PKCE, and with nothing twice", async () => {
    const provider = await fickleProvider();
    const url = new URL(await begin(oauthWorld([provider]).browser()));
    const names = [...url.searchParams.keys()];
    expect(names.toSorted()).toEqual([
      "client_id",
      "code_challenge",
      "code_challenge_method",
      "nonce",
      "redirect_uri",
      "response_type",
      "scope",
      "state",
    ]);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      response_type: "code",
      scope: "openid email profile",
      redirect_uri: `${origin}/api/v1/auth/oauth/callback/fickle`,
      code_challenge_method: "S256",
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  test("never asks the same thing twice", async () => {
    const provider = await fickleProvider();
    const browser = oauthWorld([provider]).browser();
    const [one, other] = [new URL(await begin(browser)), new URL(await begin(browser))];
    for (const name of ["state", "nonce", "code_challenge"])
      expect(one.searchParams.get(name)).not.toBe(other.searchParams.get(name));
  });

  test("asks the provider to ask the person again where that is wanted", async () => {
    const provider = await fickleProvider();
    const url = await begin(oauthWorld([provider]).browser(), "?fresh=on");
    const { searchParams } = new URL(url);
    expect([searchParams.get("prompt"), searchParams.get("max_age")]).toEqual(["login", "0"]);
  });

  test("asks for the metadata once, and again after an hour, and again after a failure", async () => {
    const provider = await fickleProvider();
    let asked = 0;
    provider.defect = { metadata: (honest) => ({ ...honest, asked: asked++ }) };
    const at = oauthWorld([provider]);
    await Promise.all([begin(at.browser()), begin(at.browser()), begin(at.browser())]);
    await begin(at.browser());
    expect(asked).toBe(1);
    at.clock.advance(3_600);
    provider.defect = { instead: { "/.well-known/openid-configuration": (response) => response.destroy() } };
    expect((await at.browser().get(start)).status).toBe(502);
    provider.defect = {};
    expect((await at.browser().get(start)).status).toBe(200);
  });

  test("of a provider that is not set up is 404 and names what to set", async () => {
    const unconfigured = { google: "Sign-in with Google is not set up: GOOGLE_CLIENT_ID is missing." };
    const at = oauthWorld([], { feature: { unconfigured } });
    const paths = ["google", "unheard-of", "__proto__", "constructor", "%00", "toString"];
    for (const name of paths) {
      const { status, body } = await at.browser().get(`/api/v1/auth/oauth/${name}`, { headers: navigating });
      expect([name, status, body.code]).toEqual([name, 404, "not_found"]);
      if (name === "google") expect(body.detail).toBe(unconfigured.google);
      else expect(body.detail).toBe("No such provider is configured.");
      expect((await at.browser().get(`/api/v1/auth/oauth/callback/${name}`)).status).toBe(404);
    }
  });

  test("is limited for one address", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    for (let times = 0; times < 300; times++) await browser.get(start);
    expect((await browser.get(start)).status).toBe(429);
    browser.ip = "192.0.2.99";
    expect((await browser.get(start)).status).toBe(200);
  });
});

describe("the callback, for a navigation", () => {
  test("goes on to the application, or to where the person was going", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const plain = await signIn(at.browser(), provider, { page: true });
    expect([plain.status, plain.headers.get("location")]).toEqual([303, "/app/dashboard"]);
    const query = `?next=${encodeURIComponent("/invoices?page=2#last")}`;
    const onward = await signIn(at.browser(), provider, { page: true, query });
    expect(onward.headers.get("location")).toBe("/invoices?page=2#last");
  });

  test.each([
    "//evil.example",
    "https://evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "",
    "/.//evil",
  ])("never leads to %s", async (next) => {
    const provider = await fickleProvider();
    const query = `?next=${encodeURIComponent(next)}`;
    const { headers } = await signIn(oauthWorld([provider]).browser(), provider, { page: true, query });
    expect(headers.get("location")).toBe("/app/dashboard");
  });

  test("tells a refusal on the sign-in page, by its code alone", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const parameters = new URLSearchParams({ error: "<script>", error_description: "Call 555-0100" });
    const { status, headers } = await bring(at.browser(), parameters, { page: true });
    expect([status, headers.get("location")]).toEqual([
      303,
      "/login?refused=provider_refused&provider=fickle",
    ]);
  });

  test("tells who is signed in on their account page", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { feature: { accountPath: "/me/account" } });
    const ana = await at.registered();
    const refused = await bring(ana, new URLSearchParams(), { page: true });
    expect(refused.headers.get("location")).toBe("/me/account?refused=provider_refused&provider=fickle");
    const form = { _token: ana.jar.get("latchkey-csrf") ?? "" };
    const begun = await ana.send("POST", `${start}/link`, { form, csrf: false, headers: navigating });
    const [, url = ""] = /^0; url=(.*)$/.exec(begun.headers.get("refresh") ?? "") ?? [];
    expect([begun.status, new URL(url).origin]).toEqual([200, provider.url]);
    const linked = await bring(ana, provider.authorize(url), { page: true });
    expect([linked.status, linked.headers.get("location")]).toEqual([
      303,
      "/me/account?done=linked#accounts",
    ]);
    at.clock.advance(600);
    const stale = await ana.send("POST", `${start}/link`, { form, csrf: false, headers: navigating });
    expect(stale.headers.get("location")).toBe("/me/account?refused=fresh_auth_required&provider=fickle");
  });

  test("comes once more from this site where the session cookie is strict", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], { cookie: { sameSite: "strict" } });
    const browser = at.browser();
    const { cookies, body } = await browser.get(start);
    // Its own cookie has to come along with the provider's redirect.
    expect(cookies.map(({ name, attributes }) => [name, attributes.samesite])).toEqual([
      [attemptCookie, "Lax"],
    ]);
    const answer = provider.authorize(String(body.url));
    const first = await bring(browser, answer, { page: true });
    const [, path = ""] = /^0; url=(.*)$/.exec(first.headers.get("refresh") ?? "") ?? [];
    expect([first.status, browser.jar.has(sessionCookie)]).toEqual([200, false]);
    expect(path).toMatch(/^\/api\/v1\/auth\/oauth\/callback\/fickle\?code=/);
    const second = await browser.get(path, { headers: navigating });
    expect([second.status, second.headers.get("location")]).toEqual([303, "/app/dashboard"]);
    expect(browser.jar.has(sessionCookie)).toBe(true);
  });
});

describe("an answer that is posted by the provider's page", () => {
  const foreign = { "Sec-Fetch-Site": "cross-site", Origin: "https://appleid.apple.com", ...navigating };
  const callback = "/api/v1/auth/oauth/callback/fickle";

  test("changes nothing, and sends the browser to the GET with what is known of an answer", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    const answer = provider.authorize(await begin(browser));
    const cookieless = at.browser();
    const before = at.recorder.trace().length;
    const form = { ...Object.fromEntries(answer), user: '{"name":{}}', id_token: "x", next: "//evil" };
    const { status, headers, cookies } = await cookieless.send("POST", callback, { form, headers: foreign });
    expect([status, cookies]).toEqual([303, []]);
    expect(at.recorder.trace().slice(before)).toEqual([]);
    const location = new URL(headers.get("location") ?? "", origin);
    expect([location.origin, location.pathname]).toEqual([origin, callback]);
    expect([...location.searchParams.keys()].toSorted()).toEqual(["code", "iss", "state"]);
    const gone = await browser.get(`${location.pathname}${location.search}`, { headers: navigating });
    expect([gone.status, browser.jar.has(sessionCookie)]).toEqual([303, true]);
  });

  test("is let through with a session cookie that other sites' forms carry, too", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider], {
      trustedOrigins: ["https://partner.example"],
    });
    const ana = await at.registered();
    const answer = await ana.send("POST", callback, { form: { code: "x" }, csrf: false, headers: foreign });
    expect([answer.status, answer.cookies]).toEqual([303, []]);
  });

  test("is bounded", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const form = { code: "x".repeat(5_000) };
    expect((await at.browser().send("POST", callback, { form, headers: foreign })).status).toBe(400);
  });
});

test("every row says in the OpenAPI document what it answers", async () => {
  const at = oauthWorld([await fickleProvider()]);
  const { body } = await at.browser().get("/api/v1/openapi.json");
  const paths = Object.keys(body.paths as object).filter((path) => /oauth|accounts/.test(path));
  expect(paths).toEqual([
    "/api/v1/auth/oauth/{provider}",
    "/api/v1/auth/oauth/callback/{provider}",
    "/api/v1/auth/oauth/{provider}/link",
    "/api/v1/users/me/accounts",
  ]);
});
