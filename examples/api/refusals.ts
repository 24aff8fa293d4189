import type { AuthError, AuthRequest } from "latchkey";

/** What is said where a token is missing, and where it is no good. The first row that fits the path counts. */
const words = [
  ["/v1/api/users/", "Authorization required", "Invalid or expired token"],
  ["/v1/", "Authorization header required", "Invalid or expired token"],
  [
    "/",
    "Authorization required. Send: Authorization: Bearer <token>",
    "Invalid or expired token. Please login again.",
  ],
] as const;

/** This API's refusals, in place of problem documents: `{ "error": … }`, or every error where there are several. */
export function refusal(error: AuthError, request: AuthRequest): Response {
  const { status, fields } = error;
  const headers = new Headers({ "Cache-Control": "no-store" });
  if (status === 401) headers.set("WWW-Authenticate", "Bearer");
  if (error.retryAfterSeconds !== null) headers.set("Retry-After", String(error.retryAfterSeconds));
  // Of a single field that is taken, the sentence alone.
  const isList = status === 400 && fields.length > 0;
  const body = isList
    ? { errors: fields.map(({ message }) => message) }
    : { error: sentence(error, request) };
  return Response.json(body, { status, headers });
}

function sentence({ code, message }: AuthError, { url, headers }: AuthRequest): string {
  const [, missing, bad] = words.find(([path]) => url.startsWith(path)) ?? words[2];
  if (code === "token_invalid") return bad;
  if (code === "not_authenticated" || code === "session_expired")
    return headers.get("authorization")?.startsWith("Bearer ") ? bad : missing;
  // The form's own token is its CSRF token, so these are about it.
  if (code === "csrf_required" || code === "csrf_failed")
    return "Invalid form token. Please refresh and try again.";
  return message;
}
