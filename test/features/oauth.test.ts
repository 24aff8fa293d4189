import { describe, expect, onTestFinished, test } from "vitest";
import { createAuth } from "../../src/auth.ts";
import { github, google, type OAuthOptions, oauth, oidc } from "../../src/features/oauth.ts";
import { memory } from "../../src/stores/memory.ts";
import { fickleProvider } from "../oauth/fickle-provider.ts";
import { origin, signIn } from "../oauth/steps.ts";
import { browserOn } from "../support/browser.ts";
import { world } from "../support/world.ts";

const credentials = { clientId: "id", clientSecret: "secret" };

function refusal(options: OAuthOptions): string {
  try {
    world({ features: [oauth(options)] });
    return "";
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return error.message;
  }
}

describe("what cannot be used is a TypeError that says so", () => {
  test.each<[string, OAuthOptions, RegExp]>([
    [
      "a client id that is not there",
      { providers: [google({ ...credentials, clientId: undefined as unknown as string })] },
      /google needs its client id/,
    ],
    [
      "a client secret that is not there",
      { providers: [google({ ...credentials, clientSecret: undefined as unknown as string })] },
      /google needs its client id/,
    ],
    ["a provider twice", { providers: [google(credentials), google(credentials)] }, /google is listed twice/],
    ...["", "Google", "a b", "callback", "link", "x".repeat(33), "é"].map(
      (name): [string, OAuthOptions, RegExp] => [
        `the name ${JSON.stringify(name)}`,
        { providers: [{ ...google(credentials), name }] },
        /cannot be a provider's name/,
      ],
    ),
    ["no client id", { providers: [google({ ...credentials, clientId: "" })] }, /client id and secret/],
    ["no secret", { providers: [google({ ...credentials, clientSecret: "" })] }, /client id and secret/],
    [
      "plain http",
      { providers: [oidc({ ...credentials, issuer: "http://idp.example" })] },
      /http:\/\/idp.example is no https address/,
    ],
    [
      "plain http at one of the endpoints",
      { providers: [github({ ...credentials, url: "http://git.example" })] },
      /no https address/,
    ],
    ...["app.example", "https://app.example/", "https://app.example/path", "ftp://app.example"].map(
      (redirectBaseUrl): [string, OAuthOptions, RegExp] => [
        `providers that send people back to ${redirectBaseUrl}`,
        { providers: [], redirectBaseUrl },
        /redirectBaseUrl: ".*" is no origin/,
      ],
    ),
    ...["https://other.example", "http://app.example", "https://login.app.example"].map(
      (redirectBaseUrl): [string, OAuthOptions, RegExp] => [
        `providers that send people back to ${redirectBaseUrl}, where their cookies are not`,
        { providers: [], redirectBaseUrl },
        /another scheme or host than https:\/\/app.example/,
      ],
    ),
    ["no address", { providers: [oidc({ ...credentials, issuer: "idp" })] }, /idp is no https address/],
    [
      "a provider to link by that is not there",
      { providers: [google(credentials)], linkByEmail: ["googel"] },
      /no provider is called "googel"/,
    ],
    [
      "a provider to link by that runs no mailboxes",
      { providers: [github(credentials)], linkByEmail: ["github"] },
      /does not run the mailboxes/,
    ],
  ])("%s", (_what, options, message) => expect(refusal(options)).toMatch(message));

  test("a provider that is in order is taken", () => {
    expect(refusal({ providers: [google(credentials)], linkByEmail: ["google"] })).toBe("");
  });
});

test("it needs no passwords beside it", async () => {
  const provider = await fickleProvider();
  const auth = createAuth({
    origin,
    secrets: ["a secret of at least thirty-two bytes for tests"],
    stores: memory(),
    features: [oauth({ providers: [provider.provider()] })],
    session: { sweepIntervalSeconds: 0 },
  });
  onTestFinished(() => auth.close());
  const browser = browserOn((request, client) => auth.handle(request, client), origin);
  expect((await signIn(browser, provider)).status).toBe(200);
  expect((await browser.get("/api/v1/users/me")).body.email).toBe("ana@example.com");
});

test("it is there for whoever lists it", () => {
  const feature = oauth({ providers: [google(credentials), github(credentials)] });
  const { auth } = world({ features: [feature] });
  expect(auth.use(feature).providers).toEqual([
    { name: "google", label: "Google", mayProveAnew: true },
    { name: "github", label: "GitHub", mayProveAnew: false },
  ]);
});
