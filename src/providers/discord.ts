import type { Provider, ProviderCredentials } from "../ports/provider.ts";
import { fields, text } from "./claims.ts";

/** Sign-in with Discord. @see https://docs.discord.com/developers/topics/oauth2 */
export function discord(credentials: ProviderCredentials): Provider {
  return {
    ...credentials,
    name: "discord",
    label: "Discord",
    server: {
      kind: "fixed",
      issuer: "https://discord.com",
      authorizationEndpoint: "https://discord.com/oauth2/authorize",
      tokenEndpoint: "https://discord.com/api/oauth2/token",
      resources: { user: "https://discord.com/api/users/@me" },
    },
    scopes: ["identify", "email"],
    freshParameters: { prompt: "consent" },
    profile(claims) {
      const user = fields(claims.user);
      const subject = text(user.id);
      if (subject === null) return null;
      return {
        subject,
        email: text(user.email),
        isEmailVerified: user.verified === true,
        name: text(user.global_name) ?? text(user.username),
      };
    },
    isAuthoritative: null,
  };
}
