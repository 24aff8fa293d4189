/** Whether a host name stays on this machine. @see RFC 6761, section 6.3; RFC 5735, section 3 */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}

/** The text where it is an origin and nothing else, `https://host[:port]`; else null. */
export function exactOrigin(text: string): string | null {
  // A URL's host may hold `*`, but origins are compared whole: who writes one expects a pattern that would never match.
  if (!URL.canParse(text) || text.includes("*")) return null;
  const url = new URL(text);
  return (url.protocol === "https:" || url.protocol === "http:") && url.origin === text ? text : null;
}
