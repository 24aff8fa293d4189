import type { AuthRequest } from "../ports/request.ts";
import { mediaType } from "./body.ts";
import { requestUrl } from "./next-path.ts";

/**
 * Page or JSON, the one rule: a read or a form post, outside the base path, that a browser navigates with or that
 * accepts HTML by name. Everything else gets JSON.
 */
export function wantsPage(request: AuthRequest, basePath: string): boolean {
  const { pathname } = requestUrl(request.url);
  if (pathname === basePath || pathname.startsWith(`${basePath}/`)) return false;
  return isNavigation(request);
}

/** The same for routes below the base path that browsers navigate to: those of sign-in with a provider. */
export function isNavigation(request: AuthRequest): boolean {
  if (!isReadOrForm(request)) return false;
  return (
    request.headers.get("sec-fetch-mode") === "navigate" ||
    /\btext\/html\b/i.test(request.headers.get("accept") ?? "")
  );
}

function isReadOrForm({ method, headers }: AuthRequest): boolean {
  if (method === "GET" || method === "HEAD") return true;
  if (method !== "POST") return false;
  const type = mediaType(headers.get("content-type"));
  return type === "application/x-www-form-urlencoded" || type === "multipart/form-data";
}
