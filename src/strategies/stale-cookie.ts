import type { AuthRequest } from "../ports/request.ts";
import type { Outcome } from "../ports/strategy.ts";

/** Session cookies of one name that are looked up; a browser with more is not a browser. */
export const mostTokens = 3;

/** No session cookie at all. */
export const absent: Outcome = Object.freeze({ kind: "absent" });
/** One that nobody has handed out. */
export const clear: Outcome = Object.freeze({ kind: "absent", change: { session: "clear" } as const });
const stale: Outcome = Object.freeze({ ...clear, reason: "session_expired" } as const);
const staleKept: Outcome = Object.freeze({ kind: "absent", reason: "session_expired" } as const);

/**
 * One that works no more. It is cleared where a person navigates. A script's request may carry the id that a rotation has just
 * replaced, and its answer, coming last, would wipe the new cookie; and where more cookies came than were looked up, the good
 * one may be among the rest.
 *
 * @param presented - how many cookies of the name came
 */
export function staleFor(request: AuthRequest, presented: number): Outcome {
  const mode = request.headers.get("sec-fetch-mode");
  return presented > mostTokens || (mode && mode !== "navigate") ? staleKept : stale;
}
