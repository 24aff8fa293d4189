import type { Claims, ProviderProfile } from "../ports/provider.ts";

/** The profile in OpenID Connect's standard claims; the address counts as verified only where `email_verified` is `true`. @see OpenID Connect Core 1.0, section 5.1 */
export function standardProfile(claims: Claims): ProviderProfile | null {
  const subject = text(claims.sub);
  if (subject === null) return null;
  return {
    subject,
    email: text(claims.email),
    isEmailVerified: claims.email_verified === true,
    name: text(claims.name),
  };
}

/** A text that is not blank, or null. */
export function text(value: unknown): string | null {
  return typeof value === "string" && value.trim() !== "" ? value : null;
}

/** An object's fields; none where it is none. */
export function fields(value: unknown): Claims {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Claims) : {};
}

/** The domain of an address in lower case, where it is plain ASCII; null else: another spelling is another domain. */
export function domainOf(email: string): string | null {
  const domain = email.slice(email.lastIndexOf("@") + 1).toLowerCase();
  return /^[a-z0-9.-]+$/.test(domain) ? domain : null;
}
