import type { Stores } from "../ports/stores.ts";
import { type Fault, type FaultPlan, type FaultyCall, InjectedFault } from "./faulty.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** What goes wrong with a call in a test's world. */
export type TestFault =
  | Fault
  /** The store answers, so many milliseconds of the virtual clock later. */
  | { readonly latencyMs: number };

/** Which calls something goes wrong with. */
export interface FaultPlace {
  /** Default: each. */
  readonly port?: keyof Stores;
  /** Name of a method: `commit`, `find`, `reserve`, … Default: each. */
  readonly method?: string;
  /** How often. Default: until it is ended. */
  readonly times?: number;
}

/** The failures of a test's world; none to begin with. */
export interface Faults {
  /**
   * Something goes wrong from now on; of several that fit, the newest counts. A call that hangs is given up when the
   * configured time has passed on the virtual clock, which moves by itself.
   *
   * @returns ends it
   */
  add(fault: TestFault, place?: FaultPlace): () => void;
  /** Ends all of them. */
  clear(): void;
}

interface Rule {
  readonly fault: TestFault;
  readonly place: FaultPlace;
  left: number;
}

// Longer than any configured time; a caller that sets none must not hang for ever.
const hangMs = 3_600_000;

/** Failures that can be switched on and off, and the plan for `faulty` that carries them out. */
export function faultSwitch(clock: Pick<VirtualClock, "sleep">): {
  readonly faults: Faults;
  readonly plan: FaultPlan;
  /** Whether anything may go wrong. */
  readonly areOn: () => boolean;
} {
  let rules: readonly Rule[] = [];

  function plan(call: FaultyCall): Fault | null {
    const rule = rules.findLast((each) => fits(each.place, call));
    if (rule === undefined) return null;
    rule.left--;
    if (rule.left <= 0) end(rule);
    return onClock(rule.fault, clock);
  }

  function end(rule: Rule): void {
    rules = rules.filter((each) => each !== rule);
  }

  return {
    plan,
    areOn: () => rules.length > 0,
    faults: {
      add(fault, place = {}) {
        const { times = Number.POSITIVE_INFINITY } = place;
        const rule: Rule = { fault, place, left: times };
        if (times > 0) rules = [...rules, rule];
        return () => end(rule);
      },
      clear() {
        rules = [];
      },
    },
  };
}

function fits({ port, method }: FaultPlace, call: FaultyCall): boolean {
  return (port === undefined || port === call.port) && (method === undefined || method === call.method);
}

function onClock(fault: TestFault, clock: Pick<VirtualClock, "sleep">): Fault {
  if (fault === "hang") {
    return {
      async waitFor(signal) {
        await clock.sleep(hangMs, signal);
        throw new InjectedFault("no answer");
      },
    };
  }
  if (typeof fault !== "object" || !("latencyMs" in fault)) return fault;
  return { waitFor: (signal) => clock.sleep(fault.latencyMs, signal) };
}
