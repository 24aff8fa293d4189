import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isTierName, type TierLimit } from "../../src/domain/tier.ts";
import { isLimitPath, limitFor, limitProblems } from "../../src/domain/tier-limits.ts";

const limit = (path: string, most = 5): TierLimit => ({ path, limit: most, windowSeconds: 60 });
const found = (paths: readonly string[], pathname: string) =>
  limitFor(
    paths.map((path) => limit(path)),
    pathname,
  )?.path ?? null;

describe("the limit of a path", () => {
  const paths = ["*", "/api/*", "/api/reports", "/api/reports/*", "/api/reports/x"];

  test.each([
    ["/", "*"],
    ["/api", "*"],
    ["/api/", "*"],
    ["/api/users", "/api/*"],
    ["/api/reports", "/api/reports"],
    ["/api/reports/", "/api/reports"],
    ["/api/reports/x", "/api/reports/x"],
    ["/api/reports/y", "/api/reports/*"],
    ["/api/reports/x/y", "/api/reports/*"],
    ["/apis/reports", "*"],
  ])("%s is counted by %s", (pathname, wanted) => {
    expect(found(paths, pathname)).toBe(wanted);
    expect(found(paths.toReversed(), pathname)).toBe(wanted);
  });

  test("is none where nothing covers it", () => {
    expect(found(["/api/*"], "/other")).toBeNull();
    expect(found(["/api/*"], "/api")).toBeNull();
    expect(found([], "/")).toBeNull();
    expect(found(["/*"], "/x")).toBe("/*");
  });

  test.each([
    "/API/Reports",
    "//api//reports",
    "/api/reports//",
    "/%61pi/reports",
    "/api%2Freports",
    "/api/REPORTS/",
    "\\api/\\reports",
    "/api/reports\u00a0",
    "/api/reports%20",
  ])("is not gone round by another spelling: %s", (pathname) =>
    expect(found(["/api/reports"], pathname)).toBe("/api/reports"),
  );

  test.each([
    "/%61pi/42%ff",
    "/%61pi/42%",
    "/%61pi/%zz",
    "/%61pi%2F%ff",
    "/%61pi%2f%c0%af",
    "/%61pi/%E0%A4%A",
    "/%41PI/%ed%a0%80",
  ])("is not gone round by an escape that is broken: %s", (pathname) =>
    expect(found(["*", "/api/*"], pathname)).toBe("/api/*"),
  );

  test("is that of a path with letters beyond ASCII, escaped or not", () => {
    for (const pathname of ["/caf\u00e9/1", "/caf%C3%A9/1", "/CAF%c3%89/1%ff"])
      expect(found(["/caf\u00e9/*"], pathname)).toBe("/caf\u00e9/*");
    expect(found(["/caf\u00e9/*"], "/caf%C3/1")).toBeNull();
  });

  test("however it is spelt, a path below a pattern is counted", () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/);
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1 }),
        fc.boolean(),
        fc.boolean(),
        (segments, upper, twice) => {
          const below = segments.join(twice ? "//" : "/");
          expect(found(["/api/*"], `/api/${upper ? below.toUpperCase() : below}`)).toBe("/api/*");
        },
      ),
    );
  });
});

test.each([
  ["*", true],
  ["/", true],
  ["/*", true],
  ["/a", true],
  ["/a/b/", true],
  ["/a/b/*", true],
  ["", false],
  ["a", false],
  ["/a*", false],
  ["/*/a", false],
  ["//a", false],
  ["/a?b", false],
  ["/a#b", false],
  ["/a b", false],
  ["/a\u0000", false],
  [`/${"a".repeat(200)}`, false],
] as const)("%j as the path of a limit: %s", (path, can) => {
  expect(isLimitPath(path)).toBe(can);
});

test("limits are refused for what cannot be counted, and two for one path", () => {
  const code = (...limits: readonly TierLimit[]) => limitProblems(limits)[0]?.code ?? null;
  expect(code(limit("*"), limit("/a"), limit("/a/*"), limit("/*"))).toBeNull();
  expect(code(limit("a"))).toBe("invalid");
  for (const most of [0, -1, 1.5, 1e10, Number.NaN]) expect(code(limit("*", most))).toBe("out_of_range");
  expect(code({ ...limit("*"), windowSeconds: 0 })).toBe("out_of_range");
  expect(code({ ...limit("*"), windowSeconds: 2_592_001 })).toBe("out_of_range");
  expect(code(limit("/a"), limit("/A/"))).toBe("duplicate");
  expect(code(limit("/a/*"), limit("/A/*"))).toBe("duplicate");
  expect(code(limit("*"), limit("*"))).toBe("duplicate");
  expect(code(...Array.from({ length: 51 }, (_, index) => limit(`/${index}`)))).toBe("too_many");
});

test("names of tiers are lower case and short", () => {
  expect(["pro", "a-b_1", "", "Pro", "a b", "x".repeat(33)].map(isTierName)).toEqual([
    ...[true, true, false, false, false, false],
  ]);
});
