import type { Config } from "../config.ts";
import { csrfMac } from "../domain/csrf.ts";
import { AuthError } from "../errors.ts";
import { declaredLength, mediaType } from "../http/body.ts";
import type { AuthRequest } from "../ports/request.ts";
import type { Keys } from "../ports/services.ts";

/** Whether a method may change something. @see RFC 9110, section 9.2.1 */
export function isUnsafe(method: string): boolean {
  return method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
}

/**
 * First stage: the request comes from a page of this origin, or of a trusted one, or from no browser at all.
 *
 * `Sec-Fetch-Site: same-origin` passes. Any other value, or its absence beside an `Origin`, needs an `Origin` that is
 * configured; `Origin: null` (a sandbox, a redirect across sites) is none. Neither header: no browser sent this.
 *
 * @throws AuthError `origin_rejected`
 */
export function assertOrigin(request: AuthRequest, config: Pick<Config, "origin" | "trustedOrigins">): void {
  const site = request.headers.get("sec-fetch-site") ?? null;
  const origin = request.headers.get("origin") ?? null;
  if (site === "same-origin") return;
  if (site === null && origin === null) return;
  if (origin !== null && (origin === config.origin || config.trustedOrigins.includes(origin))) return;
  throw new AuthError("origin_rejected", {
    diagnosis: `Sec-Fetch-Site ${site ?? "-"}, Origin ${origin?.slice(0, 200) ?? "-"}`,
  });
}

/** What the second stage works with. */
export interface TokenStage {
  readonly keys: Keys;
  /** What its tokens are bound to; see `csrfBinding`. */
  readonly binding: string;
  readonly isFormTokenValid: (token: string, binding: string) => boolean;
  readonly maxBodyBytes: number;
}

/**
 * Second stage: the request carries the CSRF token of its session, or of its proof where that has none, in `X-CSRF-Token` or in the form field `_token`, where
 * a form token of the same counts too.
 *
 * @throws AuthError `csrf_required` - none was sent; `csrf_failed` - it is not of this session or proof
 */
export async function assertCsrfToken(request: AuthRequest, stage: TokenStage): Promise<void> {
  const token = request.headers.get("x-csrf-token") || (await tokenField(request, stage.maxBodyBytes));
  if (!token) throw new AuthError("csrf_required");
  const mac = csrfMac(token);
  if (mac !== null && stage.keys.verify("csrf", stage.binding, mac)) return;
  if (stage.isFormTokenValid(token, stage.binding)) return;
  throw new AuthError("csrf_failed");
}

// By its shape: frameworks put a `Request` of their own in the place of Node's.
function isWebRequest(request: AuthRequest): request is AuthRequest & Request {
  return "clone" in request && typeof request.clone === "function";
}

async function tokenField(request: AuthRequest, maxBytes: number): Promise<string | null> {
  if (request.formField !== undefined) return request.formField("_token");
  const type = mediaType(request.headers.get("content-type"));
  const isForm = type === "application/x-www-form-urlencoded" || type === "multipart/form-data";
  if (!isForm || !isWebRequest(request) || request.bodyUsed) return null;
  // Through a clone, so that the handler still has the body. What declares no size or too large a one is not read.
  const length = declaredLength(request.headers.get("content-length"));
  if (length === null || length > maxBytes) return null;
  const field = (
    await request
      .clone()
      .formData()
      .catch(() => null)
  )?.get("_token");
  return typeof field === "string" ? field : null;
}
