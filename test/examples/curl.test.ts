import { describe, expect, test } from "vitest";
import { parseCurl } from "./support/curl.ts";

describe("a line of curl is read as a shell would", () => {
  test.each([
    ["curl http://localhost:7145/a?b=c", { method: "GET", path: "/a?b=c", headers: {} }],
    ["curl -s localhost:3000/a", { method: "GET", path: "/a", headers: {} }],
    [
      `curl -X PUT http://x/a \\\n  -H "Content-Type: application/json" \\\n-d '{"a": "b\\"c"}'`,
      { method: "PUT", path: "/a", headers: { "content-type": "application/json" }, body: `{"a": "b\\"c"}` },
    ],
    [
      `curl -d 'a=1' -d "b=\\"2\\"" -b jar=1 x/`,
      {
        method: "POST",
        path: "/",
        headers: { cookie: "jar=1", "content-type": "application/x-www-form-urlencoded" },
        body: 'a=1&b="2"',
      },
    ],
    [`curl "http://x"/'a b'`, { method: "GET", path: "/a%20b", headers: {} }],
  ])("%s", (line, request) => {
    expect(parseCurl(line)).toEqual(request);
  });

  test.each([
    "wget http://x/",
    "curl",
    "curl -k http://x/",
    "curl http://x/ http://y/",
    "curl -H http://x",
    `curl 'http://x/`,
    "curl http://x/ -d",
  ])("%s is refused: nothing of a line is left out in silence", (line) => {
    expect(() => parseCurl(line)).toThrow();
  });
});
