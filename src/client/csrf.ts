import type { Proof, Send } from "./proof.ts";
import { isObject, readResult } from "./result.ts";

/** What {@link cookieProof} is told. */
export interface CookieOptions {
  /** Where `GET /auth/csrf` lies. */
  readonly csrfUrl: string;
  /** `same-origin`, or `include` where the server is of another origin. */
  readonly credentials: "same-origin" | "include";
  /** The cookies that scripts may read; empty outside of browsers. */
  readonly cookies: () => string;
}

// `__Host-latchkey-csrf` and its kin. Another name of the session cookie is asked for by `GET /auth/csrf` instead.
const csrfCookie = /(?:^|; )(?:__Host-|__Secure-)?latchkey-csrf=([^;]+)/;

const isUnsafe = (method: string): boolean => !["GET", "HEAD", "OPTIONS"].includes(method);

/**
 * The browser's session cookie. Unsafe requests carry the CSRF token: from the cookie beside it, which every tab sees change,
 * else from the last answer that had one. A token that was refused is asked for once more, since another tab may have
 * signed in meanwhile: the server has refused before it did anything.
 */
export function cookieProof({ csrfUrl, credentials, cookies }: CookieOptions): Proof {
  let known: string | null = null;
  const fresh = async (send: Send): Promise<string | null> => {
    const { data } = await readResult<{ csrf_token: string | null }>(await send(csrfUrl, { credentials }));
    known = data?.csrf_token ?? null;
    return known;
  };
  const withToken = (init: RequestInit, token: string | null): RequestInit => {
    const headers = new Headers(init.headers);
    if (token !== null) headers.set("X-CSRF-Token", token);
    return { ...init, credentials, headers };
  };
  return {
    heard(body) {
      if (isObject(body) && typeof body.csrf_token === "string") known = body.csrf_token;
    },
    forget() {
      known = null;
    },
    async send(url, init, send) {
      if (!isUnsafe(init.method ?? "GET")) return send(url, { ...init, credentials });
      const token = csrfCookie.exec(cookies())?.[1] ?? known;
      const first = await send(url, withToken(init, token));
      if (first.status !== 403 || init.body instanceof ReadableStream) return first;
      const { error } = await readResult(first.clone());
      if (error?.code !== "csrf_failed" && error?.code !== "csrf_required") return first;
      const other = await fresh(send);
      return other === null ? first : send(url, withToken(init, other));
    },
  };
}
