import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nextPath, requestUrl, signInPath } from "../../src/http/next-path.ts";
import { anyText } from "../support/arbitrary.ts";

const origin = "https://app.example";

describe("next", () => {
  test.each([
    ["/", "/"],
    ["/app/dashboard", "/app/dashboard"],
    ["/a?b=c&d=%2F%2Fevil.example#e", "/a?b=c&d=%2F%2Fevil.example#e"],
    ["/a/../b", "/b"],
    ["/ä", "/%C3%A4"],
  ])("leads to a path of this origin: %s", (next, expected) => {
    expect(nextPath(next, origin)).toBe(expected);
  });

  test.each([
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "/ /evil.example",
    "/\u0085/evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/.//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "evil.example",
    "",
    `/${"a".repeat(2_048)}`,
    null,
    undefined,
    7,
    ["/a"],
    { toString: () => "/a" },
  ])("never leads elsewhere: %j", (next) => {
    expect(nextPath(next, origin)).toBeNull();
  });

  test("whatever it is, a browser that follows it stays on the origin", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "/",
        "\\",
        ".",
        "..",
        "//",
        "%2f",
        "%5c",
        "@",
        ":",
        "?",
        "#",
        "evil.example",
        "https:",
        "\t",
        "\r\n",
        "\u2028",
      ),
      anyText(6),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const path = nextPath(`/${pieces.join("")}`, origin);
        if (path === null) return;
        expect(path.startsWith("/")).toBe(true);
        expect(new URL(path, origin).origin).toBe(origin);
        // Once more: what was accepted is accepted again and leads to the same place.
        expect(nextPath(path, origin)).toBe(path);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the way to the sign-in page", () => {
  test("remembers where a GET wanted to go", () => {
    expect(signInPath("/login", { method: "GET", url: "https://other.example/a/b?c=d&e" })).toBe(
      "/login?next=%2Fa%2Fb%3Fc%3Dd%26e",
    );
  });

  test("of a write, and of the start page, remembers nothing", () => {
    expect(signInPath("/login", { method: "POST", url: "/a" })).toBe("/login");
    expect(signInPath("/login", { method: "HEAD", url: "/a" })).toBe("/login");
    expect(signInPath("/login", { method: "GET", url: "/" })).toBe("/login");
  });
});

describe("the URL of a request", () => {
  test("is read for its path, absolute or not", () => {
    expect(requestUrl("/a/b?c").pathname).toBe("/a/b");
    expect(requestUrl("https://x.example/a?c").search).toBe("?c");
    expect(requestUrl("http://x:99999/a?c").pathname).toBe("/a");
    expect(requestUrl("HTTP://[x]?c")).toMatchObject({ hostname: "localhost", pathname: "/", search: "?c" });
  });

  test("that begins with two slashes is a path, and no host", () => {
    expect(requestUrl("//evil.example/a")).toMatchObject({
      hostname: "localhost",
      pathname: "//evil.example/a",
    });
  });

  test("that is garbage reads as /", () => {
    for (const url of ["", "*", "http://", "example.com:443", "::", "@evil.example/a"])
      expect(requestUrl(url).pathname).toBe("/");
    fc.assert(fc.property(anyText(), (url) => void requestUrl(url)));
    fc.assert(fc.property(anyText(), (url) => void requestUrl(`/${url}`)));
  });
});
