import { describe, expect, test } from "vitest";
import { deviceWords, timeWords } from "../../server/pages/words.ts";

describe("a device in words", () => {
  test.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"],
    [
      "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
      "Safari on iOS",
    ],
    [
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
      "Microsoft Edge on Windows",
    ],
    ["something (X11; Linux x86_64)", "A program on Linux"],
    ["curl/8.5.0", "Unknown device"],
    ["", "Unknown device"],
    [null, "Unknown device"],
  ])("%s", (userAgent, words) => {
    expect(deviceWords(userAgent)).toBe(words);
  });

  test("is short, whatever a browser calls itself", () => {
    expect(deviceWords(`${"Long".repeat(100)}/1.0 (X11; Linux)`).length).toBeLessThan(100);
  });
});

describe("a moment in words", () => {
  const now = new Date("2026-03-31T12:00:00Z");
  test.each([
    [-5, "just now"],
    [0, "just now"],
    [119, "just now"],
    [120, "2 minutes ago"],
    [3_599, "59 minutes ago"],
    [3_600, "1 hour ago"],
    [86_399, "23 hours ago"],
    [86_400, "yesterday"],
    [6 * 86_400, "6 days ago"],
    [7 * 86_400, "on 24 March 2026"],
  ])("%i seconds before", (seconds, words) => {
    expect(timeWords(new Date(now.getTime() - seconds * 1000), now)).toBe(words);
  });
});
