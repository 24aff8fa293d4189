import { createAuth } from "../../src/auth.ts";
import type { Strategy } from "../../src/ports/strategy.ts";
import { memory } from "../../src/stores/memory.ts";
import type { StrategyHarness } from "../../src/testing/testing.ts";
import { customAuth } from "../support/custom-strategy.ts";

/** The contract's view of the example strategy. @param change - makes a mistake @param ambient - what the harness says of it */
export function customHarness(
  change: (sound: Strategy) => Strategy = (sound) => sound,
  ambient = false,
): StrategyHarness {
  return {
    name: "custom",
    ambient,
    open({ options, wrap }) {
      const owners = new Map<string, string>();
      let isDown = false;
      const tokens = {
        async ownerOf(token: string) {
          if (isDown) throw new Error("connection refused");
          return owners.get(token) ?? null;
        },
      };
      const stores = wrap(memory());
      const now = () => options.clock?.now() ?? new Date();
      const strategy = change(customAuth(tokens, stores.directory, now));
      return {
        auth: createAuth({ ...options, stores, strategies: [strategy] }),
        good({ id }) {
          const token = `t${owners.size}q`;
          owners.set(token, id);
          return { "x-custom-auth": `valid-${token}` };
        },
        bad: () => ({
          "an unknown token": { "x-custom-auth": "valid-unknown0" },
          "a malformed one": { "x-custom-auth": "valid-$" },
        }),
        foreign: () => ({ "another word": { "x-custom-auth": "other-token" } }),
        csrf: () => ({}),
        fail: () => {
          isDown = true;
        },
      };
    },
  };
}
