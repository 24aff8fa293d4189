import { originUrl, type Rule } from "./rules.ts";
import type { Given, ProviderSettings } from "./settings.ts";

type Field = keyof ProviderSettings & keyof Given;
type ProviderName = ProviderSettings["freshWithoutAuthTime"][number];

/** What each provider needs, by its name in routes; the first setting is the one that an operator begins with. */
export const providerNeeds: Readonly<Record<ProviderName, readonly [Field, ...Field[]]>> = {
  google: ["googleClientId", "googleClientSecret"],
  github: ["githubClientId", "githubClientSecret"],
  microsoft: ["microsoftClientId", "microsoftClientSecret"],
  apple: ["appleClientId", "appleTeamId", "appleKeyId", "applePrivateKey"],
  gitlab: ["gitlabClientId", "gitlabClientSecret"],
  discord: ["discordClientId", "discordClientSecret"],
  oidc: ["oidcIssuer", "oidcClientId"],
};

/** Rules about sign-in with providers: half of one is none. `nameOf` gives a field's setting. */
export function providerRules(nameOf: (field: Field) => string): readonly Rule[] {
  return [
    ...Object.entries(providerNeeds).map(
      ([name, needs]): Rule => ({
        id: `provider-${name}-whole`,
        title: `Sign-in with ${name} is set up whole or not at all`,
        about: needs,
        broken: (given) => {
          const missing = needs.filter((field) => given[field] === null);
          if (missing.length === 0 || missing.length === needs.length) return null;
          const rest = missing.map(nameOf).join(" and ");
          return {
            found: missing.includes(needs[0]) ? "nothing" : "a value",
            problem: `and ${rest} go together`,
            fix: `Set ${rest} as well, or none of them.`,
          };
        },
      }),
    ),
    {
      id: "oauth-redirect-near",
      title: "Providers send browsers back to the host that has their cookies",
      about: ["oauthRedirectBaseUrl", "origin"],
      broken: (given) => {
        const { oauthRedirectBaseUrl: base } = given;
        const [to, own] = [new URL(base ?? originUrl(given)), originUrl(given)];
        if (to.hostname === own.hostname && to.protocol === own.protocol) return null;
        return {
          found: `"${base}"`,
          problem: `has another scheme or host than the origin ${own.origin}`,
          fix: "Leave it out, or write the origin with another port.",
        };
      },
    },
    {
      id: "link-by-email-known",
      title: "OAUTH_LINK_BY_EMAIL names providers that are set up",
      about: ["linkByEmail", "googleClientId", "appleClientId"],
      broken: (given) => {
        const absent = given.linkByEmail.filter(
          (name) => given[name === "google" ? "googleClientId" : "appleClientId"] === null,
        );
        return notSetUp(absent);
      },
    },
    {
      id: "fresh-without-auth-time-known",
      title: "OAUTH_FRESH_WITHOUT_AUTH_TIME names providers that are set up",
      about: ["freshWithoutAuthTime", ...Object.values(providerNeeds).map(([first]) => first)],
      broken: (given) =>
        notSetUp(given.freshWithoutAuthTime.filter((name) => given[providerNeeds[name][0]] === null)),
    },
  ];
}

function notSetUp(absent: readonly string[]): ReturnType<Rule["broken"]> {
  if (absent.length === 0) return null;
  return {
    found: `"${absent.join(", ")}"`,
    problem: "names a provider that is not set up",
    fix: "Set that provider up, or leave it out here.",
  };
}
