import type { Claims, Provider, ProviderCredentials } from "../ports/provider.ts";
import { fields, text } from "./claims.ts";

/** Settings of {@link github}. */
export interface GitHubOptions extends ProviderCredentials {
  /** Address of a GitHub Enterprise Server. Default `https://github.com`. */
  readonly url?: string;
}

/**
 * Sign-in with GitHub, which has no ID tokens: `/user` says who it is, `/user/emails` which address is the primary one and
 * whether it is verified. What `/user` itself says of an address is what the person chose to show, and is not read.
 *
 * @see https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
 * @see https://docs.github.com/rest/users/emails
 */
export function github({ url = "https://github.com", ...credentials }: GitHubOptions): Provider {
  const api = url === "https://github.com" ? "https://api.github.com" : `${url}/api/v3`;
  return {
    ...credentials,
    name: "github",
    label: "GitHub",
    server: {
      kind: "fixed",
      issuer: `${url}/login/oauth`,
      authorizationEndpoint: `${url}/login/oauth/authorize`,
      tokenEndpoint: `${url}/login/oauth/access_token`,
      resources: { user: `${api}/user`, emails: `${api}/user/emails` },
    },
    scopes: ["read:user", "user:email"],
    freshParameters: { prompt: "select_account" },
    profile({ user, emails }) {
      const { id, name, login } = fields(user);
      // Names change hands at GitHub, ids do not.
      if (!Number.isSafeInteger(id)) return null;
      const primary = primaryOf(emails);
      return {
        subject: String(id),
        email: text(primary.email),
        isEmailVerified: primary.verified === true,
        name: text(name) ?? text(login),
      };
    },
    isAuthoritative: null,
  };
}

function primaryOf(emails: unknown): Claims {
  const listed = Array.isArray(emails) ? emails.map(fields) : [];
  return listed.find(({ primary }) => primary === true) ?? {};
}
