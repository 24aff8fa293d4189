import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { oauth } from "../../src/features/oauth.ts";
import { world } from "../support/world.ts";
import { type Defect, fickleProvider, type Json } from "./fickle-provider.ts";
import { oauthWorld, origin, sessionCookie, signIn } from "./steps.ts";

/** Something else in the place of one field, or of a field that nobody asked for. */
type Graft = readonly [field: string, value: unknown];

const fields = [
  ..."issuer authorization_endpoint token_endpoint jwks_uri userinfo_endpoint keys kty kid n e".split(" "),
  ..."access_token token_type expires_in refresh_token scope id_token iss aud azp nonce iat exp nbf".split(
    " ",
  ),
  ..."auth_time sub email email_verified name __proto__ toString constructor".split(" "),
];
const graft: fc.Arbitrary<Graft> = fc.tuple(
  fc.constantFrom(...fields),
  fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom("", "x", "https://localhost:9/", "javascript:1", -1, 1e308, "a\u0000b", [], {}, null),
  ),
);
const step = fc.constantFrom<keyof Defect>("metadata", "claims", "token", "jwks", "userinfo");

function grafted([field, value]: Graft): (honest: Json) => Json {
  return (honest) => {
    const changed: Json = { ...honest };
    Object.defineProperty(changed, field, { value, enumerable: true, configurable: true, writable: true });
    return changed;
  };
}

let provider: Awaited<ReturnType<typeof fickleProvider>>;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ provider, stop } = await lastingProvider());
});
afterAll(() => stop());

test("whatever a provider answers: a session or a refusal that is on record, and never a fault of ours", async () => {
  await fc.assert(
    fc.asyncProperty(step, graft, async (where, what) => {
      provider.defect = { [where]: grafted(what) };
      const at = oauthWorld([provider]);
      try {
        const browser = at.browser();
        const begun = await browser.get("/api/v1/auth/oauth/fickle");
        const answer = begun.status === 200 ? await signIn(browser, provider) : begun;
        expect([200, 400, 409, 502]).toContain(answer.status);
        expect(browser.jar.has(sessionCookie)).toBe(answer.status === 200);
        if (answer.status !== 200) expect(at.heard("oauth.refused").length).toBeGreaterThan(0);
        expect(at.log.filter(({ fields }) => fields.code === "internal_error")).toEqual([]);
      } finally {
        provider.defect = {};
      }
    }),
    { numRuns: 150 },
  );
});

test("whatever comes to the callback is refused, and never a fault of ours", async () => {
  const parameters = fc.array(
    fc.tuple(
      fc.constantFrom("code", "state", "iss", "error", "response", "again", "next"),
      fc.string({ unit: "binary" }),
    ),
    { maxLength: 6 },
  );
  const cookie = fc.oneof(fc.constant(null), fc.stringMatching(/^[\w.-]{0,80}$/));
  const { auth } = world({ origin, features: [oauth({ providers: [provider.provider()] })] });
  await fc.assert(
    fc.asyncProperty(parameters, cookie, fc.boolean(), async (query, sent, isPage) => {
      const url = `${origin}/api/v1/auth/oauth/callback/fickle?${new URLSearchParams(query.map(([name, value]) => [name, value]))}`;
      const headers = new Headers(isPage ? { "Sec-Fetch-Mode": "navigate" } : {});
      if (sent !== null) headers.set("Cookie", `latchkey-oauth=${sent}`);
      const answer = await auth.handle(new Request(url, { headers }), { ip: null });
      expect([answer?.status, answer?.headers.getSetCookie()]).toEqual([isPage ? 303 : 400, []]);
    }),
    { numRuns: 300 },
  );
});

// One for all runs: starting a server and making keys for each would be most of the time.
async function lastingProvider() {
  const closing: (() => Promise<void>)[] = [];
  const made = await fickleProvider("fickle", (close) => void closing.push(close));
  return { provider: made, stop: async () => void (await Promise.all(closing.map((close) => close()))) };
}
