import type { ErrorCode, FieldError } from "../errors.ts";

/** Why a call did not succeed without an answer of the server that says so. */
export type LocalCode =
  /** No connection, or a page of another origin that may not ask. */
  | "network_error"
  /** No answer in time. The server may have done what was asked. */
  | "timeout"
  /** The caller's own signal. */
  | "aborted"
  /** An answer that is neither the data nor a problem document: a proxy's page, mostly. */
  | "unreadable_answer";

/** What went wrong, as a value: decide on `code`, show `message`. */
export interface ClientError {
  /** A code of Latchkey's, of the application's own problem documents, or of this side of the line. */
  readonly code: ErrorCode | LocalCode | (string & Record<never, never>);
  /** HTTP status; null where there was no answer. */
  readonly status: number | null;
  /** A sentence for the person. */
  readonly message: string;
  /** What is wrong with which field; empty where the request as a whole was refused. */
  readonly fields: readonly FieldError[];
  /** Seconds until another try makes sense, or null. */
  readonly retryAfterSeconds: number | null;
  /** By which the operator finds it, or null. */
  readonly requestId: string | null;
}

/** Either data or an error: nothing of a client throws for what a server or a network does. */
export type Result<T> =
  | { readonly data: T; readonly error: null }
  | { readonly data: null; readonly error: ClientError };

/** A good result. */
export function ok<T>(data: T): Result<T> {
  return { data, error: null };
}

/** What went wrong without an answer. */
export function failed(code: LocalCode, message: string, status: number | null = null): Result<never> {
  const error = { code, status, message, fields: [], retryAfterSeconds: null, requestId: null };
  return { data: null, error };
}

/** Reads an answer: JSON of a good one, the problem document of a refusal. @see RFC 9457 */
export async function readResult<T>(response: Response): Promise<Result<T>> {
  const { status } = response;
  let body: unknown = null;
  try {
    const text = await response.text();
    if (text !== "") body = JSON.parse(text);
  } catch {
    if (response.ok) return failed("unreadable_answer", "The answer cannot be read.", status);
  }
  if (response.ok) return ok(body as T);
  const problem = isObject(body) ? body : {};
  if (typeof problem.code !== "string") {
    return failed("unreadable_answer", `The server answered with status ${status}.`, status);
  }
  const retryAfter = Number(response.headers.get("retry-after") ?? "");
  return {
    data: null,
    error: {
      code: problem.code,
      status,
      message: String(problem.detail ?? problem.title ?? problem.code),
      fields: Array.isArray(problem.errors) ? problem.errors : [],
      retryAfterSeconds: retryAfter > 0 ? retryAfter : null,
      requestId: typeof problem.request_id === "string" ? problem.request_id : null,
    },
  };
}

/** Whether it has fields to look at. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
