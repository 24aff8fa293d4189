import type { Config } from "../config.ts";
import { mediaType } from "../http/body.ts";
import { cookieValue, cookieValues } from "../http/cookies.ts";
import type { AuthRequest } from "../ports/request.ts";
import type { NextCookieJar } from "./next-cookies.ts";

/** What `headers()` of `next/headers` resolves to, as far as it is used. */
export interface NextHeaders {
  get(name: string): string | null;
}

/** What a page or an action knows of its request: headers and cookies, and neither method nor path. */
export interface PageParts {
  readonly headers: NextHeaders;
  readonly jar: NextCookieJar;
  readonly cookieName: Config["cookie"]["name"];
}

/** A request as a page or an action sees it. */
export interface PageRequest extends AuthRequest {
  readonly method: "GET" | "POST";
}

/**
 * The request that a page is rendered for. One that an action was sent with is a POST, also while the page is rendered anew
 * afterwards: then its origin is checked. The token needs no second look there, since the action itself has asked for it.
 */
export function pageRequest(parts: PageParts): PageRequest {
  const isPost = isPosted(parts.headers);
  return view(parts, isPost, isPost ? tokenOf(parts) : null);
}

/**
 * The request of a Server Action. Scripts of the site send it with a header that no form and no other site's script can
 * set, and it carries the token by that; a form that was sent without scripts has it as a field.
 *
 * @param input - what the action was called with
 */
export function actionRequest(parts: PageParts, input: readonly unknown[]): PageRequest {
  const token = isByScript(parts.headers) ? tokenOf(parts) : tokenIn(input);
  return view(parts, true, token);
}

/** The request that a proxy sees; one of an action by script carries the token as {@link actionRequest} has it. */
export function proxiedRequest(request: Request, cookieName: string): AuthRequest {
  if (!isByScript(request.headers)) return request;
  const token = cookieValue(request.headers.get("cookie"), csrfCookie(cookieName));
  const { method, url } = request;
  return { method, url, headers: withToken(request.headers, token) };
}

/** The CSRF token that the browser has of its session, for a hidden field `_token`; null where it has none. */
export function tokenOf({ jar, cookieName }: PageParts): string | null {
  return jar.get(csrfCookie(cookieName))?.value || null;
}

function view(parts: PageParts, isPost: boolean, token: string | null): PageRequest {
  const headers = withToken(parts.headers, token);
  return {
    method: isPost ? "POST" : "GET",
    // Next tells pages no path, and what a header says of it anybody could have written.
    url: "/",
    headers: { get: (name) => (name.toLowerCase() === "cookie" ? cookiesNow(parts) : headers.get(name)) },
    formField: () => null,
  };
}

function withToken(headers: NextHeaders, token: string | null): AuthRequest["headers"] {
  return { get: (name) => (name.toLowerCase() === "x-csrf-token" ? token : headers.get(name)) };
}

// As the browser sent them, which tells several of one name, unless the action has set or deleted one since.
function cookiesNow({ headers, jar, cookieName }: PageParts): string | null {
  const sent = headers.get("cookie");
  const now = jar.get(cookieName)?.value || null;
  const before = cookieValues(sent, cookieName);
  if (now === null ? before.length === 0 : before.includes(now)) return sent;
  const others = (sent ?? "").split(";").filter((pair) => !pair.trim().startsWith(`${cookieName}=`));
  return [...others, ...(now === null ? [] : [`${cookieName}=${now}`])].join(";");
}

function tokenIn(input: readonly unknown[]): string | null {
  for (const each of input) {
    const value = each instanceof FormData ? each.get("_token") : null;
    if (typeof value === "string") return value;
  }
  return null;
}

function isPosted(headers: NextHeaders): boolean {
  const type = mediaType(headers.get("content-type"));
  return (
    isByScript(headers) || type === "multipart/form-data" || type === "application/x-www-form-urlencoded"
  );
}

function isByScript(headers: NextHeaders): boolean {
  return Boolean(headers.get("next-action"));
}

function csrfCookie(cookieName: string): string {
  return `${cookieName}-csrf`;
}
