import { generateKeyPairSync } from "node:crypto";
import { createAuth, memory } from "latchkey";
import { describe, expect, onTestFinished, test } from "vitest";
import { oauthFromSettings } from "../../server/oauth-from-settings.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { SettingsError } from "../../server/settings/settings-error.ts";

const { privateKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const everything = {
  GOOGLE_CLIENT_ID: "g",
  GOOGLE_CLIENT_SECRET: "gs",
  GITHUB_CLIENT_ID: "h",
  GITHUB_CLIENT_SECRET: "hs",
  MICROSOFT_CLIENT_ID: "m",
  MICROSOFT_CLIENT_SECRET: "ms",
  MICROSOFT_TENANT: "contoso.example",
  APPLE_CLIENT_ID: "a",
  APPLE_TEAM_ID: "t",
  APPLE_KEY_ID: "k",
  APPLE_PRIVATE_KEY: privateKey.replaceAll("\n", "\\n"),
  GITLAB_CLIENT_ID: "l",
  GITLAB_CLIENT_SECRET: "ls",
  GITLAB_URL: "https://git.example",
  DISCORD_CLIENT_ID: "d",
  DISCORD_CLIENT_SECRET: "ds",
  OIDC_ISSUER: "https://idp.example",
  OIDC_CLIENT_ID: "o",
  OIDC_LABEL: "Corp",
  OAUTH_LINK_BY_EMAIL: "google,apple",
};

function providersOf(environment: Record<string, string>) {
  const feature = oauthFromSettings(readSettings(environment).settings);
  const auth = createAuth({
    origin: "http://localhost:3000",
    secrets: ["a secret of at least thirty-two bytes for tests"],
    stores: memory(),
    features: [feature],
    session: { sweepIntervalSeconds: 0 },
  });
  onTestFinished(() => auth.close());
  return { auth, providers: auth.use(feature).providers };
}

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(environment);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ setting, problem }) => `${setting} ${problem}`);
  }
}

test("each provider that is set up is there, under its name", () => {
  expect(providersOf(everything).providers).toEqual([
    { name: "google", label: "Google", mayProveAnew: true },
    { name: "github", label: "GitHub", mayProveAnew: false },
    { name: "microsoft", label: "Microsoft", mayProveAnew: true },
    { name: "apple", label: "Apple", mayProveAnew: true },
    { name: "gitlab", label: "GitLab", mayProveAnew: true },
    { name: "discord", label: "Discord", mayProveAnew: false },
    { name: "oidc", label: "Corp", mayProveAnew: true },
  ]);
});

test("a provider that does not say when it asked may be trusted to have asked", () => {
  const { providers } = providersOf({ ...everything, OAUTH_FRESH_WITHOUT_AUTH_TIME: "github" });
  const trusted = providers.filter(({ mayProveAnew }) => !mayProveAnew).map(({ name }) => name);
  expect(trusted).toEqual(["discord"]);
});

test("the names of other products are understood", () => {
  const { providers } = providersOf({ OAUTH_GOOGLE_CLIENT_ID: "g", OAUTH_GOOGLE_CLIENT_SECRET: "gs" });
  expect(providers).toEqual([{ name: "google", label: "Google", mayProveAnew: true }]);
});

test.each(["google", "github", "microsoft", "apple", "gitlab", "discord", "oidc"])(
  "%s, not set up, is 404 and names what to set",
  async (name) => {
    const { auth } = providersOf({});
    const request = new Request(`http://localhost:3000/api/v1/auth/oauth/${name}`);
    const answer = await auth.handle(request, { ip: null });
    if (answer === null) throw new Error("there is no such route");
    const { detail } = (await answer.json()) as { detail: string };
    expect([answer.status, detail]).toEqual([
      404,
      expect.stringContaining(`${name.toUpperCase()}_CLIENT_ID`),
    ]);
  },
);

describe("what cannot be meant is refused", () => {
  test.each(Object.keys(everything).filter((name) => !/TENANT|URL|LABEL|LINK|OIDC_CLIENT_SECRET/.test(name)))(
    "everything but %s",
    (name) => {
      const { [name as keyof typeof everything]: _, ...rest } = everything;
      expect(problemsOf(rest).join()).toMatch(/go together/);
    },
  );

  test.each([
    ["OIDC_ISSUER", "http://idp.example", /no https address/],
    ["OIDC_ISSUER", "https://user@idp.example", /no https address/],
    ["GITLAB_URL", "git.example", /no https address/],
    ["APPLE_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----", /no elliptic-curve key/],
    ["GOOGLE_CLIENT_ID", "a b", /nothing that a provider hands out/],
    ["OIDC_LABEL", "x".repeat(41), /no short name/],
    ["OAUTH_LINK_BY_EMAIL", "github", /./],
    ["OAUTH_FRESH_WITHOUT_AUTH_TIME", "facebook", /./],
  ])("%s=%s", (name, text, problem) => {
    expect(problemsOf({ ...everything, [name]: text }).join()).toMatch(problem);
  });

  test.each([
    ["OAUTH_LINK_BY_EMAIL", "google"],
    ["OAUTH_FRESH_WITHOUT_AUTH_TIME", "github"],
    ["OAUTH_FRESH_WITHOUT_AUTH_TIME", "oidc"],
  ])("%s of a provider that is not there", (name, provider) => {
    expect(problemsOf({ [name]: provider }).join()).toMatch(/not set up/);
  });

  test("a secret is in no message", () => {
    const bad = { ...everything, APPLE_PRIVATE_KEY: "hunter2", GOOGLE_CLIENT_SECRET: "hunter 2" };
    try {
      readSettings(bad);
    } catch (error) {
      expect(JSON.stringify((error as SettingsError).problems)).not.toMatch(/hunter/);
    }
    expect(problemsOf(bad)).toHaveLength(2);
  });
});
