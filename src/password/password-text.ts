import { AuthError, type FieldError } from "../errors.ts";

/** Longest password in bytes of UTF-8. More would buy no strength and let strangers choose how much is hashed. */
export const passwordMaxBytes = 1024;

/** Name of what `normalizePassword` does, stored beside each hash: if it ever changes, old hashes still verify. */
export const passwordNormalization = "nfc-1" as const;

/**
 * The form that is hashed: NFC, so that one key press gives one password on every keyboard and system.
 *
 * @see NIST SP 800-63B-4, section 3.1.1.2
 */
export function normalizePassword(password: string): string {
  return password.normalize("NFC");
}

/**
 * Why a string can be no password at all, or null. Looks before anything is normalised or hashed.
 *
 * NUL ends strings in older bcrypt implementations; a lone surrogate becomes U+FFFD in UTF-8, so that different
 * strings would have one hash.
 *
 * @param field - wire name for the error
 */
export function unusablePassword(password: string, field: string): FieldError | null {
  if (Buffer.byteLength(password) > passwordMaxBytes) {
    return { field, code: "too_long", message: "Password is too long" };
  }
  if (password.includes("\0") || /\p{Surrogate}/u.test(password)) {
    return { field, code: "invalid_characters", message: "Password contains characters that cannot be used" };
  }
  return null;
}

/**
 * Passes what can be hashed.
 *
 * @param field - wire name for the error
 * @throws AuthError `password_rejected` - see {@link unusablePassword}
 */
export function requireUsablePassword(password: string, field: string = "password"): void {
  const error = unusablePassword(password, field);
  if (error) throw new AuthError("password_rejected", { fields: [error] });
}
