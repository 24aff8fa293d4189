import { rights } from "../../src/domain/rights.ts";
import type { GuardContext } from "../../src/ports/guard.ts";
import { bareRequest } from "./browser.ts";

/** What a guard looks at, for tests that ask one by itself: a GET, no roles, nothing proven, no limit ever reached. */
export function guardContext(over: Partial<GuardContext> = {}): GuardContext {
  return {
    request: bareRequest({ method: "GET" }),
    now: new Date("2026-01-01T00:00:00Z"),
    rights: rights(null),
    provenAt: null,
    freshSeconds: 600,
    takeTurn: async () => ({ ok: true, left: { remaining: 1, resetSeconds: 1 } }),
    ...over,
  };
}
