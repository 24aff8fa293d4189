import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emailKey, identifier, isEmail, usernameKey } from "../../src/domain/identifier.ts";
import { anyText } from "../support/arbitrary.ts";

describe("an address", () => {
  test.each([
    ["ana@example.com"],
    ["ärger@straße.example"],
    ["a+b.c@x"],
    [`${"a".repeat(64)}@example.com`],
    [`a@${Array(5).fill("\u3316".repeat(8)).join(".")}.bbbbbbb`],
  ])("can be %s", (email) => {
    expect(isEmail(email)).toBe(true);
  });

  test.each([
    ["no at sign", "ana"],
    ["two at signs", "a@b@c.example"],
    ["a blank", "a b@example.com"],
    ["a line break", "a@example.com\r\nBcc: all@example.com"],
    ["a NUL", "a\0@example.com"],
    ["a lone surrogate", "a\ud800@example.com"],
    ["an invisible character", "a\u200b@example.com"],
    ["a list", "a,b@example.com"],
    ["an angle bracket", "<a@example.com>"],
    ["an empty label", "a@example..com"],
    ["a dot at the end", "a@example.com."],
    ["a local part of 65", `${"a".repeat(65)}@example.com`],
    [
      "255 units",
      `a@${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.${"e".repeat(60)}.${"f".repeat(9)}`,
    ],
    // Each character is six in the key.
    ["a key of 255 units", `a@${Array(5).fill("\u3316".repeat(8)).join(".")}.${"b".repeat(8)}`],
    ["an at sign that only normalising brings out", "a\ufe6bb@example.com"],
  ])("with %s is refused", (_, email) => {
    expect(isEmail(email)).toBe(false);
  });

  test("has one key for every spelling that people take for the same", () => {
    const key = emailKey("Ärger@Example.COM");
    expect(emailKey(" ärger@example.com ")).toBe(key);
    expect(emailKey("A\u0308rger@example.com")).toBe(key);
    expect(emailKey("\uff21\u0308rger@example.com")).toBe(key);
    expect(emailKey("STRASSE@x")).toBe(emailKey("straße@x"));
    expect(emailKey("a.b@example.com")).not.toBe(emailKey("ab@example.com"));
  });
});

describe("a username", () => {
  test("is stored folded", () => {
    expect(usernameKey(" Ana_B-2.c ")).toBe("ana_b-2.c");
    expect(usernameKey("\uff21na")).toBe("ana");
  });

  test.each(["ab", "a".repeat(33), "-ana", "ana.", "a na", "añb", "a@b", "", "a\0b"])(
    "%j cannot be used",
    (name) => {
      expect(usernameKey(name)).toBeNull();
    },
  );

  test.each(["abc", "a".repeat(32)])("%j can be used", (name) => {
    expect(usernameKey(name)).toBe(name);
  });

  test.each(["me", "db", "admin", "ROOT", "Null", "latchkey"])("%s is reserved", (name) => {
    expect(usernameKey(name)).toBeNull();
  });

  test.each(["admin", "ROOT", "support", "latchkey"])("%s is for who runs the service", (name) => {
    expect(usernameKey(name, { isOperators: true })).toBe(name.toLowerCase());
  });

  test.each(["me", "db", "Null", "anonymous", "users"])("%s is nobody's, the operator's neither", (name) => {
    expect(usernameKey(name, { isOperators: true })).toBeNull();
  });
});

describe("what somebody typed", () => {
  test("is an address where it has an at sign, else a username", () => {
    expect(identifier(" Ana@X.example ")).toEqual({ kind: "email", key: "ana@x.example" });
    expect(identifier("ANA")).toEqual({ kind: "username", key: "ana" });
  });

  test("always finds what was stored under the same spelling", () => {
    fc.assert(
      fc.property(anyText(60), (text) => {
        if (isEmail(text.trim())) expect(identifier(text)).toEqual({ kind: "email", key: emailKey(text) });
        const key = usernameKey(text);
        if (key !== null) expect(identifier(text)).toEqual({ kind: "username", key });
      }),
    );
  });

  test("reads any string", () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        for (const read of [identifier, emailKey, usernameKey, isEmail]) read(text);
      }),
    );
  });
});
