import type { Limit } from "../ports/ephemeral-store.ts";

/** Refuses a reservation that names a counter twice. @throws TypeError */
export function assertDistinct(limits: readonly Limit[]): void {
  if (limits.length < 2) return;
  const keys = new Set(limits.map(({ key }) => key));
  if (keys.size < limits.length) throw new TypeError("a reservation names each counter once");
}
