/** `latchkey/testing`: what proves a store or a strategy, and what tests of an application start from. */
export { type TestClock, testClock } from "./clock.ts";
export { adapterContract } from "./contract/adapter.ts";
export type { AdapterHarness, AdapterParts, AdapterScene } from "./contract/adapter-trial.ts";
export { detachedSessionContract } from "./contract/detached.ts";
export type { DetachedHarness } from "./contract/detached-trial.ts";
export { directoryContract } from "./contract/directory.ts";
export { ephemeralContract } from "./contract/ephemeral.ts";
export { sessionContract } from "./contract/session.ts";
export { strategyContract } from "./contract/strategy.ts";
export type {
  ProofHeaders,
  StrategyHarness,
  StrategyParts,
  StrategyScene,
} from "./contract/strategy-trial.ts";
export type { ContractCase, StoreHarness } from "./contract/trial.ts";
export { type Fault, type FaultPlan, type FaultyCall, faulty, InjectedFault } from "./faulty.ts";
export { type Fixtures, fixtures } from "./fixtures.ts";
export { type MailSink, mailSink } from "./mail-sink.ts";
export { testRandom } from "./random.ts";
