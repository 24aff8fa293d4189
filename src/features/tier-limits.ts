import type { Tier, TierLimit } from "../domain/tier.ts";
import { limitFor, limitProblems } from "../domain/tier-limits.ts";
import type { RequestLimit } from "../ports/guard.ts";
import type { Feature } from "./feature.ts";

/** Settings of {@link tierLimits}. */
export interface TierLimitsOptions {
  /** Limits of users who are in no tier. Default none. */
  readonly withoutTier?: readonly TierLimit[];
}

/** What answers name the limits of {@link TierLimitsOptions.withoutTier}. */
const noTier = "no-tier";

/**
 * Limits requests by the tier of the user who makes them, whatever they prove it by: one attempt of a counter for each request
 * to a path that their tier limits, past it 429; each answer says what is left (`RateLimit`). Strangers are not counted (`rateLimit` is for
 * them), nor are the routes by which somebody signs in or out or changes their password.
 */
export function tierLimits({ withoutTier = [] }: TierLimitsOptions = {}): Feature<null> {
  return {
    name: "tier-limits",
    install({ tiers }) {
      const [problem] = limitProblems(withoutTier);
      if (problem !== undefined) throw new TypeError(`tierLimits: withoutTier: ${problem.message}`);
      const without = { id: noTier, name: noTier, limits: withoutTier };
      return {
        api: null,
        limitFor({ user, impersonator }, pathname) {
          // What an administrator does in somebody's place is not taken from what that person has paid for.
          if (impersonator !== null) return null;
          if (user.tier === null) return requestLimit(without, pathname);
          const tier = tiers.named(user.tier);
          return tier instanceof Promise
            ? tier.then((found) => requestLimit(found ?? without, pathname))
            : requestLimit(tier ?? without, pathname);
        },
      };
    },
  };
}

function requestLimit(
  { id, name, limits }: Pick<Tier, "id" | "name" | "limits">,
  pathname: string,
): RequestLimit | null {
  const found = limitFor(limits, pathname);
  if (found === null) return null;
  const { limit, windowSeconds } = found;
  // By the id: a tier of the same name that is made anew begins anew.
  return { name, counter: `tier:${id}:${found.path}`, limit, windowSeconds };
}
