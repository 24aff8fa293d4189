import type { Provider, ProviderCredentials } from "../ports/provider.ts";
import { standardProfile } from "./claims.ts";

/** Settings of {@link microsoft}. */
export interface MicrosoftOptions extends ProviderCredentials {
  /** A directory's id or domain; `organizations`, `consumers`, or (default) `common` for both. */
  readonly tenant?: string;
}

/**
 * Sign-in with Microsoft.
 *
 * The address is whatever the administrator of any directory wrote, so it is verified only where `xms_edov` (an optional claim
 * of the app registration) says that the owner of its domain confirmed it, and it never decides whose account it is.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
 */
export function microsoft({ tenant = "common", ...credentials }: MicrosoftOptions): Provider {
  return {
    ...credentials,
    name: "microsoft",
    label: "Microsoft",
    server: {
      kind: "discovered",
      issuer: `https://login.microsoftonline.com/${encodeURIComponent(tenant)}/v2.0`,
    },
    scopes: ["openid", "email", "profile"],
    profile(claims) {
      const profile = standardProfile(claims);
      return profile === null ? null : { ...profile, isEmailVerified: isConfirmed(claims.xms_edov) };
    },
    isAuthoritative: null,
  };
}

// A boolean by its documentation; directories were seen to send it as text and as a number.
function isConfirmed(xmsEdov: unknown): boolean {
  return xmsEdov === true || xmsEdov === "true" || xmsEdov === "1" || xmsEdov === 1;
}
