import { describe, expect, test } from "vitest";
import { anonymous } from "../../src/domain/principal.ts";
import { AuthError } from "../../src/errors.ts";
import { anyone } from "../../src/guards/guards.ts";
import { authenticate, inAskingOrder } from "../../src/pipeline/authenticate.ts";
import type { Outcome, Strategy } from "../../src/ports/strategy.ts";
import { bareRequest } from "../support/browser.ts";
import { bearer, bearerPrincipal } from "../support/strategies.ts";
import { cookieName, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };

function fixed(
  name: string,
  outcome: Outcome | Promise<Outcome>,
  ambient = false,
): Strategy & { asked: number } {
  const strategy = {
    name,
    ambient,
    challenge: name,
    asked: 0,
    authenticate() {
      strategy.asked++;
      return outcome;
    },
  };
  return strategy;
}

const absent: Outcome = { kind: "absent" };

test("strategies of explicit proofs are asked before ambient ones, in the configured order within each group", () => {
  const strategies = ["a", "b", "c", "d"].map((name, index) => fixed(name, absent, index % 2 === 0));
  expect(inAskingOrder(strategies).map(({ name }) => name)).toEqual(["b", "d", "a", "c"]);
});

for (const isAsync of [false, true]) {
  const answer = (outcome: Outcome) => (isAsync ? Promise.resolve(outcome) : outcome);

  describe(`outcomes that are answered ${isAsync ? "later" : "at once"}`, () => {
    test("absent asks the next, and the first that accepts has the last word", async () => {
      const { make, clock } = world();
      const principal = bearerPrincipal(make.user(), clock.now());
      const [first, second, third] = [
        fixed("first", answer(absent)),
        fixed("second", answer({ kind: "accepted", principal }), true),
        fixed("third", answer(absent)),
      ];
      const who = await authenticate([first, second, third], bareRequest({}), client);
      expect(who).toMatchObject({ principal, isAmbient: true, session: null, reason: undefined });
      expect([first, second, third].map(({ asked }) => asked)).toEqual([1, 1, 0]);
    });

    test("rejected is final: nobody else is asked", async () => {
      const error = new AuthError("token_invalid");
      const next = fixed("next", answer(absent));
      const asking = async () =>
        authenticate([fixed("first", answer({ kind: "rejected", error })), next], bareRequest({}), client);
      await expect(asking()).rejects.toBe(error);
      expect(next.asked).toBe(0);
    });

    test("absent everywhere is nobody, with what a stale proof left behind", async () => {
      const nothing = await authenticate([fixed("a", answer(absent))], bareRequest({}), client);
      expect(nothing).toEqual({
        principal: anonymous,
        session: null,
        change: undefined,
        isAmbient: false,
        reason: undefined,
      });
      const change = { session: "clear" } as const;
      const stale = fixed("a", answer({ kind: "absent", reason: "session_expired", change }), true);
      const who = await authenticate([stale, fixed("b", answer(absent))], bareRequest({}), client);
      expect(who).toMatchObject({
        principal: anonymous,
        change,
        reason: "session_expired",
        isAmbient: false,
      });
    });

    test("a stale proof is forgotten once another is accepted", async () => {
      const { make, clock } = world();
      const principal = bearerPrincipal(make.user(), clock.now());
      const stale = fixed(
        "a",
        answer({ kind: "absent", reason: "session_expired", change: { session: "clear" } }),
      );
      const who = await authenticate(
        [stale, fixed("b", answer({ kind: "accepted", principal }))],
        bareRequest({}),
        client,
      );
      expect(who).toMatchObject({ principal, change: undefined, reason: undefined });
    });
  });
}

describe("through createAuth", () => {
  const authorization = (word: string) => ({ authorization: `Test ${word}` });

  test("an accepted explicit proof makes the cookie irrelevant: it is not looked up", async () => {
    const first = world();
    const ana = await first.registered();
    const other = first.make.user({ username: "other" });
    const { auth, recorder } = first.again({ strategies: [bearer(other)] });
    const verdict = await auth.check(ana.request("GET", "/x", { headers: authorization("good") }), client);
    expect(verdict).toMatchObject({ ok: true, principal: { via: "bearer", user: { id: other.id } } });
    expect(recorder.calls).toEqual([]);
  });

  test("and no CSRF token is asked for, whatever the cookie and the origin are", async () => {
    const first = world();
    const ana = await first.registered();
    const { auth, recorder } = first.again({ strategies: [bearer(first.make.user(), { isAsync: true })] });
    const headers = {
      ...authorization("good"),
      origin: "https://evil.example",
      "sec-fetch-site": "cross-site",
    };
    const verdict = await auth.check(ana.request("POST", "/x", { csrf: false, headers }), client);
    expect(verdict.ok).toBe(true);
    expect(recorder.calls).toEqual([]);
  });

  test("an explicit proof that nobody claims leaves the cookie's word", async () => {
    const first = world();
    const ana = await first.registered();
    const { auth } = first.again({ strategies: [bearer(first.make.user())] });
    const verdict = await auth.check(
      ana.request("GET", "/x", { headers: { authorization: "Basic x" } }),
      client,
    );
    expect(verdict).toMatchObject({ ok: true, principal: { via: "session", user: { id: ana.userId } } });
  });

  test("a rejected proof is final on a public route too, and beside a good cookie", async () => {
    const first = world();
    const ana = await first.registered();
    const { auth, browser, recorder } = first.again({ strategies: [bearer(first.make.user())] });
    const request = ana.request("GET", "/x", { headers: authorization("bad") });
    const verdict = await auth.check(request, client, anyone());
    expect(verdict).toMatchObject({ ok: false, error: { code: "token_invalid" } });
    await expect(auth.authenticate(request, client)).rejects.toMatchObject({ code: "token_invalid" });
    expect(recorder.calls).toEqual([]);
    const answer = await browser().get("/api/v1/auth/session", { headers: authorization("bad") });
    expect(answer).toMatchObject({ status: 400, body: { code: "token_invalid" } });
  });

  test("authenticate tells who it is, and nobody without an error", async () => {
    const { auth, registered, browser } = world();
    const ana = await registered();
    expect(await auth.authenticate(ana.request("POST", "/x", { csrf: false }), client)).toMatchObject({
      principal: { isAuthenticated: true, via: "session", user: { id: ana.userId } },
    });
    expect(await auth.authenticate(browser().request("GET", "/x"), client)).toEqual({
      principal: anonymous,
      change: undefined,
    });
    ana.jar.set(cookieName, `${"a".repeat(24)}.${"b".repeat(43)}`);
    expect(await auth.authenticate(ana.request("GET", "/x"), client)).toEqual({
      principal: anonymous,
      change: { session: "clear" },
    });
  });

  test("the session cookie is asked after the application's own strategies, ambient ones included", async () => {
    const first = world();
    const ana = await first.registered();
    const { auth } = first.again({
      strategies: [bearer(first.make.user({ username: "other" }), { ambient: true })],
    });
    const verdict = await auth.check(ana.request("GET", "/x", { headers: authorization("good") }), client);
    expect(verdict).toMatchObject({ ok: true, principal: { via: "bearer" } });
  });

  test("an ambient proof of the application's own needs the CSRF stages, and without a session no token fits", async () => {
    const first = world();
    const ana = await first.registered();
    const other = first.make.user({ username: "other" });
    const { auth, browser } = first.again({ strategies: [bearer(other, { ambient: true })] });
    const forged = {
      ...authorization("good"),
      origin: "https://evil.example",
      "sec-fetch-site": "cross-site",
    };
    expect(await auth.check(browser().request("POST", "/x", { headers: forged }), client)).toMatchObject({
      ok: false,
      error: { code: "origin_rejected" },
    });
    expect(
      await auth.check(ana.request("POST", "/x", { headers: authorization("good") }), client),
    ).toMatchObject({
      ok: false,
      error: { code: "csrf_failed" },
    });
  });

  test("a strategy that throws is a failure, and never nobody", async () => {
    const broken: Strategy = {
      name: "broken",
      ambient: false,
      challenge: "Broken",
      authenticate: () => {
        throw new Error("the backend is down");
      },
    };
    const { auth, log, browser } = world({ strategies: [broken] });
    const verdict = await auth.check(browser().request("GET", "/x"), client, anyone());
    expect(verdict).toMatchObject({ ok: false, error: { code: "internal_error" } });
    expect(log).toMatchObject([{ level: "error", fields: { code: "internal_error" } }]);
  });
});
