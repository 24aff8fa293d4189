import type { AuthError } from "../errors.ts";
import { withRequestId } from "../http/event-origin.ts";
import { problem, problemHeaders } from "../http/problem.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Log } from "../ports/services.ts";
import type { Pipeline, Refused } from "./check.ts";
import { sealOwn } from "./seal.ts";

/** Makes the answer to a refusal; null leaves it to Latchkey. */
export type OnError = (error: AuthError, request: AuthRequest) => Response | null | Promise<Response | null>;

/**
 * The application's `onError` as it is asked: one that throws leaves the answer to Latchkey and is told to the operator.
 *
 * What it makes is copied. Cookies and headers are added to it, which the answer of `Response.redirect` does not allow, and
 * which one `Response` that it hands out each time would carry from one person to the next. It is `no-store` as every refusal is:
 * a cache that kept it would refuse whoever comes next as well.
 */
export function guardedOnError(onError: OnError, log: Log): OnError {
  return async (error, request) => {
    try {
      const answer = await onError(error, request);
      if (!answer) return null;
      // Said here: a framework's own `Response` finds it out only when it is sent.
      if (answer.status < 200 || answer.bodyUsed) throw new TypeError("what onError answered cannot be sent");
      const copy = new Response(answer.body, answer);
      copy.headers.set("Cache-Control", "no-store");
      return copy;
    } catch (cause) {
      log.error("onError failed", { code: error.code }, cause);
      return null;
    }
  };
}

/** A refusal before it becomes an answer, for those who build no `Response`. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The one place where an error becomes an answer: a redirect for a page request that has somewhere to go, else a problem document. */
export function errorAnswer(
  { services, strategies }: Pipeline,
  refused: Refused,
  client: ClientInfo,
): ErrorAnswer {
  const { error, redirect } = refused;
  if (redirect !== undefined) {
    return {
      status: 302,
      headers: [
        ["location", redirect],
        ["cache-control", "no-store"],
      ],
      body: "",
    };
  }
  const { requestId } = withRequestId(client, services.random);
  const named = strategies.map(({ challenge }) => challenge).filter((challenge) => challenge !== "");
  const challenges = [...new Set(named)];
  const context = { origin: services.config.origin, requestId, challenges };
  return {
    status: error.status,
    headers: problemHeaders(error, context),
    body: JSON.stringify(problem(error, context)),
  };
}

/** {@link errorAnswer} as a `Response`, `onError` (of {@link guardedOnError}) asked first; cookies sealed in. */
export async function errorResponse(
  pipeline: Pipeline,
  refused: Refused,
  request: AuthRequest,
  client: ClientInfo,
  onError: OnError | undefined,
): Promise<Response> {
  const own = refused.redirect === undefined ? await onError?.(refused.error, request) : null;
  const answer = own ?? plainResponse(errorAnswer(pipeline, refused, client));
  return refused.change === undefined ? answer : sealOwn(pipeline.services.config, answer, refused.change);
}

function plainResponse({ status, headers, body }: ErrorAnswer): Response {
  return new Response(body === "" ? null : body, {
    status,
    headers: headers.map(([name, value]) => [name, value]),
  });
}
