import type { Provider } from "../ports/provider.ts";
import { domainOf, standardProfile } from "./claims.ts";

/** Settings of {@link apple}. */
export interface AppleOptions {
  /** Identifier of the Services ID. */
  readonly clientId: string;
  readonly teamId: string;
  readonly keyId: string;
  /** The key as Apple gave it: PKCS #8, PEM. */
  readonly privateKey: string;
}

const issuer = "https://appleid.apple.com";
/** Long enough for one call. */
const secretTtlSeconds = 300;
/** Domains whose mailboxes Apple runs, relay addresses among them. */
const ownDomains: readonly string[] = ["icloud.com", "me.com", "mac.com", "privaterelay.appleid.com"];

/**
 * Sign-in with Apple. The answer arrives as a form from Apple's site. Its client secret is a short token that is signed at each
 * use. A name is told once, outside of the ID token and so by the browser alone: it is not read.
 *
 * @see https://developer.apple.com/documentation/signinwithapplerestapi
 */
export function apple({ clientId, teamId, keyId, privateKey }: AppleOptions): Provider {
  return {
    name: "apple",
    label: "Apple",
    clientId,
    async clientSecret(now) {
      const { importPKCS8, SignJWT } = await import("jose");
      const issuedAt = Math.floor(now.getTime() / 1000);
      return new SignJWT()
        .setProtectedHeader({ alg: "ES256", kid: keyId })
        .setIssuer(teamId)
        .setSubject(clientId)
        .setAudience(issuer)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + secretTtlSeconds)
        .sign(await importPKCS8(privateKey, "ES256"));
    },
    server: { kind: "discovered", issuer },
    scopes: ["openid", "email"],
    // Apple asks for it wherever a scope is asked for.
    parameters: { response_mode: "form_post" },
    profile(claims) {
      const profile = standardProfile(claims);
      // It sends the boolean as a text, too.
      const isEmailVerified = claims.email_verified === true || claims.email_verified === "true";
      return profile === null ? null : { ...profile, isEmailVerified, name: null };
    },
    isAuthoritative: (email) => ownDomains.includes(domainOf(email) ?? ""),
  };
}
