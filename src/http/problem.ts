import type { AuthError } from "../errors.ts";

/** A refusal as it stands on the wire. @see RFC 9457 */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly field: string; readonly code: string; readonly message: string }[];
}

/** What a refusal needs to know of its surroundings. */
export interface ProblemContext {
  readonly origin: string;
  readonly requestId: string;
  /** Schemes for `WWW-Authenticate` on a 401, in order. */
  readonly challenges: readonly string[];
}

/** The problem document of a refusal. Diagnosis and cause stay inside. */
export function problem(error: AuthError, context: ProblemContext): Problem {
  return {
    type: `${context.origin}/problems/${error.code}`,
    title: error.code.replaceAll("_", " "),
    status: error.status,
    code: error.code,
    detail: error.message,
    request_id: context.requestId,
    ...(error.fields.length > 0 && { errors: error.fields }),
  };
}

/** The headers of a refusal, names in lower case. */
export function problemHeaders(error: AuthError, context: ProblemContext): [name: string, value: string][] {
  const headers: [string, string][] = [
    ["content-type", "application/problem+json"],
    ["cache-control", "no-store"],
    ["x-content-type-options", "nosniff"],
  ];
  if (error.retryAfterSeconds !== null)
    headers.push(["retry-after", String(Math.max(1, Math.ceil(error.retryAfterSeconds)))]);
  if (error.status === 401) headers.push(["www-authenticate", challenges(error, context).join(", ")]);
  return headers;
}

// A program that is told that its token is the matter asks for another one. @see RFC 6750, section 3
function challenges({ code }: AuthError, context: ProblemContext): readonly string[] {
  if (code !== "token_invalid") return context.challenges;
  return context.challenges.map((each) => (each === "Bearer" ? 'Bearer error="invalid_token"' : each));
}
