import { foldText } from "./fold-text.ts";

/** Names that would shadow a route, or stand for nobody. */
const takenNames: ReadonlySet<string> = new Set(
  "me db api auth login logout register account users user sessions settings null undefined anonymous".split(
    " ",
  ),
);
/** Names under which somebody would speak for the service: for who runs it. */
const serviceNames: ReadonlySet<string> = new Set(
  "admin administrator root system support security abuse postmaster webmaster hostmaster latchkey".split(
    " ",
  ),
);

// What erased accounts are called (`anonymousUsername`, `anonymousEmail`): whoever took such a name could stop an erasure.
const anonymousShape = /^x[0-9a-f]{31}$|@anonymized\.invalid$/;
const usernameShape = /^[a-z0-9](?:[a-z0-9._-]{1,30})[a-z0-9]$/;
// Deliberately loose: what can receive mail is decided by mail. It refuses what would break headers, logs or uniqueness.
const emailShape =
  /^[^\s@<>()[\],;:\\"\p{Cc}\p{Cf}\p{Cs}]{1,64}@(?:[^\s@<>()[\],;:\\"\p{Cc}\p{Cf}\p{Cs}.]{1,63}\.)*[^\s@<>()[\],;:\\"\p{Cc}\p{Cf}\p{Cs}.]{1,63}$/u;

/** Longest address accepted, and longest key of one, in UTF-16 units. @see RFC 5321, section 4.5.3.1.3 (254 octets of path) */
export const emailMaxLength = 254;

/**
 * The form under which addresses are compared: NFKC and full case folding, so that `Ärger@X.de`, `ärger@x.de` and
 * full-width spellings are one account. A dot-less or plus-less local part is not folded: those are other mailboxes.
 */
export function emailKey(email: string): string {
  return foldText(email.trim());
}

/**
 * Whether two addresses are one mailbox for certain. Only the case of ASCII letters is another spelling: keys fold more than
 * that, to tell accounts apart, and "gmaıl.com" with its dotless i is somebody else's domain.
 */
export function isSameMailbox(one: string, other: string): boolean {
  const isAscii = (text: string): boolean => !/[^\x20-\x7e]/.test(text);
  return isAscii(one) && isAscii(other) && one.toLowerCase() === other.toLowerCase();
}

/** Whether a typed address is that of a user: to the letter, or in another case of ASCII letters. */
export function isMailboxOf({ email }: { readonly email: string }, typed: string): boolean {
  const address = typed.trim();
  return address.normalize("NFC") === email.normalize("NFC") || isSameMailbox(address, email);
}

/** Who chooses a username. */
export interface UsernameOptions {
  /** Whether it is chosen by who runs the service, and so may speak for it: `admin`, `support`. Default false. */
  readonly isOperators?: boolean;
}

/** The form under which usernames are stored and compared, or null where the name cannot be used. */
export function usernameKey(username: string, { isOperators = false }: UsernameOptions = {}): string | null {
  const key = foldText(username.trim());
  if (!usernameShape.test(key) || anonymousShape.test(key) || takenNames.has(key)) return null;
  return serviceNames.has(key) && !isOperators ? null : key;
}

/** Whether an address can be stored: one `@`, no blanks or control characters, at most 254 units, its key too: NFKC makes text longer. */
export function isEmail(email: string): boolean {
  const key = emailKey(email);
  return (
    Math.max(email.length, key.length) <= emailMaxLength &&
    emailShape.test(email) &&
    emailShape.test(key) &&
    !anonymousShape.test(key)
  );
}

/** What somebody typed to say who they are, ready for a lookup. */
export type Identifier =
  | { readonly kind: "email"; readonly key: string }
  | { readonly kind: "username"; readonly key: string };

/** Reads an identifier: with an `@` it is an address, else a username. Any string gives one; whether it exists is for the store. */
export function identifier(typed: string): Identifier {
  const key = foldText(typed.trim());
  return key.includes("@") ? { kind: "email", key } : { kind: "username", key };
}
