import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { contextWords } from "../../src/password/context-words.ts";
import { type PolicyOptions, passwordPolicy } from "../../src/password/policy.ts";
import { passwordThreads } from "../../src/password/threads.ts";
import { recording } from "./fixtures/recording.ts";

const pool = passwordThreads({ size: 1 });
afterAll(() => pool.close());

const owner = {
  email: "Ada.Lovelace@Mail.Analytical.Example",
  username: "countess_ada",
  name: "Ada King Lovelace",
  host: "app.difference-engine.example",
};
const words = contextWords(owner);

async function codes(password: string, options: Partial<PolicyOptions> = {}): Promise<readonly string[]> {
  const errors = await passwordPolicy({ threads: pool, ...options }).check(password, { words });
  return errors.map((error) => error.code);
}

test.each<[string, string, readonly string[]]>([
  ["a sentence", "correct horse battery", []],
  ["eight code points that are nothing special", "xkq vzj!", []],
  ["blanks and any script", "  пароль 密码  ", []],
  ["nothing", "", ["required"]],
  ["seven code points", "xkqvzj!", ["too_short"]],
  ["seven code points in more units", "\u{1f511}".repeat(7), ["too_short"]],
  ["eight code points outside the BMP", "\u{1f511}\u{1f52f}".repeat(4), []],
  ["eight code points that are seven under NFC", "xkqvzje\u0301", ["too_short"]],
  ["1,024 bytes", "é".repeat(512), []],
  ["1,025 bytes", `${"é".repeat(512)}x`, ["too_long"]],
  ["1,025 units", "x".repeat(1025), ["too_long"]],
  ["NUL", "correct\0horse", ["invalid_characters"]],
  ["a lone surrogate", "correct\ud83dhorse", ["invalid_characters"]],
  ["a common password", "password123", ["too_common"]],
  ["a common password in capitals", "PassWord123", ["too_common"]],
  ["a common password in full width", "ｐassword１２３", ["too_common"]],
  ["a common password and more", "password123 of mine", []],
  ["the address", "ada.lovelace@mail.analytical.example", ["context_word"]],
  ["the local part", "ADA.LOVELACE", ["context_word"]],
  ["the local part without its dot", "adalovelace", ["context_word"]],
  ["the name", "ada king lovelace", ["context_word"]],
  ["the name in one word", "AdaKingLovelace", ["context_word"]],
  ["a part of the name", "lovelace", ["context_word"]],
  ["the username", "countess_ada", ["context_word"]],
  ["a part of the username", "countess", ["context_word"]],
  ["the mail domain", "mail.analytical.example", ["context_word"]],
  ["a label of it, full width", "Ａnalytical", ["context_word"]],
  ["the host of the service", "app.difference-engine.example", ["context_word"]],
  ["a part of it", "difference", ["context_word"]],
  ["a label of it", "difference-engine", ["context_word"]],
  ["a context word and more", "lovelace forever", []],
])("%s", async (_, password, expected) => {
  expect(await codes(password)).toEqual(expected);
});

test("the words are those that people read", async () => {
  const policy = passwordPolicy({ threads: pool });
  expect(await policy.check("", { words })).toEqual([
    { field: "password", code: "required", message: "Password is required" },
  ]);
  expect(await policy.check("short", { words, field: "new_password" })).toEqual([
    { field: "new_password", code: "too_short", message: "Password must be at least 8 characters" },
  ]);
});

test("what can be no password is not looked up", async () => {
  const threads = recording(pool);
  for (const password of ["", "short", "x".repeat(1025), "correct\0horse", "lovelace"])
    await codes(password, { threads });
  expect(threads.tasks).toEqual([]);
  await codes("correct horse", { threads });
  expect(threads.tasks).toHaveLength(1);
});

describe("settings", () => {
  test("the least length", async () => {
    expect(await codes("correct horse", { minLength: 14 })).toEqual(["too_short"]);
    expect(await codes("xkqvzj", { minLength: 6 })).toEqual([]);
    for (const minLength of [0, 7.5, 257]) {
      expect(() => passwordPolicy({ threads: pool, minLength })).toThrow(TypeError);
    }
  });

  test("common passwords may be let pass", async () => {
    expect(await codes("password123", { refusesCommon: false })).toEqual([]);
  });

  test("words of one's own", async () => {
    expect(await codes("Zaphod Beeblebrox", { words: ["zaphod beeblebrox"] })).toEqual(["context_word"]);
  });

  test("words are compared by NFKC and case fold", async () => {
    expect(await codes("\u03c5psilon-rhythm", { words: ["\u03d2psilon-Rhythm"] })).toEqual(["context_word"]);
  });

  test("rules about kinds of characters, all failing ones at once", async () => {
    const all = {
      requiresLowercase: true,
      requiresUppercase: true,
      requiresDigit: true,
      requiresSymbol: true,
    };
    expect(await codes("密码密码密码密码密", { composition: all })).toEqual([
      "missing_lowercase",
      "missing_uppercase",
      "missing_digit",
      "missing_symbol",
    ]);
    expect(await codes("Correct horse 9", { composition: all })).toEqual([]);
    expect(await codes("correct horse", { composition: { requiresDigit: true } })).toEqual(["missing_digit"]);
    expect(await codes("PASSWORD", { composition: { requiresLowercase: true } })).toEqual([
      "missing_lowercase",
      "too_common",
    ]);
  });
});

test("a list that cannot be asked is an error, not a pass", async () => {
  const threads = passwordThreads({ size: 1 });
  await threads.close();
  await expect(codes("correct horse", { threads })).rejects.toMatchObject({ code: "overloaded" });
});

test("any string is answered, and what passes can be hashed", async () => {
  const policy = passwordPolicy({ threads: pool });
  // Built from single UTF-16 units, so that lone surrogates occur.
  const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map((codes) => String.fromCharCode(...codes));
  await fc.assert(
    fc.asyncProperty(fc.oneof(units, fc.string({ unit: "grapheme", maxLength: 400 })), async (password) => {
      const errors = await policy.check(password, { words: [password.slice(1)] });
      if (errors.length > 0) return;
      expect(Buffer.from(password).toString()).toBe(password);
      expect(Buffer.byteLength(password)).toBeLessThanOrEqual(1024);
    }),
  );
});

test("an owner of whom little is known has few words, none of them empty", () => {
  expect(contextWords({ email: null, username: null, name: null, host: "localhost" })).toEqual(["localhost"]);
  expect(contextWords({ email: "a@b", username: "", name: " ", host: "" })).not.toContain("");
});
