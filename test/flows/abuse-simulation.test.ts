import { describe, expect, test } from "vitest";
import { scenes } from "../../bench/abuse/scenes.ts";

/** 9 that nobody waits after, then 30 s, 60 s … 1,920 s, then one an hour. */
const mostInOneDay = 9 + 1 + 7 + 24;
const mostUntilLocked = 100;

describe.each(Object.entries(scenes))("%s", (_, play) => {
  test("gets as few guesses as promised, and denies nobody their own browser", {
    timeout: 60_000,
  }, async () => {
    const { known, fresh, ...guesses } = await play({ days: 1, accounts: 4, attackers: 2, people: 6 });
    expect(known.tried).toBeGreaterThan(2);
    expect(known.denied).toBe(0);
    // Who knew the password has shown that those before were not guessing.
    const fromBeginning = 1 + fresh.tried - fresh.denied;
    expect(guesses.mostInOneDay).toBeLessThanOrEqual(mostInOneDay * fromBeginning);
    expect(guesses.mostOnOneAccount).toBeLessThanOrEqual(mostUntilLocked * fromBeginning);
  });
});
