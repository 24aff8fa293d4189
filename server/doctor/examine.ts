import type { Check, Outcome } from "./check.ts";
import { skipped } from "./check.ts";
import { checks } from "./checks.ts";
import type { Facts } from "./facts.ts";

/** One check and what it came to. */
export interface Examined {
  readonly check: Check;
  readonly outcome: Outcome;
}

/** Makes every check. */
export function examine(facts: Facts, which: readonly Check[] = checks): readonly Examined[] {
  return which.map((check) => {
    const isAsked = check.scope === "everywhere" || facts.settings.isProduction;
    return { check, outcome: isAsked ? check.check(facts) : skipped("the origin is loopback") };
  });
}

/** How many there are of each. */
export interface Tally {
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
  readonly fine: number;
  readonly unknown: number;
  readonly skipped: number;
}

/** Counts. */
export function tally(examined: readonly Examined[]): Tally {
  const found = (severity: Check["severity"]): number =>
    examined.filter(({ check, outcome }) => outcome.kind === "found" && check.severity === severity).length;
  const of = (kind: Outcome["kind"]): number =>
    examined.filter(({ outcome }) => outcome.kind === kind).length;
  return {
    errors: found("error"),
    warnings: found("warning"),
    notes: found("note"),
    fine: of("ok"),
    unknown: of("unknown"),
    skipped: of("skipped"),
  };
}
