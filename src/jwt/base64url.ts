/**
 * Decodes base64url as RFC 7515 writes it: no padding, no white space, no other alphabet, and spare bits that are zero, so
 * that every sequence of bytes has exactly one spelling.
 *
 * @returns null for any other spelling
 * @see RFC 4648, sections 3.5 and 5; RFC 7515, section 2
 */
export function decodeBase64url(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64url");
  // Node skips what it does not know: only the spelling that it would write itself is taken.
  return bytes.toString("base64url") === text ? bytes : null;
}
