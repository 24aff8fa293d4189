import { type JsonObject, own } from "./json-object.ts";

/** What a token says, as its issuer wrote it. @see RFC 7519, section 4 */
export type Claims = JsonObject;

/** What is asked of a token's claims and header, beyond the signature. */
export interface ClaimRules {
  /** Exact `iss`; null: any. */
  readonly issuer: string | null;
  /** Must be among `aud`; null: the token may have none. */
  readonly audience: string | null;
  /** `typ` of the header; null: any. */
  readonly type: string | null;
}

/** Seconds by which clocks of two machines may differ. */
export const skewSeconds = 30;

/** Whether a token is one for these rules to judge: by `typ` and `iss`, before anything is verified. */
export function isAddressedTo(rules: ClaimRules, type: string | null, claims: Claims): boolean {
  if (rules.type !== null && (type === null || mediaType(type) !== mediaType(rules.type))) return false;
  return rules.issuer === null || own(claims, "iss") === rules.issuer;
}

/** Why claims are refused, or null. `exp` is needed, `nbf` and `iat` have to be times where they are there. */
export function claimsProblem(rules: ClaimRules, claims: Claims, nowMs: number): string | null {
  const expiry = expiryOf(claims);
  if (expiry === null) return "it has no exp";
  if (isPast(expiry, nowMs)) return "it has expired";
  const notBefore = own(claims, "nbf");
  if (notBefore !== undefined) {
    if (!isTime(notBefore)) return "nbf is no time";
    if (nowMs < (notBefore - skewSeconds) * 1000) return "it is not valid yet";
  }
  const issuedAt = own(claims, "iat");
  if (issuedAt !== undefined && !isTime(issuedAt)) return "iat is no time";
  return audienceProblem(rules, own(claims, "aud"));
}

/** `exp` in seconds since 1970; null where there is none. */
export function expiryOf(claims: Claims): number | null {
  const expiry = own(claims, "exp");
  return isTime(expiry) ? expiry : null;
}

/** Whether `exp` is past, clocks that differ by {@link skewSeconds} allowed for. */
export function isPast(expirySeconds: number, nowMs: number): boolean {
  return nowMs >= (expirySeconds + skewSeconds) * 1000;
}

function audienceProblem({ audience }: ClaimRules, found: unknown): string | null {
  // Who does not know its own name must not take a token that names somebody. @see RFC 7519, section 4.1.3
  if (audience === null) return found === undefined ? null : "it is for an audience";
  const named = Array.isArray(found) ? found : [found];
  return named.includes(audience) ? null : "it is for another audience";
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

// `application/` may be left out, and case does not count. @see RFC 7515, section 4.1.9
function mediaType(type: string): string {
  return type.toLowerCase().replace(/^application\//, "");
}
