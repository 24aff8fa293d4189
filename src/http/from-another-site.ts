import type { AuthRequest } from "../ports/request.ts";

/**
 * Whether a page of another site led a browser here, by what browsers alone can say: `Sec-Fetch-Site`. Where it is absent no
 * browser of these days sent this; `none` is an address that was typed or a bookmark. A page of `trusted`, by the `Origin` or the
 * `Referer`, is none of another site.
 *
 * @see Fetch Metadata Request Headers, section 2.3
 */
export function isFromAnotherSite({ headers }: AuthRequest, trusted: readonly string[]): boolean {
  const site = headers.get("sec-fetch-site");
  if (!site || site === "same-origin" || site === "none") return false;
  const from = headers.get("origin") ?? originOf(headers.get("referer"));
  return from === null || !trusted.includes(from);
}

function originOf(referer: string | null | undefined): string | null {
  return referer && URL.canParse(referer) ? new URL(referer).origin : null;
}
