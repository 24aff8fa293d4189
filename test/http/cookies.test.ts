import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cookieValue, cookieValues, setCookie } from "../../src/http/cookies.ts";
import { anyText } from "../support/arbitrary.ts";
import { parseSetCookie } from "../support/browser.ts";

describe("a Cookie header", () => {
  test("gives every value of a name, in order", () => {
    expect(cookieValues("a=1; b=2;a=3;  a = 4; xa=5; a=", "a")).toEqual(["1", "3", ""]);
    expect(cookieValue("b=2; a=1; a=3", "a")).toBe("1");
  });

  test("without the name gives nothing", () => {
    for (const header of [null, undefined, "", "b=2", "a", "a;b", "ab=1"]) {
      expect(cookieValues(header, "a")).toEqual([]);
      expect(cookieValue(header, "a")).toBeNull();
    }
  });

  test("gives no more than was asked for", () => {
    expect(cookieValues("a=1; a=2; a=3", "a", 2)).toEqual(["1", "2"]);
  });

  test("full of garbage of the same name still gives the value at its end", () => {
    const header = `${"a=x; ".repeat(100)}a=real`;
    expect(cookieValues(header, "a").at(-1)).toBe("real");
  });

  test("longer than any browser sends is not looked at", () => {
    expect(cookieValues(`a=1; b=${"x".repeat(16_384)}`, "a")).toEqual([]);
    expect(cookieValues(`a=1; b=${"x".repeat(16_384 - 7)}`, "a")).toEqual(["1"]);
  });

  test("keeps quotes and equals signs as they were sent", () => {
    expect(cookieValues('a="q"; a=b=c', "a")).toEqual(['"q"', "b=c"]);
  });

  test("never throws, whatever it holds", () => {
    const piece = fc.oneof(fc.constantFrom("a=", "; ", ";", "=", " a=1", "\0", "\t"), anyText(8));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 100 }), (pieces) => {
        const values = cookieValues(pieces.join(""), "a");
        expect(values.every((value) => !value.includes(";"))).toBe(true);
      }),
    );
  });
});

describe("a Set-Cookie header", () => {
  const cookie = {
    name: "a",
    value: "v",
    isSecure: true,
    isHttpOnly: true,
    sameSite: "Lax",
    domain: null,
    maxAgeSeconds: null,
  } as const;

  test("says exactly what was asked for", () => {
    expect(parseSetCookie(setCookie(cookie))).toEqual({
      name: "a",
      value: "v",
      attributes: { path: "/", httponly: "", secure: "", samesite: "Lax" },
    });
    const other = {
      ...cookie,
      isSecure: false,
      isHttpOnly: false,
      sameSite: "None",
      domain: "x.example",
      maxAgeSeconds: 9.9,
    } as const;
    expect(parseSetCookie(setCookie(other)).attributes).toEqual({
      path: "/",
      domain: "x.example",
      "max-age": "9",
      samesite: "None",
    });
  });

  test.each(["a b", "a;b", 'a"', "a,b", "ä", "a\r\nSet-Cookie: b=1", "a\\"])("never carries %j", (value) => {
    expect(() => setCookie({ ...cookie, value })).toThrow(TypeError);
  });
});
