import { afterAll, describe, expect, test } from "vitest";
import { argon2id } from "../../src/password/argon2id.ts";
import { bcrypt } from "../../src/password/bcrypt.ts";
import { passwordHashing } from "../../src/password/hashing.ts";
import { passwordThreads } from "../../src/password/threads.ts";

const threads = passwordThreads({ size: 1 });
afterAll(() => threads.close());

const hashing = passwordHashing({ threads, hashers: [argon2id({ memoryKiB: 64, passes: 1 }), bcrypt()] });

async function isPassword(password: string, encoded: string): Promise<boolean> {
  return (await hashing.verify(password, { encoded, normalization: "raw" })).ok;
}

// Made with crypt(3) of libxcrypt, another implementation than the one under test.
test.each([
  ["correct horse", "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"],
  ["correct horse", "$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"],
  ["U*U", "$2a$05$abcdefghijklmnopqrstuuMpLhh66NJUQMuZ6FwRQX0sqAEKeWcKW"],
  ["U*U", "$2b$04$......................OFozeos6d2lMGDeQ3d5irLzOX9aUXQa"],
  ["U*U", "$2y$06$ZZZZZZZZZZZZZZZZZZZZZu6sv9wJJL3oaSpL./VPJE.6YUybvNlZi"],
  ["пароль-é", "$2a$05$abcdefghijklmnopqrstuu9k.t/gUABvXj1FeEC6oYF5aLnjf5LXW"],
  ["пароль-é", "$2y$06$ZZZZZZZZZZZZZZZZZZZZZuC1vXQWQkX6AKN5Oms29.olA2/QAl6.u"],
])("%s verifies against a hash of another implementation", async (password, encoded) => {
  expect(await isPassword(password, encoded)).toBe(true);
  expect(await isPassword(`${password}.`, encoded)).toBe(false);
});

describe("only the first 72 bytes count, as in the products that made the hash", () => {
  const eightyDigits = "$2b$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";
  const digits = "0123456789".repeat(8);

  test.each([
    [72, true],
    [80, true],
    [71, false],
  ])("%i of them", async (length, ok) => {
    expect(await isPassword(digits.slice(0, length), eightyDigits)).toBe(ok);
  });

  test("another 73rd byte", async () => {
    expect(await isPassword(`${digits.slice(0, 72)}anything else`, eightyDigits)).toBe(true);
  });
});

describe("what is recognised", () => {
  const rest = `abcdefghijklmnopqrstuu${"HNbAKRhpaujgo33bRWs.NLUTJO3lOy2"}`;

  test.each<[string, string, boolean]>([
    ["2a", `$2a$10$${rest}`, true],
    ["2b", `$2b$10$${rest}`, true],
    ["2y", `$2y$10$${rest}`, true],
    ["the dummy", bcrypt().dummy, true],
    ["the largest cost within bounds", `$2b$14$${rest}`, true],
    ["a cost that would keep a thread busy", `$2b$15$${rest}`, false],
    ["the largest cost there is", `$2b$31$${rest}`, false],
    ["a cost below bcrypt's own minimum", `$2b$03$${rest}`, false],
    ["2x, which PHP made wrongly", `$2x$10$${rest}`, false],
    ["2", `$2$10$${rest}`, false],
    ["one digit of cost", `$2b$4$${rest}`, false],
    ["a character missing", `$2b$10$${rest.slice(1)}`, false],
    ["a character too many", `$2b$10$${rest}.`, false],
    ["a character outside the alphabet", `$2b$10$${rest.slice(1)}=`, false],
    ["a line break at the end", `$2b$10$${rest}\n`, false],
  ])("%s", (_, encoded, isRecognised) => {
    expect(bcrypt().recognises(encoded)).toBe(isRecognised);
  });

  test("the bound can be moved", () => {
    expect(bcrypt({ maxCost: 15 }).recognises(`$2b$15$${rest}`)).toBe(true);
    for (const maxCost of [3, 21, 9.5]) expect(() => bcrypt({ maxCost })).toThrow(TypeError);
  });
});
