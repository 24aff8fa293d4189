/** `latchkey/testing`: what proves a store or a strategy, and what tests of an application are made of. */
export {
  type ClientOptions,
  type StorageState,
  type TestAnswer,
  type TestBody,
  type TestClient,
  type TestRequest,
  visitor,
} from "./client.ts";
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
export type { TestCookie } from "./cookie-jar.ts";
export type { FaultPlace, Faults, TestFault } from "./faults.ts";
export { type Fault, type FaultPlan, type FaultyCall, faulty, InjectedFault } from "./faulty.ts";
export { type Fixtures, fixtures } from "./fixtures.ts";
export { type MailSink, mailSink } from "./mail-sink.ts";
export { decide, type MockContext, type MockProof, mockPrincipal, mockUser } from "./mock-principal.ts";
export { testRandom } from "./random.ts";
export { type SessionWanted, session, type TestSession } from "./session.ts";
export { type SignedInClient, signedIn, type WhoseClient, withApiKey, withToken } from "./signed-in.ts";
export type { TestApp } from "./test-app.ts";
export { type TestAuth, type TestAuthOptions, type TestLogLine, testAuth, testSecret } from "./test-auth.ts";
export { testPassword } from "./test-password.ts";
export { instantHashers, type TestPasswordsOptions, testPasswords } from "./test-passwords.ts";
export type { WantedUser, WhichUser } from "./test-user.ts";
export { type VirtualClock, virtualClock } from "./virtual-clock.ts";
