import { describe, expect, test } from "vitest";
import type { ConfigOptions } from "../../src/config/options.ts";
import { readConfig } from "../../src/config.ts";
import { secret } from "../support/world.ts";

const day = 86_400;

function refusal(options: Partial<ConfigOptions>): string | null {
  try {
    readConfig({ origin: "https://app.example", secrets: [secret], ...options });
    return null;
  } catch (error) {
    return String(error);
  }
}

describe("numbers", () => {
  const rows: readonly (readonly [string, (value: number) => Partial<ConfigOptions>, number])[] = [
    ["session.idleSeconds", (idleSeconds) => ({ session: { idleSeconds } }), 3_650 * day],
    ["session.absoluteSeconds", (absoluteSeconds) => ({ session: { absoluteSeconds } }), 3_650 * day],
    [
      "session.rememberedIdleSeconds",
      (rememberedIdleSeconds) => ({ session: { rememberedIdleSeconds } }),
      3_650 * day,
    ],
    [
      "session.rememberedAbsoluteSeconds",
      (rememberedAbsoluteSeconds) => ({ session: { rememberedAbsoluteSeconds } }),
      3_650 * day,
    ],
    ["session.maxPerUser", (maxPerUser) => ({ session: { maxPerUser } }), 10_000],
    ["session.sweepIntervalSeconds", (sweepIntervalSeconds) => ({ session: { sweepIntervalSeconds } }), day],
    ["login.maxAttempts", (maxAttempts) => ({ login: { maxAttempts } }), 1_000],
    ["login.windowSeconds", (windowSeconds) => ({ login: { windowSeconds } }), 30 * day],
    ["freshSeconds", (freshSeconds) => ({ freshSeconds }), 30 * day],
    ["maxBodyBytes", (maxBodyBytes) => ({ maxBodyBytes }), 16 * 2 ** 20],
    ["storeTimeoutMs", (storeTimeoutMs) => ({ storeTimeoutMs }), 30_000],
    ["cookie.maxAgeSeconds", (maxAgeSeconds) => ({ cookie: { maxAgeSeconds } }), 400 * day],
  ];

  test.each(rows)("%s is not above its most", (name, options, most) => {
    expect(refusal(options(most))).toBeNull();
    for (const value of [most + 1, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
      expect(refusal(options(value))).toMatch(
        new RegExp(`${name}: a whole number, .* at most ${most}$`, "m"),
      );
    }
  });

  test("a cookie lives whole seconds", () => {
    expect(refusal({ cookie: { maxAgeSeconds: 1.5 } })).toContain("cookie.maxAgeSeconds: a whole number");
  });

  test("no interval is longer than a timer can wait", () => {
    for (const [, options, most] of rows) {
      const { session, storeTimeoutMs } = readConfig({
        origin: "https://app.example",
        secrets: [secret],
        ...options(most),
      });
      expect(session.sweepIntervalSeconds * 1000).toBeLessThan(2 ** 31);
      expect(storeTimeoutMs).toBeLessThan(2 ** 31);
    }
  });
});

describe("secrets in production", () => {
  const seven = "abcdefg".repeat(6);

  test("hold at least eight different characters", () => {
    for (const weak of ["x".repeat(32), seven]) {
      expect(refusal({ secrets: [weak] })).toContain("secrets[0]: fewer than 8 different characters");
      expect(refusal({ secrets: [secret, weak] })).toContain("secrets[1]: fewer than 8 different characters");
    }
    expect(refusal({ secrets: [`${seven}h`] })).toBeNull();
  });

  test("are not said in the refusal", () => {
    expect(refusal({ secrets: [seven] })).not.toContain("abc");
  });

  test("are nobody's business on loopback", () => {
    expect(refusal({ origin: "http://localhost:3000", secrets: ["x".repeat(32)] })).toBeNull();
  });
});
