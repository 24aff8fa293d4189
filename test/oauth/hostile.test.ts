import { describe, expect, test } from "vitest";
import { fickleProvider } from "./fickle-provider.ts";
import { hostileCases } from "./hostile-cases.ts";
import { attemptCookie, begin, bring, oauthWorld, origin, refusals, sessionCookie, signIn } from "./steps.ts";

describe.each(Object.entries(hostileCases))("%s", (_about, cases) => {
  test.each(cases)("$name is refused: $reason", async ({ defect, reason, status = 400, at: where }) => {
    const provider = await fickleProvider();
    provider.defect = defect;
    // Short only where it is to pass: the machine may be busy.
    const calls = { timeoutMs: reason === "timeout" ? 1_000 : 10_000 };
    const at = oauthWorld([provider], { feature: { calls } });
    const browser = at.browser();
    const answer =
      where === "start" ? await browser.get("/api/v1/auth/oauth/fickle") : await signIn(browser, provider);
    expect([answer.status, answer.body.code]).toEqual([
      status,
      status === 502 ? "provider_unavailable" : "provider_refused",
    ]);
    expect(await refusals(at)).toEqual([reason]);
    expect(browser.jar.has(sessionCookie)).toBe(false);
    expect(await at.auth.users.findByIdentifier("ana@example.com")).toBeNull();
    expect(await at.audit("session.started")).toEqual([]);
    // What was refused was bad by this alone: without it the same person comes in.
    provider.defect = {};
    const honest = at.again();
    expect((await signIn(honest.browser(), provider)).status).toBe(200);
  });
});

describe("an answer that belongs to something else", () => {
  test("to another browser is refused, though its state is good", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const [eve, victim] = [at.browser(), at.browser()];
    const evesAnswer = provider.authorize(await begin(eve));
    expect((await bring(victim, evesAnswer)).status).toBe(400);
    await begin(victim);
    expect((await bring(victim, evesAnswer)).status).toBe(400);
    expect(await refusals(at)).toEqual(["no_attempt", "state_mismatch"]);
    expect(victim.jar.has(sessionCookie)).toBe(false);
    expect(provider.redeemed).toEqual([]);
    // Nothing was spent by the one who could not use it.
    expect((await bring(eve, evesAnswer)).status).toBe(200);
  });

  test("to another provider is refused before its code is sent anywhere (mix-up)", async () => {
    const [honest, evil] = [await fickleProvider(), await fickleProvider("evil")];
    const providers = [honest.provider(), evil.provider({ name: "evil" })];
    const at = oauthWorld([], { feature: { providers } });
    const browser = at.browser();
    const answer = honest.authorize(await begin(browser));
    expect((await bring(browser, answer, { name: "evil" })).status).toBe(400);
    expect(await refusals(at)).toEqual(["provider_mismatch"]);
    expect([honest.redeemed, evil.redeemed]).toEqual([[], []]);
  });

  test("with everything twice is refused", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    for (const name of ["state", "code", "iss"]) {
      const browser = at.browser();
      const answer = provider.authorize(await begin(browser));
      answer.append(name, name === "state" ? (answer.get(name) ?? "") : "another");
      expect([name, (await bring(browser, answer)).status]).toEqual([name, 400]);
    }
    expect(await refusals(at)).toEqual(["state_mismatch", "response_malformed", "response_malformed"]);
    expect(provider.redeemed).toEqual([]);
  });

  test("that is older than ten minutes is refused, and one that is almost is not", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const [late, inTime] = [at.browser(), at.browser()];
    const urls = [await begin(late), await begin(inTime)] as const;
    at.clock.advance(599.999);
    expect((await bring(inTime, provider.authorize(urls[1]))).status).toBe(200);
    at.clock.advance(0.001);
    expect((await bring(late, provider.authorize(urls[0]))).status).toBe(400);
    expect(await refusals(at)).toEqual(["attempt_expired"]);
  });
});

describe("a code", () => {
  test("works once: of any number of answers with it one comes in", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    const answer = provider.authorize(await begin(browser));
    const copies = Array.from({ length: 8 }, () => browser.copy());
    const statuses = await Promise.all(copies.map(async (copy) => (await bring(copy, answer)).status));
    expect(statuses.toSorted()).toEqual([200, ...Array(7).fill(400)]);
    expect(provider.redeemed).toHaveLength(1);
    expect(await refusals(at)).toEqual(Array(7).fill("state_reused"));
    expect((await at.audit("session.started")).length).toBe(1);
  });

  test("that was redeemed is refused under a new state, too", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    const first = provider.authorize(await begin(browser));
    await bring(browser, first);
    const second = provider.authorize(await begin(browser));
    second.set("code", first.get("code") ?? "");
    expect((await bring(browser, second)).status).toBe(400);
    expect(await refusals(at)).toEqual(["code_refused"]);
  });

  test("that somebody else's browser obtained does not fit this one's verifier", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const [eve, victim] = [at.browser(), at.browser()];
    const stolen = provider.authorize(await begin(victim)).get("code") ?? "";
    const answer = provider.authorize(await begin(eve));
    answer.set("code", stolen);
    expect((await bring(eve, answer)).status).toBe(400);
    expect(await refusals(at)).toEqual(["code_refused"]);
  });
});

describe("the cookie of an attempt", () => {
  test("tells nothing, and is for this answer alone", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const browser = at.browser();
    const { cookies, body } = await browser.get("/api/v1/auth/oauth/fickle");
    const [cookie] = cookies;
    expect(cookie).toMatchObject({ name: attemptCookie });
    expect(cookie?.attributes).toMatchObject({ samesite: "Lax", httponly: "", "max-age": "600", path: "/" });
    const [header = ""] = cookie?.value.split(".") ?? [];
    const { alg, enc, ...rest } = JSON.parse(Buffer.from(header, "base64url").toString());
    expect([alg, enc, Object.keys(rest)]).toEqual(["dir", "A256GCM", ["kid"]]);
    const { searchParams } = new URL(String(body.url));
    for (const name of ["state", "nonce", "code_challenge"])
      expect(cookie?.value).not.toContain(searchParams.get(name));
  });

  test("that was changed, cut, or made under another secret is none", async () => {
    const provider = await fickleProvider();
    const at = oauthWorld([provider]);
    const foreign = at.again({ secrets: ["another secret of at least thirty-two bytes"] });
    const spoil: readonly ((value: string) => string)[] = [
      (value) => value.slice(0, -1),
      (value) => value.replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === "A" ? "B" : "A"}${rest}`),
      (value) => value.split(".").toSpliced(3, 1, "AAAA").join("."),
      () => "x".repeat(40_000),
      () => "",
    ];
    for (const change of spoil) {
      const browser = at.browser();
      const answer = provider.authorize(await begin(browser));
      browser.jar.set(attemptCookie, change(browser.jar.get(attemptCookie) ?? ""));
      expect((await bring(browser, answer)).status).toBe(400);
    }
    const browser = at.browser();
    const answer = provider.authorize(await begin(browser));
    const other = foreign.browser();
    other.jar.set(attemptCookie, browser.jar.get(attemptCookie) ?? "");
    expect((await bring(other, answer)).status).toBe(400);
    expect(await refusals(at)).toEqual(Array(spoil.length + 1).fill("no_attempt"));
  });

  test("opens under a former secret while a new one is brought in", async () => {
    const provider = await fickleProvider();
    const [former, current] = ["a former secret of thirty-two bytes", "a current secret of thirty-two bytes"];
    const before = oauthWorld([provider], { secrets: [former] });
    const browser = before.browser();
    const answer = provider.authorize(await begin(browser));
    const after = before.again({ secrets: [current, former] }).browser();
    after.jar.set(attemptCookie, browser.jar.get(attemptCookie) ?? "");
    expect((await bring(after, answer)).status).toBe(200);
  });
});

test("what a provider says stands in no answer, log or audit row", async () => {
  const provider = await fickleProvider();
  provider.defect = { claims: (honest) => ({ ...honest, aud: "secret-audience", leaked: "hunter2" }) };
  const diagnoses: unknown[] = [];
  const at = oauthWorld([provider], {
    onError({ diagnosis, cause }) {
      diagnoses.push(diagnosis, cause);
      return null;
    },
  });
  const { text } = await signIn(at.browser(), provider);
  expect(diagnoses).toEqual(["fickle: id_token_aud OAUTH_JWT_CLAIM_COMPARISON_FAILED", undefined]);
  const told = text + JSON.stringify(await at.audit()) + JSON.stringify(at.log);
  expect(told).not.toMatch(/hunter2|secret-audience|refresh-/);
});

test("refusals that strangers cause cost a bounded number of rows", async () => {
  const provider = await fickleProvider();
  const at = oauthWorld([provider]);
  for (let times = 0; times < 30; times++) await bring(at.browser(), new URLSearchParams({ state: "x" }));
  expect(await refusals(at)).toHaveLength(20);
  expect(at.heard("oauth.refused")).toHaveLength(30);
});

test("no provider on plain http is taken where the site is not this machine's", async () => {
  const provider = await fickleProvider();
  const open = () => oauthWorld([provider], { origin: "https://app.example" });
  expect(open).toThrow(/no https address/);
  const other = provider.provider({ server: { kind: "discovered", issuer: "http://idp.example" } });
  const elsewhere = () => oauthWorld([], { feature: { providers: [other] } });
  expect(elsewhere).toThrow(/no https address/);
  const silent = provider.provider({ dangerouslyAllowHttp: false });
  expect(() => oauthWorld([], { origin, feature: { providers: [silent] } })).toThrow(/no https address/);
});
