import { expect, it } from "vitest";
import { userOf, userText } from "../../src/stores/redis/user-text.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";

const clock = testClock();
const make = fixtures(clock);

it("the copy of a user has their revoked tokens", () => {
  const user = make.user({ revokedTokens: [{ tokenId: "t", expiresAt: clock.now() }] });
  expect(userOf(userText(user))).toEqual(user);
});

it("a copy that says nothing of revoked tokens, by the version before, is none", () => {
  const { revokedTokens: _, ...before } = JSON.parse(userText(make.user()));
  expect(userOf(JSON.stringify(before))).toBeNull();
});
