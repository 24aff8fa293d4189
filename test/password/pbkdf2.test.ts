import { pbkdf2Sync } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { argon2id } from "../../src/password/argon2id.ts";
import { passwordHashing } from "../../src/password/hashing.ts";
import { pbkdf2 } from "../../src/password/pbkdf2.ts";
import { passwordThreads } from "../../src/password/threads.ts";

const threads = passwordThreads({ size: 1 });
afterAll(() => threads.close());

const hashing = passwordHashing({ threads, hashers: [argon2id({ memoryKiB: 64, passes: 1 }), pbkdf2()] });

function django(password: string, iterations: number, salt: string): string {
  const digest = pbkdf2Sync(password, salt, iterations, 32, "sha256").toString("base64");
  return `pbkdf2_sha256$${iterations}$${salt}$${digest}`;
}

// The first two were made with Python's hashlib, as Django does it.
test.each([
  ["correct horse battery", "pbkdf2_sha256$1000$seasalt$DrdiWD40lyBuydnjvZiDrdQMx1S1mOA9O0QYex0R6ww="],
  ["pässwörd", "pbkdf2_sha256$600000$kIx0vC9cJ1Lq8Q2hVvT3aX$56wUovbJPlh+tZJEdaXo6yH/8NP9yhc7Ccw9uDxIQv4="],
  ["short salt", django("short salt", 1, "!")],
])("%s verifies against Django's hash", async (password, encoded) => {
  const stored = { encoded, normalization: "raw" } as const;
  expect(await hashing.verify(password, stored)).toMatchObject({ ok: true, format: "pbkdf2_sha256" });
  expect((await hashing.verify(`${password}.`, stored)).ok).toBe(false);
});

describe("what is recognised", () => {
  const digest = `${"A".repeat(43)}=`;

  test.each<[string, string, boolean]>([
    ["Django's own", `pbkdf2_sha256$1000000$salt$${digest}`, true],
    ["the dummy", pbkdf2().dummy, true],
    ["the most iterations within bounds", `pbkdf2_sha256$5000000$salt$${digest}`, true],
    ["iterations that would keep a thread busy", `pbkdf2_sha256$5000001$salt$${digest}`, false],
    ["no iterations", `pbkdf2_sha256$0$salt$${digest}`, false],
    ["a leading zero", `pbkdf2_sha256$01$salt$${digest}`, false],
    ["a sign", `pbkdf2_sha256$+1$salt$${digest}`, false],
    ["an exponent", `pbkdf2_sha256$1e3$salt$${digest}`, false],
    ["no salt", `pbkdf2_sha256$1$$${digest}`, false],
    ["the longest salt", `pbkdf2_sha256$1$${"s".repeat(128)}$${digest}`, true],
    ["a longer salt", `pbkdf2_sha256$1$${"s".repeat(129)}$${digest}`, false],
    ["a salt with a dollar sign", `pbkdf2_sha256$1$sa$lt$${digest}`, false],
    ["a salt outside ASCII", `pbkdf2_sha256$1$sålt$${digest}`, false],
    ["a digest that is too short", `pbkdf2_sha256$1$salt$${digest.slice(4)}`, false],
    ["a digest that is too long", `pbkdf2_sha256$1$salt$${"A".repeat(44)}`, false],
    ["bits beyond the last byte", `pbkdf2_sha256$1$salt$${"A".repeat(42)}B=`, false],
    ["another digest", `pbkdf2_sha1$1$salt$${digest}`, false],
    ["a line break at the end", `pbkdf2_sha256$1$salt$${digest}\n`, false],
  ])("%s", (_, encoded, isRecognised) => {
    expect(pbkdf2().recognises(encoded)).toBe(isRecognised);
  });

  test("the bound can be moved", () => {
    expect(pbkdf2({ maxIterations: 10 }).recognises(`pbkdf2_sha256$11$salt$${digest}`)).toBe(false);
    for (const maxIterations of [0, 1.5, 10_000_001])
      expect(() => pbkdf2({ maxIterations })).toThrow(TypeError);
  });
});
