import type { Provider, ProviderCredentials } from "../ports/provider.ts";
import { domainOf, standardProfile } from "./claims.ts";

/**
 * Sign-in with Google.
 *
 * Google runs the mailbox, and so decides whose it is, for `gmail.com` and where `hd` names the address's domain. A verified
 * address elsewhere was verified once and may be somebody else's by now.
 *
 * @see https://developers.google.com/identity/openid-connect/openid-connect
 */
export function google(credentials: ProviderCredentials): Provider {
  return {
    ...credentials,
    name: "google",
    label: "Google",
    server: { kind: "discovered", issuer: "https://accounts.google.com" },
    scopes: ["openid", "email", "profile"],
    // It knows no `login`; choosing the account is the nearest that it offers.
    freshParameters: { prompt: "select_account" },
    profile: standardProfile,
    isAuthoritative(email, { hd }) {
      const domain = domainOf(email);
      return domain !== null && (domain === "gmail.com" || domain === hd);
    },
  };
}
