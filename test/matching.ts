import { expect } from "vitest";

// `toMatchObject` takes a pattern for an object without fields, which everything matches: such a check could not fail.
expect.addEqualityTesters([
  function isPattern(actual, expected) {
    return expected instanceof RegExp && !(actual instanceof RegExp) ? false : undefined;
  },
]);
