import type { StoreCall } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { type TestClock, testClock } from "../clock.ts";
import { type Fixtures, fixtures } from "../fixtures.ts";

/** How a contract suite gets at the stores that it is to prove. Cases run one after the other. */
export interface StoreHarness {
  /** Stores over a state that is new and empty. */
  open(): Promise<Stores>;
  /**
   * A second, independent handle on the state that the last `open` made, as another process would have it. Leave it out
   * where the backend lives in one process: races then run over one handle.
   */
  another?(): Promise<Stores>;
  /**
   * Opens the state that the last `open` made once more, as the next process does after this one was killed: what was not
   * on disk when a call resolved is gone. Leave it out where nothing outlives the process: durability is then not asked for.
   */
  reopen?(): Promise<Stores>;
  /** Whether sessions that expired go by themselves, so that sweeps have none to report. Default false. */
  readonly expiresByItself?: boolean;
  /** Deletes a user's row behind the stores' back, as an application with SQL of its own may; `forget` is called after it. */
  removeUser?(userId: string): Promise<void>;
}

/** One rule of a contract, for any test runner: `for (const { name, run } of sessionContract(harness)) it(name, run)`. */
export interface ContractCase {
  readonly section: "basics" | "concurrency" | "faults" | "durability";
  /** The rule in words. Stable and unique in its suite. */
  readonly name: string;
  /** Opens stores, tries the rule on them, closes them. Rejects with an AssertionError where the rule does not hold. */
  run(): Promise<void>;
}

/** What one case works with. */
export interface Trial {
  readonly stores: Stores;
  readonly clock: TestClock;
  readonly make: Fixtures;
  /** The optional abilities of the harness; null where it has none. */
  readonly removeUser: ((userId: string) => Promise<void>) | null;
  /** What every store call brings along, at the clock's now. */
  call(): StoreCall;
  /** A second handle on the same state, or the first where there is no other. */
  another(): Promise<Stores>;
  /** The same state as the next process finds it. */
  reopen(): Promise<Stores>;
}

/** Rules by their words. */
export type Rules = Readonly<Record<string, (trial: Trial) => Promise<void>>>;

/** The cases of some rules. */
export function cases(
  harness: StoreHarness,
  section: ContractCase["section"],
  ...groups: readonly Rules[]
): readonly ContractCase[] {
  return groups.flatMap((rules) =>
    Object.entries(rules).map(([name, rule]) => ({ section, name, run: () => attempt(harness, rule) })),
  );
}

async function attempt(harness: StoreHarness, rule: Rules[string]): Promise<void> {
  const first = await harness.open();
  const opened = [first];
  const also = async (open: (() => Promise<Stores>) | undefined): Promise<Stores> => {
    const stores = (await open?.()) ?? first;
    opened.push(stores);
    return stores;
  };
  let second: Promise<Stores> | null = null;
  const clock = testClock();
  const closeAll = async (): Promise<void> => {
    for (const stores of new Set(opened)) await close(stores);
  };
  const trial: Trial = {
    stores: first,
    clock,
    make: fixtures(clock),
    removeUser: harness.removeUser?.bind(harness) ?? null,
    call: () => ({ now: clock.now(), signal: new AbortController().signal }),
    another() {
      second ??= also(harness.another?.bind(harness));
      return second;
    },
    reopen: () => also(harness.reopen?.bind(harness)),
  };
  try {
    await rule(trial);
  } catch (error) {
    // What the rule found out matters more than what closing does after it.
    await closeAll().catch(() => undefined);
    throw error;
  }
  await closeAll();
}

/** Closes all three ports. */
export async function close(stores: Stores): Promise<void> {
  for (const port of [stores.ephemeral, stores.sessions, stores.directory]) await port.close();
}

/** Runs `work` `count` times at once, taking turns between the handles, and answers in order. */
export async function race<T>(
  trial: Trial,
  count: number,
  work: (stores: Stores, index: number) => Promise<T>,
): Promise<readonly T[]> {
  const handles = [trial.stores, await trial.another()];
  const racers = Array.from({ length: count }, (_, index) => work(handles[index % 2] as Stores, index));
  return Promise.all(racers);
}
