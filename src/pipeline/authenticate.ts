import { anonymous, type Principal } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import type { SessionChange } from "../ports/change.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Awaitable } from "../ports/store.ts";
import type { Answered, Outcome, Stakes, Strategy } from "../ports/strategy.ts";

/** Who a request is from. */
export interface Authenticated {
  readonly principal: Principal;
  /** The session behind the proof, or a visitor's; null where there is none. */
  readonly session: Session | null;
  readonly change: SessionChange | undefined;
  /** Whether the proof is one that browsers send by themselves. */
  readonly isAmbient: boolean;
  /** Why there is nobody, where a proof was there that works no more. */
  readonly reason: "session_expired" | undefined;
  /** Wants to be told the status of the answer. */
  readonly answered: Answered | undefined;
}

/** Explicit proofs first, then ambient ones; the configured order within each group. */
export function inAskingOrder(strategies: readonly Strategy[]): readonly Strategy[] {
  return [...strategies.filter(({ ambient }) => !ambient), ...strategies.filter(({ ambient }) => ambient)];
}

/**
 * Asks the strategies in order; the first that accepts or rejects has the last word.
 *
 * @throws AuthError of a rejected proof; `store_unavailable` where a backend failed, never "nobody"
 */
export function authenticate(
  strategies: readonly Strategy[],
  request: AuthRequest,
  client: ClientInfo,
  stakes: Stakes = reading,
  from = 0,
  before: Authenticated = nobody,
): Awaitable<Authenticated> {
  let so: Authenticated = before;
  for (let index = from; index < strategies.length; index++) {
    const strategy = strategies[index] as Strategy;
    const outcome = strategy.authenticate(request, client, stakes);
    // A thenable of another class counts: taken for an outcome it would read as "nobody".
    if ("then" in outcome) {
      return Promise.resolve(outcome).then((settled) => {
        const now = weigh(so, settled, strategy);
        return isFinal(settled) ? now : authenticate(strategies, request, client, stakes, index + 1, now);
      });
    }
    so = weigh(so, outcome, strategy);
    if (isFinal(outcome)) return so;
  }
  return so;
}

/** Tells a proof that asks for it how its request was answered: when the request can say, or at once by the verdict. */
export function tellAnswer(request: AuthRequest, answered: Answered, statusOfVerdict: number): void {
  if (request.onAnswered === undefined) answered(statusOfVerdict);
  else request.onAnswered(answered);
}

/** The stakes of reading and of changing something. */
export const reading: Stakes = Object.freeze({ readsThrough: false });
export const changing: Stakes = Object.freeze({ readsThrough: true });

/** Nobody, as a request without any proof is from. */
export const nobody: Authenticated = Object.freeze({
  principal: anonymous,
  session: null,
  change: undefined,
  isAmbient: false,
  reason: undefined,
  answered: undefined,
});

function isFinal(outcome: Outcome): boolean {
  return outcome.kind !== "absent";
}

function weigh(so: Authenticated, outcome: Outcome, strategy: Strategy): Authenticated {
  if (outcome.kind === "rejected") throw outcome.error;
  if (outcome.kind === "accepted") {
    return {
      principal: outcome.principal,
      session: outcome.session ?? null,
      change: outcome.change,
      isAmbient: strategy.ambient,
      reason: undefined,
      answered: outcome.answered,
    };
  }
  if (outcome.session === undefined && outcome.change === undefined && outcome.reason === undefined)
    return so;
  return {
    principal: anonymous,
    session: outcome.session ?? so.session,
    change: outcome.change ?? so.change,
    isAmbient: false,
    reason: outcome.reason ?? so.reason,
    answered: undefined,
  };
}
