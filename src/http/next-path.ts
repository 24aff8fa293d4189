/**
 * The path that `next` may lead to, or null: a path of this origin, never another site.
 *
 * Parsed as a browser would, since `//evil.example`, `/\evil.example`, `/%09/evil.example` with a raw tab and
 * `https:evil.example` all leave the site in one browser or another.
 *
 * @param next - as it came with the request
 * @param origin - the configured origin
 * @see OWASP Unvalidated Redirects and Forwards Cheat Sheet
 */
export function nextPath(next: unknown, origin: string): string | null {
  if (typeof next !== "string" || next.length > 2_048 || !next.startsWith("/")) return null;
  if (/[\\\p{Cc}\s]/u.test(next) || next.startsWith("//")) return null;
  const url = new URL(next, origin);
  // The path is taken as normalised: `/.//evil.example` becomes `//evil.example`, which would leave.
  return url.origin === origin && !url.pathname.startsWith("//")
    ? url.pathname + url.search + url.hash
    : null;
}

/** Where a page request without a session is sent: the sign-in page, with the way back where the request was a GET. */
export function signInPath(
  loginPath: string,
  request: { readonly method: string; readonly url: string },
): string {
  const { pathname, search } = requestUrl(request.url);
  if (request.method !== "GET" || pathname === "/") return loginPath;
  return `${loginPath}?next=${encodeURIComponent(pathname + search)}`;
}

/**
 * Path and query of a request's URL, whether it came absolute or as a path: of an absolute one scheme and authority decide nothing, and
 * need not be valid. Garbage reads as `/`.
 */
export function requestUrl(url: string): URL {
  const target = url.startsWith("/") ? url : url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, "");
  // A path of its own: `//host/x` must stay a path and not become a host.
  return new URL(/^[/?#]/.test(target) ? `http://localhost${target}` : "http://localhost/");
}
