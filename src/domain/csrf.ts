/** MACs a text under one key; see `Keys` for where it comes from. */
type Sign = (text: string) => Uint8Array;

const prefix = "c1.";
const macLength = 32;

/**
 * A CSRF token of a session: the MAC of its id, or of what stands for a proof without one, masked anew for every answer so that
 * compression of a page cannot give it away byte by byte (BREACH). Nothing is stored: the token lives exactly as long as the id.
 *
 * @param mask - 32 random bytes
 * @see OWASP CSRF Prevention Cheat Sheet, "Signed Double-Submit Cookie"
 */
export function csrfToken(binding: string, mask: Uint8Array, sign: Sign): string {
  return prefix + Buffer.concat([mask, xor(sign(binding), mask)]).toString("base64url");
}

/** The MAC inside a token, for a constant-time comparison; null for what is no CSRF token by its shape. */
export function csrfMac(token: string): Uint8Array | null {
  if (!/^c1\.[A-Za-z0-9_-]{86}$/.test(token)) return null;
  const bytes = Buffer.from(token.slice(prefix.length), "base64url");
  return bytes.length === 2 * macLength ? xor(bytes.subarray(macLength), bytes.subarray(0, macLength)) : null;
}

function xor(left: Uint8Array, right: Uint8Array): Uint8Array {
  return left.map((byte, index) => byte ^ (right[index] ?? 0));
}
