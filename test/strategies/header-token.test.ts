import { expect, test } from "vitest";
import { jwt } from "../../src/features/jwt.ts";
import { tokens } from "../../src/features/tokens.ts";
import { headerToken } from "../../src/strategies/header-token.ts";
import { bareRequest } from "../support/browser.ts";
import { world } from "../support/world.ts";

const key = "a secret of at least thirty-two bytes, for tokens";

// What browsers fill in by themselves would make another site's request one of the token's owner.
test.each(["Cookie", "HOST", "origin", "Proxy-Authorization", "Referer"])(
  "a header that browsers write is no place for a token: %s",
  (header) => {
    expect(() => headerToken({ header })).toThrow(/browsers write it by themselves/);
    expect(() => jwt({ key, header })).toThrow(TypeError);
    expect(() => world({ features: [tokens({ header })] })).toThrow(TypeError);
  },
);

test.each([
  { header: "" },
  { header: "X Token" },
  { header: "X-Token:" },
  { header: "X-Tokén" },
  { header: "X-Token\r\nX-Other" },
  { prefix: "Bearer " },
  { prefix: "two words" },
  { prefix: "Bearer\n" },
  { prefix: "Trägerin" },
])("what cannot stand in a header is refused at the start: %j", (place) => {
  expect(() => headerToken(place)).toThrow(TypeError);
});

test("a token is what stands behind the word and one space, whatever the case of header and word", () => {
  const read = headerToken({ header: "X-Token", prefix: "Token" });
  const of = (value: string): string | null => read(bareRequest({ headers: { "x-token": value } }));
  expect([of("Token a.b.c"), of("TOKEN a"), of("token  a"), of("Token ")]).toEqual(["a.b.c", "a", " a", ""]);
  expect([of(""), of("Tokena"), of("Bearer a"), of("a")]).toEqual([null, null, null, null]);
  expect(read(bareRequest({}))).toBeNull();
});

test("without a word the header holds the token alone", () => {
  const read = headerToken({ header: "X-Token", prefix: "" });
  expect(read(bareRequest({ headers: { "x-token": "Bearer a" } }))).toBe("Bearer a");
});
