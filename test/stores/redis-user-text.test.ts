import { expect, it } from "vitest";
import { userOf, userText } from "../../src/stores/redis/user-text.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";

const clock = testClock();
const make = fixtures(clock);

it("the copy of a user has their revoked tokens, and whether they have a password to change", () => {
  const revokedTokens = [{ tokenId: "t", expiresAt: clock.now() }];
  for (const mustChangePassword of [true, false]) {
    const user = make.user({ revokedTokens, mustChangePassword });
    expect(userOf(userText(user))).toEqual(user);
  }
});

it.each([["revokedTokens"], ["mustChangePassword"]])(
  "a copy that says nothing of %s, by a version before, is none",
  (field) => {
    const { [field]: _, ...before } = JSON.parse(userText(make.user()));
    expect(userOf(JSON.stringify(before))).toBeNull();
  },
);
