import type { Principal } from "../domain/principal.ts";
import type { Decision, Guard, GuardContext } from "../ports/guard.ts";
import type { Awaitable } from "../ports/store.ts";

/** What a refusing guard said, and which it was. */
export interface Denial {
  readonly guard: string;
  readonly decision: Extract<Decision, { allow: false }>;
}

/**
 * Deny by default: with no guard, somebody has to be signed in; a guard that does not ask about strangers never sees one.
 * Answers at once where the guards do.
 *
 * @returns null where every guard allows, else the first refusal
 */
export function authorize(
  principal: Principal,
  guards: readonly Guard[],
  context: GuardContext,
): Awaitable<Denial | null> {
  if (!principal.isAuthenticated && !isOpen(guards)) {
    return {
      guard: "signedIn",
      decision: { allow: false, code: "not_authenticated", because: "not signed in" },
    };
  }
  return askFrom(0, principal, guards, context);
}

/** Whether strangers are let on: every guard asks about them, and one of them says something about who it is. */
export function isOpen(guards: readonly Guard[]): boolean {
  let opens = false;
  for (const guard of guards) {
    if (!guard.asksAnonymous) return false;
    if (guard.isNeutral !== true) opens = true;
  }
  return opens;
}

function askFrom(
  from: number,
  principal: Principal,
  guards: readonly Guard[],
  context: GuardContext,
): Awaitable<Denial | null> {
  for (let index = from; index < guards.length; index++) {
    const guard = guards[index] as Guard;
    const decision = guard.decide(principal, context);
    // A thenable of another class counts: taken for a decision it would refuse everybody.
    if ("then" in decision) {
      return Promise.resolve(decision).then(
        (settled) => denialBy(guard, settled) ?? askFrom(index + 1, principal, guards, context),
      );
    }
    const denial = denialBy(guard, decision);
    if (denial !== null) return denial;
  }
  return null;
}

function denialBy(guard: Guard, decision: Decision): Denial | null {
  return decision.allow ? null : { guard: guard.name, decision };
}
