import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requestPaths } from "../../src/http/request-paths.ts";

describe("the paths that a router may read in a URL", () => {
  test.each([
    ["/", ["/"]],
    ["/reports?page=1#end", ["/reports"]],
    ["https://app.example:8443/reports?page=1", ["/reports"]],
    ["/a/../b", ["/b", "/a/../b"]],
    ["/a%2fb", ["/a%2fb", "/a%252fb"]],
    ["/x/../a%5Cb", ["/a%5Cb", "/a%255Cb", "/x/../a%5Cb", "/x/../a%255Cb"]],
    ["/a\\b", ["/a/b", "/a\\b"]],
    ["http://a:99999/b", ["/b"]],
    ["http://a?b/c", ["/", "/c"]],
    ["http://a;b/c", ["/c", "/;b/c"]],
    ["http://a", ["/"]],
    ["*", ["/"]],
    ["", ["/"]],
    ["example.com:443", ["/"]],
  ])("%s: %j", (url, paths) => {
    expect(requestPaths(url)).toEqual(paths);
  });

  test("are paths, whatever comes", () => {
    const text = fc.string({ unit: fc.constantFrom(..."/:?#%;@[].\\ \tah\u00a0\ud800") });
    fc.assert(
      fc.property(text, fc.constantFrom("", "/", "http://"), (rest, start) => {
        const paths = requestPaths(start + rest);
        expect(paths.length).toBeGreaterThan(0);
        for (const path of paths) expect(path).toMatch(/^\/[^?#]*$/);
      }),
    );
  });
});
