import type { Principal } from "../domain/principal.ts";
import type { Decision, Guard, GuardContext } from "../ports/guard.ts";

/** What a refusing guard said, and which it was. */
export interface Denial {
  readonly guard: string;
  readonly decision: Extract<Decision, { allow: false }>;
}

/**
 * Deny by default: with no guard, somebody has to be signed in; a guard that does not ask about strangers never sees one.
 *
 * @returns null where every guard allows, else the first refusal
 */
export async function authorize(
  principal: Principal,
  guards: readonly Guard[],
  context: GuardContext,
): Promise<Denial | null> {
  const isOpen = guards.length > 0 && guards.every((guard) => guard.asksAnonymous);
  if (!principal.isAuthenticated && !isOpen) {
    return {
      guard: "signedIn",
      decision: { allow: false, code: "not_authenticated", because: "not signed in" },
    };
  }
  for (const guard of guards) {
    const decision = await guard.decide(principal, context);
    if (!decision.allow) return { guard: guard.name, decision };
  }
  return null;
}
