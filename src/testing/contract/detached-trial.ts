import type { Session } from "../../domain/session.ts";
import type { DetachedSessions, OwnerKey } from "../../ports/detached-sessions.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type TestClock, testClock } from "../clock.ts";
import { type Fixtures, fixtures } from "../fixtures.ts";
import type { ContractCase } from "./trial.ts";

/** How the suite gets at the engine that it is to prove. */
export interface DetachedHarness {
  /** Sessions in a state that is new and empty. */
  open(): Promise<DetachedSessions>;
  /** A second, independent handle on the state that the last `open` made. Leave it out where one process has it for itself. */
  another?(): Promise<DetachedSessions>;
  /** Whether the engine deletes expired sessions by itself and has none to name. Default false. */
  readonly expiresByItself?: boolean;
}

/** What one case works with. */
export interface DetachedTrial {
  readonly sessions: DetachedSessions;
  /** A second handle, or the first where there is no other. */
  readonly other: DetachedSessions;
  readonly expiresByItself: boolean;
  readonly clock: TestClock;
  readonly make: Fixtures;
  call(): StoreCall;
}

/** Rules by their words. */
export type DetachedRules = Readonly<Record<string, (trial: DetachedTrial) => Promise<void>>>;

/** The cases of some rules. */
export function detachedCases(
  harness: DetachedHarness,
  section: ContractCase["section"],
  ...groups: readonly DetachedRules[]
): readonly ContractCase[] {
  return groups.flatMap((rules) =>
    Object.entries(rules).map(([name, rule]) => ({ section, name, run: () => attempt(harness, rule) })),
  );
}

async function attempt(harness: DetachedHarness, rule: DetachedRules[string]): Promise<void> {
  const sessions = await harness.open();
  const other = (await harness.another?.()) ?? sessions;
  const clock = testClock();
  const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
  const expiresByItself = harness.expiresByItself ?? false;
  try {
    await rule({ sessions, other, expiresByItself, clock, make: fixtures(clock), call });
  } finally {
    for (const handle of new Set([sessions, other])) await handle.close();
  }
}

/** Where a user's sessions lie. */
export function keyOf({ id, slotTag }: { readonly id: string; readonly slotTag: string }): OwnerKey {
  return { userId: id, slotTag };
}

/** What the engine has under an id. */
export async function stored(
  { sessions, call }: DetachedTrial,
  id: string,
  handle: DetachedSessions = sessions,
): Promise<Session | null> {
  const [found] = await handle.find([id], call());
  return found?.session ?? null;
}

/** Runs `work` many times at once, taking turns between the handles. */
export function raceHandles<T>(
  { sessions, other }: DetachedTrial,
  count: number,
  work: (handle: DetachedSessions, index: number) => Promise<T>,
): Promise<readonly T[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => work(index % 2 === 0 ? sessions : other, index)),
  );
}
