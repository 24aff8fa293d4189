import { ok } from "node:assert/strict";
import type { Auth, AuthOptions } from "../../auth.ts";
import type { Principal } from "../../domain/principal.ts";
import type { User } from "../../domain/user.ts";
import type { AuthError } from "../../errors.ts";
import type { Open } from "../../ports/guard.ts";
import type { AuthRequest } from "../../ports/request.ts";
import type { Awaitable } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { testClock } from "../clock.ts";
import { faulty } from "../faulty.ts";
import { fixtures } from "../fixtures.ts";
import { testRandom } from "../random.ts";
import type { ContractCase } from "./trial.ts";

/** Headers of a request, by their names. */
export type ProofHeaders = Readonly<Record<string, string>>;

/** How the contract gets at the strategy that it is to prove. */
export interface StrategyHarness {
  /** Name of the strategy. */
  readonly name: string;
  /** Whether browsers send its proof by themselves. */
  readonly ambient: boolean;
  /** Whether recognising a proof asks a store or another service. Default true. */
  readonly asksBackend?: boolean;
  /** Puts an application together that has the strategy: `createAuth({ ...options, stores: wrap(stores), strategies })`. */
  open(parts: StrategyParts): Awaitable<StrategyScene>;
}

/** What an application under test is made of. */
export interface StrategyParts {
  readonly options: Pick<AuthOptions, "origin" | "secrets" | "session" | "clock" | "log">;
  /** Put around stores that are new and empty: they fail when the contract wants them to. */
  wrap(stores: Stores): Stores;
}

/** An application under test, and how to make proofs for it. */
export interface StrategyScene {
  readonly auth: Auth;
  /** A proof that signs this user in. */
  good(user: User): Awaitable<ProofHeaders>;
  /** Proofs of the strategy's own shape that are no good, by what is wrong with them; may be empty where such ones read as absent. */
  bad(user: User): Awaitable<Readonly<Record<string, ProofHeaders>>>;
  /** What is none of the strategy's, or works no more and so reads as absent (a stale cookie), by what it is. */
  foreign(user: User): Awaitable<Readonly<Record<string, ProofHeaders>>>;
  /** The CSRF header that belongs to a good proof. Needed where the strategy is ambient. */
  csrf?(good: ProofHeaders): Awaitable<ProofHeaders>;
  /** Makes a service of the strategy's own fail from now on. */
  fail?(): void;
}

/** What one rule works with. */
export interface StrategyTrial extends StrategyScene {
  readonly harness: StrategyHarness;
  readonly origin: string;
  /** Puts an active user into the directory. */
  addUser(): Promise<User>;
  /** Makes the user unable to sign in. */
  disable(user: User): Promise<void>;
  /** From now on every backend fails. */
  failAll(): void;
  /** Who a request with these headers is from, on a route that is open to all. */
  asked(headers: ProofHeaders, request?: Partial<AuthRequest>): Promise<Answered>;
  /** The same on a route for those who are signed in. */
  guarded(headers: ProofHeaders): Promise<Answered>;
}

/** What came of a request. */
export interface Answered {
  /** Null where it was refused. */
  readonly principal: Principal | null;
  readonly error: AuthError | null;
}

/** Strategy rules by their words. */
export type StrategyRules = Readonly<Record<string, (trial: StrategyTrial) => Promise<void>>>;

/** The cases of some rules. */
export function strategyCases(
  harness: StrategyHarness,
  section: ContractCase["section"],
  rules: StrategyRules,
): readonly ContractCase[] {
  return Object.entries(rules).map(([name, rule]) => ({ section, name, run: () => attempt(harness, rule) }));
}

const origin = "https://app.example";
const anyone: Open = {
  name: "anyone",
  asksAnonymous: true,
  decide: () => ({ allow: true, because: "anyone may" }),
};
const silent = { error: () => undefined, warn: () => undefined };

async function attempt(harness: StrategyHarness, rule: StrategyRules[string]): Promise<void> {
  const clock = testClock();
  const make = fixtures(clock, testRandom("strategy contract"));
  let stores: Stores | null = null;
  let isFailing = false;
  const scene = await harness.open({
    options: {
      origin,
      secrets: ["a secret of at least thirty-two bytes for the contract"],
      session: { sweepIntervalSeconds: 0 },
      clock,
      log: silent,
    },
    wrap(inner) {
      stores = inner;
      return faulty(inner, () => (isFailing ? "refuse" : null));
    },
  });
  const { directory } = theStores(stores);
  const call = () => ({ now: clock.now(), signal: new AbortController().signal });
  const check = async (headers: ProofHeaders, request: Partial<AuthRequest>, guards: readonly Open[]) => {
    const sent = { ...requestWith(headers), ...request };
    const verdict = await scene.auth.check(sent, { ip: "192.0.2.7" }, ...guards);
    return verdict.ok
      ? { principal: verdict.principal, error: null }
      : { principal: null, error: verdict.error };
  };
  try {
    await rule({
      ...scene,
      good: (user) => scene.good(user),
      bad: (user) => scene.bad(user),
      foreign: (user) => scene.foreign(user),
      harness,
      origin,
      async addUser() {
        const user = make.user();
        await directory.commit([{ kind: "user.insert", user }], call());
        return user;
      },
      async disable(user) {
        // Making a proof may have changed the row.
        const { version } = (await directory.user(user.id, call())) ?? user;
        const changes = { status: "disabled" } as const;
        const write = { kind: "user.update", userId: user.id, version, changes } as const;
        ok((await directory.commit([write], call())).ok);
      },
      failAll() {
        isFailing = true;
        scene.fail?.();
      },
      asked: (headers, request = {}) => check(headers, request, [anyone]),
      guarded: (headers) => check(headers, {}, []),
    });
  } finally {
    isFailing = false;
    await scene.auth.close();
  }
}

function theStores(stores: Stores | null): Stores {
  if (stores === null) throw new TypeError("the harness has to put `wrap` around its stores");
  return stores;
}

/** A request by its parts alone: what no HTTP client would send can be in it. */
export function requestWith(given: ProofHeaders): AuthRequest {
  const headers = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method: "GET",
    url: "/somewhere",
    headers: { get: (name) => headers.get(name.toLowerCase()) ?? null },
  };
}
