import { bindOAuth, type OAuth } from "../api/oauth.ts";
import { isLoopback } from "../config/origin.ts";
import type { OAuthServices } from "../flows/oauth/services.ts";
import type { CallBounds } from "../oauth/bounded-fetch.ts";
import { providerClient } from "../oauth/client.ts";
import { sealed } from "../oauth/sealed.ts";
import type { Provider } from "../ports/provider.ts";
import type { Feature } from "./feature.ts";

export type { LinkedAccountInfo, OAuth, OAuthFinish, OAuthStartOptions, ProviderInfo } from "../api/oauth.ts";
export type { OAuthStart } from "../flows/oauth/start.ts";
export type { ProviderTokens } from "../oauth/client.ts";
export type {
  Claims,
  Provider,
  ProviderCredentials,
  ProviderProfile,
  ProviderServer,
} from "../ports/provider.ts";
export { type AppleOptions, apple } from "../providers/apple.ts";
export { discord } from "../providers/discord.ts";
export { type GitHubOptions, github } from "../providers/github.ts";
export { type GitLabOptions, gitlab } from "../providers/gitlab.ts";
export { google } from "../providers/google.ts";
export { type MicrosoftOptions, microsoft } from "../providers/microsoft.ts";
export { type OidcOptions, oidc } from "../providers/oidc.ts";

/** Settings of {@link oauth}. */
export interface OAuthOptions {
  /** In the order in which pages show them. */
  readonly providers: readonly Provider[];
  /**
   * Names of providers whose address may find the account that it belongs to, where the provider runs the mailbox and both
   * sides have verified it. Default none: people sign in, then link.
   */
  readonly linkByEmail?: readonly string[];
  /**
   * Names of providers that do not say when the person last proved who they are (`auth_time`), and whose answer to a sign-in with
   * `?fresh=on` counts as a fresh proof all the same, though a click may have been all that it took. Default none.
   */
  readonly freshWithoutAuthTime?: readonly string[];
  /** Whether the providers' tokens are kept, encrypted, for calls in a user's name. Default false. */
  readonly keepTokens?: boolean;
  /** Page where people look after their linked accounts. Default `/account`. */
  readonly accountPath?: string;
  /**
   * Origin that providers send browsers back to, where that is not the application's own: a port that a proxy listens on. Its host is
   * the same, or the cookie of the attempt would stay behind. Default: the origin.
   */
  readonly redirectBaseUrl?: string;
  /** What the 404 of a provider says that is known and not set up, by its name. */
  readonly unconfigured?: Readonly<Record<string, string>>;
  /** Bounds of each call to a provider. Default 5,000 ms and 256 KiB. */
  readonly calls?: Partial<CallBounds>;
}

/** Names that the routes have another use for. */
const reservedNames: readonly string[] = ["callback", "link"];

/** Sign-in with accounts at providers: OAuth 2 and OpenID Connect. */
export function oauth(options: OAuthOptions): Feature<OAuth> {
  return {
    name: "oauth",
    install(services, visits) {
      const { providers, accountPath = "/account" } = options;
      const { config } = services;
      const { redirectBaseUrl = config.origin } = options;
      const problems = [
        ...providerProblems(options, config.isProduction),
        ...redirectProblems(redirectBaseUrl, config.origin),
      ];
      if (problems.length > 0) throw new TypeError(`oauth: ${problems.join("; ")}`);
      const bounds = { timeoutMs: 5_000, maxBytes: 262_144, telemetry: services.telemetry, ...options.calls };
      const parts: OAuthServices = {
        ...services,
        clients: new Map(providers.map((each) => [each.name, providerClient(each, bounds, services.clock)])),
        linkByEmail: new Set(options.linkByEmail),
        freshWithoutAuthTime: new Set(options.freshWithoutAuthTime),
        redirectBaseUrl,
        attempts: sealed(services.keys.derived("oauth-attempt")),
        tokens: options.keepTokens ? sealed(services.keys.derived("provider-tokens")) : null,
        unconfigured: options.unconfigured ?? {},
      };
      const api = bindOAuth(parts, visits);
      return {
        api,
        routes: async (endpoints) =>
          (await import("../endpoints/oauth.ts")).oauthRoutes(endpoints, { oauth: api, config, accountPath }),
      };
    },
  };
}

function providerProblems(options: OAuthOptions, isProduction: boolean): string[] {
  const { providers, linkByEmail = [], freshWithoutAuthTime = [] } = options;
  return [
    ...providers.flatMap((provider, index) => [
      ...nameProblems(provider, providers.slice(0, index)),
      ...addressProblems(provider, isProduction),
    ]),
    ...linkByEmail.flatMap((name) => {
      const provider = providers.find((each) => each.name === name);
      if (provider === undefined) return [`linkByEmail: no provider is called ${JSON.stringify(name)}`];
      return provider.isAuthoritative === null
        ? [`linkByEmail: ${name} does not run the mailboxes that it tells of`]
        : [];
    }),
    ...freshWithoutAuthTime
      .filter((name) => providers.every((each) => each.name !== name))
      .map((name) => `freshWithoutAuthTime: no provider is called ${JSON.stringify(name)}`),
  ];
}

function redirectProblems(base: string, origin: string): string[] {
  const url = URL.canParse(base) ? new URL(base) : null;
  if (url === null || url.origin !== base || !/^https?:$/.test(url.protocol))
    return [`redirectBaseUrl: ${JSON.stringify(base)} is no origin, such as https://app.example`];
  const own = new URL(origin);
  const isAlike = url.hostname === own.hostname && url.protocol === own.protocol;
  return isAlike ? [] : [`redirectBaseUrl: ${base} has another scheme or host than ${origin}`];
}

function nameProblems({ name, clientId, clientSecret }: Provider, before: readonly Provider[]): string[] {
  const problems: string[] = [];
  if (!/^[a-z0-9-]{1,32}$/.test(name) || reservedNames.includes(name))
    problems.push(`${JSON.stringify(name)} cannot be a provider's name; 1 to 32 of a-z 0-9 -`);
  if (before.some((other) => other.name === name)) problems.push(`${name} is listed twice`);
  // What an environment has not reads as undefined; null is the word for a client without a secret.
  if (!clientId || clientSecret === undefined || clientSecret === "")
    problems.push(`${name} needs its client id and secret`);
  return problems;
}

function addressProblems({ name, server, dangerouslyAllowHttp }: Provider, isProduction: boolean): string[] {
  const { issuer, ...rest } = server;
  const endpoints =
    "authorizationEndpoint" in rest
      ? [rest.authorizationEndpoint, rest.tokenEndpoint, ...Object.values(rest.resources)]
      : [];
  return [issuer, ...endpoints].flatMap((address) => {
    const url = URL.canParse(address) ? new URL(address) : null;
    if (url?.protocol === "https:") return [];
    const isForTests = url?.protocol === "http:" && isLoopback(url.hostname) && !isProduction;
    return isForTests && dangerouslyAllowHttp === true ? [] : [`${name}: ${address} is no https address`];
  });
}
