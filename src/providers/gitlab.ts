import type { Provider, ProviderCredentials } from "../ports/provider.ts";
import { standardProfile } from "./claims.ts";

/** Settings of {@link gitlab}. */
export interface GitLabOptions extends ProviderCredentials {
  /** Address of an instance of one's own. Default `https://gitlab.com`. */
  readonly url?: string;
}

/** Sign-in with GitLab. @see https://docs.gitlab.com/integration/openid_connect_provider/ */
export function gitlab({ url = "https://gitlab.com", ...credentials }: GitLabOptions): Provider {
  return {
    ...credentials,
    name: "gitlab",
    label: "GitLab",
    server: { kind: "discovered", issuer: url },
    scopes: ["openid", "email", "profile"],
    profile: standardProfile,
    isAuthoritative: null,
  };
}
