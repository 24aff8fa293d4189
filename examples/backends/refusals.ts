import type { ErrorRequestHandler } from "express";
import type { AuthError, OnError } from "latchkey";

/** Answers to refusals in the words of this application; null leaves it to Latchkey, which answers a problem document. */
export const onError: OnError = (error, request) => {
  // Latchkey's own routes keep their form, which its clients read.
  if (request.url.startsWith("/api/v1/")) return null;
  const body = bodyFor(error);
  return body === null ? null : Response.json(body, { status: error.status, headers: challenge(error) });
};

function bodyFor({ code, status, message }: AuthError): object | null {
  if (code === "invalid_credentials") return { error: "Invalid credentials" };
  if (status === 401) return { error: "Authentication failed", message };
  return status === 403 ? { error: "Permission denied", message } : null;
}

// A 401 has to say how one may sign in. RFC 9110, section 15.5.2
function challenge({ status }: AuthError): Record<string, string> {
  return status === 401 ? { "WWW-Authenticate": "Cookie, Bearer" } : {};
}

/** Answers bodies that cannot be parsed; Express's own page would show the stack. */
export const onUnreadable: ErrorRequestHandler = (error, _req, res, next) => {
  if (error?.type !== "entity.parse.failed") return next(error);
  return res.status(400).json({ error: "The body is not valid JSON." });
};
