import type { RequestListener } from "node:http";
import { adapterContract } from "../../src/testing/testing.ts";
import { nextHarness } from "./next-harness.ts";
import { pageCases } from "./next-pages.ts";

/** A rule and what proves it. */
export interface NextCase {
  readonly name: string;
  run(): Promise<void>;
}

/** Every case on Next, the same list in the process that runs them and in the one that names them. */
export function nextCases(listener: () => RequestListener): readonly NextCase[] {
  const contract = adapterContract(nextHarness(listener));
  return [
    ...contract.map(({ section, name, run }) => ({ name: `the contract: ${section}: ${name}`, run })),
    ...pageCases(listener),
  ];
}
