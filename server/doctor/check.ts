import type { Facts } from "./facts.ts";

/** How bad it is: errors are dangerous, warnings should be mended, notes are worth knowing. */
export type Severity = "error" | "warning" | "note";

/** What a check looks at: `settings` as they are written; the others ask around. */
export type Need = "settings" | "machine" | "database" | "sessions" | "server";

/** What a check came to. */
export type Outcome =
  | { readonly kind: "ok" }
  | {
      readonly kind: "found";
      /** One clause; never the value of a secret. */
      readonly found: string;
      /** What to do about it, as whole sentences. */
      readonly fix: string;
    }
  /** It could not be told. */
  | { readonly kind: "unknown"; readonly why: string }
  /** It is no question here. */
  | { readonly kind: "skipped"; readonly why: string };

/** One check. It looks at facts and nothing else, so that it says the same whoever gathered them. */
export interface Check {
  /** For good: operators write it into what watches over them. */
  readonly id: string;
  /** What holds where nothing is found. */
  readonly title: string;
  readonly severity: Severity;
  readonly needs: Need;
  /** `production`: no question where the origin is loopback. */
  readonly scope: "everywhere" | "production";
  readonly check: (facts: Facts) => Outcome;
}

/** A check of one kind of facts. */
export interface CheckRow<F> extends Omit<Check, "check" | "needs" | "scope"> {
  readonly scope?: Check["scope"];
  readonly check: (subject: F, facts: Facts) => Outcome;
}

export const ok: Outcome = { kind: "ok" };

export function found(text: string, fix: string): Outcome {
  return { kind: "found", found: text, fix };
}

export function unknown(why: string): Outcome {
  return { kind: "unknown", why };
}

export function skipped(why: string): Outcome {
  return { kind: "skipped", why };
}

/** Makes checks of one kind of facts; where those could not be had, each says why. */
export function checksOf<K extends "machine" | "database" | "sessions" | "server">(
  needs: K,
  rows: readonly CheckRow<Extract<Facts[K], { readonly state: "known" }>["value"]>[],
): readonly Check[] {
  return rows.map(({ scope = "everywhere", check, ...row }) => ({
    ...row,
    needs,
    scope,
    check: (facts) => {
      const subject = facts[needs];
      // Why, is a finding of its own. @see answeringChecks
      if (subject.state === "unknown") return unknown("nothing answered");
      if (subject.state === "absent") return skipped(subject.why);
      return check(subject.value as never, facts);
    },
  }));
}
