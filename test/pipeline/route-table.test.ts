import { expect, test } from "vitest";
import { anyone } from "../../src/guards/guards.ts";
import { routeTable } from "../../src/pipeline/route-table.ts";
import type { Route } from "../../src/ports/route.ts";

function route(path: string, method: Route["method"] = "GET"): Route {
  const handle: Route["handle"] = async () => ({ status: 200 });
  return { method, path, summary: path, guards: [anyone()], answers: { 200: null }, handle };
}

test("of several patterns the one that is spelled out further answers, in whatever order they are listed", () => {
  const paths = ["/users/{user}/{part}", "/users/{user}/sessions", "/users/db/{name}", "/users/me/{part}"];
  for (const listed of [paths, paths.toReversed()]) {
    const table = routeTable(
      listed.map((path) => route(path)),
      "/api",
    );
    const found = (path: string) => table.match("GET", path)?.route?.path;
    expect(found("/api/users/db/sessions")).toBe("/users/db/{name}");
    expect(found("/api/users/me/sessions")).toBe("/users/me/{part}");
    expect(found("/api/users/ana/sessions")).toMatch(/^\/users\/\{user\}/);
  }
});
