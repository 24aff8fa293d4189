import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatApiKey,
  isApiKeyEnvironment,
  looksLikeApiKey,
  mintApiKey,
  parseApiKey,
} from "../../src/domain/api-key-text.ts";
import { numberBase62 } from "../../src/domain/random.ts";
import { testRandom } from "../../src/testing/random.ts";
import { anyText } from "../support/arbitrary.ts";

const random = testRandom("api keys");
const bytes = (length: number): Uint8Array => random.bytes(length);
const key = mintApiKey("live", bytes);
const text = formatApiKey(key);

describe("the text of an API key", () => {
  test("is its prefix, environment, id, secret and checksum, in base62", () => {
    expect(text).toMatch(/^lk_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}$/);
    expect(text.startsWith(`lk_live_${key.id}_${key.secret}`)).toBe(true);
    expect(looksLikeApiKey(text)).toBe(true);
  });

  // Calculated with zlib's crc32 in another language: the form is a contract with secret scanners.
  test("ends with the CRC-32 of everything before it", () => {
    const known = { environment: "live", id: "0123456789abcdef", secret: "0".repeat(43) };
    expect(formatApiKey(known)).toBe(
      "lk_live_0123456789abcdef_00000000000000000000000000000000000000000003yfFdI",
    );
  });

  test("reads back as what was written", () => {
    const words = fc.stringMatching(/^[a-z0-9]{1,16}$/);
    fc.assert(
      fc.property(words, (environment) => {
        const made = mintApiKey(environment, bytes);
        expect(parseApiKey(formatApiKey(made))).toEqual(made);
      }),
    );
  });

  test("with any one character changed, missing or doubled is no key", () => {
    for (let at = 0; at < text.length; at++) {
      const [before, char, after] = [text.slice(0, at), text[at] as string, text.slice(at + 1)];
      const other = char === "a" ? "b" : "a";
      for (const wrong of [before + other + after, before + after, before + char + char + after])
        expect([wrong, parseApiKey(wrong)]).toEqual([wrong, null]);
    }
  });

  test("with two neighbours swapped is no key", () => {
    for (let at = 0; at + 1 < text.length; at++) {
      if (text[at] === text[at + 1]) continue;
      const swapped = text.slice(0, at) + text[at + 1] + text[at] + text.slice(at + 2);
      expect([swapped, parseApiKey(swapped)]).toEqual([swapped, null]);
    }
  });

  test("has one spelling", () => {
    const [head, tail] = [text.slice(0, 3), text.slice(3)];
    for (const other of [` ${text}`, `${text} `, `${text}\n`, `${text}, ${text}`, head.toUpperCase() + tail])
      expect(parseApiKey(other)).toBeNull();
  });

  test("is read without an error, whatever comes", () => {
    fc.assert(
      fc.property(anyText(200), (noise) => {
        expect(parseApiKey(noise)).toBeNull();
        expect(parseApiKey(`lk_live_${noise}`)).toBeNull();
      }),
    );
    expect(parseApiKey("lk_".repeat(1_000_000))).toBeNull();
  });
});

test.each(["", "Live", "li ve", "live_", "x".repeat(17), "é"])("%j is no environment", (word) => {
  expect(isApiKeyEnvironment(word)).toBe(false);
});

test("a number in base62 is filled up with zeros", () => {
  expect([0, 61, 62, 4_294_967_295].map((value) => numberBase62(value, 6))).toEqual([
    "000000",
    "00000z",
    "000010",
    "4gfFC3",
  ]);
});
