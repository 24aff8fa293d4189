import { afterAll, beforeAll, expect, test } from "vitest";
import { type HonestProvider, honestProvider } from "./honest-provider.ts";
import { begin, bring, oauthWorld, origin, refusals } from "./steps.ts";

const redirectUri = `${origin}/api/v1/auth/oauth/callback/honest`;
let honest: HonestProvider;

beforeAll(async () => {
  honest = await honestProvider();
  await honest.serve(redirectUri);
});
afterAll(() => honest.close());

/** Somebody at the provider, who follows where it leads and types a name, until it leads back. */
async function authorize(start: string, name: string): Promise<URLSearchParams> {
  const jar = new Map<string, string>();
  let url = new URL(start);
  let form: URLSearchParams | null = null;
  while (!url.href.startsWith(redirectUri)) {
    const answer: Response = await fetch(url, {
      redirect: "manual",
      headers: { Cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
      ...(form !== null && { method: "POST", body: form }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, key = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(key, value);
    }
    const location = answer.headers.get("location");
    form = location === null ? new URLSearchParams({ name }) : null;
    if (location !== null) url = new URL(location, url);
    else if (answer.status !== 200)
      throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  }
  return url.searchParams;
}

test("a certified provider signs in, again and for somebody else", async () => {
  const at = oauthWorld([], { feature: { providers: [honest.provider] } });
  const come = async (name: string) => {
    const browser = at.browser();
    const answer = await authorize(await begin(browser, "", "honest"), name);
    expect(answer.get("iss")).toBe(honest.issuer);
    return bring(browser, answer, { name: "honest" });
  };
  const first = await come("ada");
  expect([first.status, first.body.user]).toMatchObject([
    200,
    // It tells the address at userinfo alone.
    { email: "ada@example.com", email_verified: true, name: "ada" },
  ]);
  expect((await come("ada")).body.user?.id).toBe(first.body.user?.id);
  expect((await come("bob")).body.user?.id).not.toBe(first.body.user?.id);
  expect(await refusals(at)).toEqual([]);
});

test("its code is not redeemed without the verifier of the request", async () => {
  const at = oauthWorld([], { feature: { providers: [honest.provider] } });
  const [victim, eve] = [at.browser(), at.browser()];
  const stolen = await authorize(await begin(victim, "", "honest"), "ada");
  const own = await authorize(await begin(eve, "", "honest"), "eve");
  own.set("code", stolen.get("code") ?? "");
  expect((await bring(eve, own, { name: "honest" })).status).toBe(400);
  expect(await refusals(at)).toEqual(["code_refused"]);
});
