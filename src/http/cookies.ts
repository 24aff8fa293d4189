/** A `Cookie` header longer than this is not looked at: no browser sends it, and reading it would be work for an attacker. */
const longestHeader = 16_384;

/**
 * Every value that a `Cookie` header gives for one name, in order; surrounding quotes are kept as sent. Never throws,
 * whatever the header holds. Browsers may send several cookies of one name (other path, other domain), and which comes
 * first is the sender's choice, so the caller decides among them.
 *
 * @param most - values wanted; default all, or a sibling domain could plant as many as push the real one out
 *
 * @see RFC 6265, section 5.4
 */
export function cookieValues(
  header: string | null | undefined,
  name: string,
  most: number = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (!header || header.length > longestHeader) return [];
  const values: string[] = [];
  let at = 0;
  while (at < header.length && values.length < most) {
    let end = header.indexOf(";", at);
    if (end === -1) end = header.length;
    while (at < end && (header[at] === " " || header[at] === "\t")) at++;
    if (header.startsWith(name, at) && header[at + name.length] === "=") {
      values.push(header.slice(at + name.length + 1, end).trim());
    }
    at = end + 1;
  }
  return values;
}

/** The first value of a cookie, or null. */
export function cookieValue(header: string | null | undefined, name: string): string | null {
  return cookieValues(header, name, 1)[0] ?? null;
}

/** A cookie on its way out. */
export interface CookieOptions {
  readonly name: string;
  /** Letters, digits and `-_.~` only; everything written here is made of those. */
  readonly value: string;
  readonly isSecure: boolean;
  readonly isHttpOnly: boolean;
  readonly sameSite: "Lax" | "Strict" | "None";
  readonly domain: string | null;
  /** Null for a cookie that ends with the browser; 0 deletes it. */
  readonly maxAgeSeconds: number | null;
}

/** A `Set-Cookie` value, `Path=/`. @see RFC 6265, section 4.1 */
export function setCookie(cookie: CookieOptions): string {
  if (!/^[A-Za-z0-9._~-]*$/.test(cookie.value))
    throw new TypeError(`cookie ${cookie.name}: a value that needs quoting`);
  let text = `${cookie.name}=${cookie.value}; Path=/`;
  if (cookie.domain !== null) text += `; Domain=${cookie.domain}`;
  if (cookie.maxAgeSeconds !== null) text += `; Max-Age=${Math.floor(cookie.maxAgeSeconds)}`;
  if (cookie.isHttpOnly) text += "; HttpOnly";
  if (cookie.isSecure) text += "; Secure";
  return `${text}; SameSite=${cookie.sameSite}`;
}
