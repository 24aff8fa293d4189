import type { Feature } from "latchkey";
import {
  apple,
  discord,
  github,
  gitlab,
  google,
  microsoft,
  type OAuth,
  oauth,
  oidc,
  type Provider,
} from "latchkey/oauth";
import { providerNeeds } from "./settings/provider-rules.ts";
import type { ProviderSettings } from "./settings/settings.ts";
import { settingsTable } from "./settings/table.ts";

/** Sign-in with the providers that the settings name. Listed without any, so that the others' routes say what to set. */
export function oauthFromSettings(settings: ProviderSettings): Feature<OAuth> {
  const unconfigured = Object.entries(providerNeeds).map(([name, needs]): [string, string] => {
    const names = needs.map((field) => settingsTable[field].name).join(" and ");
    return [name, `Sign-in with ${name} is not set up here: it needs ${names}.`];
  });
  return oauth({
    providers: providersOf(settings),
    linkByEmail: settings.linkByEmail,
    ...(settings.oauthRedirectBaseUrl !== null && { redirectBaseUrl: settings.oauthRedirectBaseUrl }),
    freshWithoutAuthTime: settings.freshWithoutAuthTime,
    unconfigured: Object.fromEntries(unconfigured),
  });
}

function providersOf(settings: ProviderSettings): readonly Provider[] {
  const { microsoftTenant: tenant, gitlabUrl: url } = settings;
  const googles = pair(settings.googleClientId, settings.googleClientSecret);
  const githubs = pair(settings.githubClientId, settings.githubClientSecret);
  const microsofts = pair(settings.microsoftClientId, settings.microsoftClientSecret);
  const gitlabs = pair(settings.gitlabClientId, settings.gitlabClientSecret);
  const discords = pair(settings.discordClientId, settings.discordClientSecret);
  return [
    googles && google(googles),
    githubs && github(githubs),
    microsofts && microsoft({ ...microsofts, tenant }),
    ofApple(settings),
    gitlabs && gitlab({ ...gitlabs, url }),
    discords && discord(discords),
    ofOidc(settings),
  ].filter((provider) => provider !== null);
}

function pair(clientId: string | null, clientSecret: string | null) {
  return clientId === null || clientSecret === null ? null : { clientId, clientSecret };
}

function ofApple(settings: ProviderSettings): Provider | null {
  const { appleClientId: clientId, appleTeamId: teamId, appleKeyId: keyId } = settings;
  const { applePrivateKey: privateKey } = settings;
  if (clientId === null || teamId === null || keyId === null || privateKey === null) return null;
  return apple({ clientId, teamId, keyId, privateKey });
}

function ofOidc(settings: ProviderSettings): Provider | null {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret, oidcLabel: label } = settings;
  if (issuer === null || clientId === null) return null;
  const secret = oidcClientSecret === null ? {} : { clientSecret: oidcClientSecret };
  return oidc({ issuer, clientId, label, ...secret });
}
