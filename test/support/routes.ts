import { createAuth } from "../../src/auth.ts";
import type { Feature } from "../../src/features/feature.ts";
import type { Route } from "../../src/ports/route.ts";
import { memory } from "../../src/stores/memory.ts";
import { inlineThreads } from "./inline-threads.ts";
import { testPasswords } from "./test-passwords.ts";
import { secret } from "./world.ts";

/**
 * The whole table of routes, for tests that go through it row by row and so cover rows that are still to come.
 *
 * @param features - besides passwords. Default none
 */
export async function allRoutes(features: readonly Feature<unknown>[] = []): Promise<readonly Route[]> {
  const auth = createAuth({
    origin: "https://app.example",
    secrets: [secret],
    stores: memory(),
    features: [testPasswords(inlineThreads()), ...features],
    session: { sweepIntervalSeconds: 0 },
  });
  return auth.routes();
}

/** Where a route lies on the usual origin; a variable segment is `value`. */
export function pathOf(route: Pick<Route, "path" | "isAtRoot">, value = "x"): string {
  return (route.isAtRoot ? "" : "/api/v1") + route.path.replaceAll(/\{\w+\}/g, value);
}

/** Wire names of a route's input, and which it requires. */
export function fieldsOf(route: Route): {
  readonly names: readonly string[];
  readonly required: readonly string[];
} {
  const { properties = {}, required = [] } = (route.inputJsonSchema?.() ?? {}) as {
    properties?: Readonly<Record<string, unknown>>;
    required?: readonly string[];
  };
  return { names: Object.keys(properties), required };
}
