import type { Cleanup } from "../../servers/own.ts";

/** What the tests of a file share: `beforeAll(() => start(shared.cleanup)); afterAll(() => shared.end())`. */
export interface Shared {
  readonly cleanup: Cleanup;
  /** Ends everything, the last first. */
  end(): Promise<void>;
}

/** Gathers what has to be ended; `afterAll` itself is not heard where it is called in a hook. */
export function shared(): Shared {
  const ends: (() => Promise<void>)[] = [];
  return {
    cleanup: (end) => void ends.push(end),
    async end() {
      for (const end of ends.splice(0).reverse()) await end();
    },
  };
}
