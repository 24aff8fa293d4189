import type { StoreCall } from "../../ports/store.ts";

/** How much longer than asked for the server keeps what it is to forget: the caller's clock decides, not the server's. */
const clearAfterMs = 60_000;
/** About 300 years; the server refuses expiries beyond its calendar. */
const mostTtlMs = 1e13;

/** The caller's clock, as scripts take it. */
export function nowOf({ now }: StoreCall): string {
  return String(now.getTime());
}

/** When a lifetime that begins now is over, by the caller's clock. */
export function endOf(seconds: number, { now }: StoreCall): string {
  return String(now.getTime() + Math.min(mostTtlMs, Math.ceil(seconds * 1000)));
}

/** Milliseconds that the server keeps it. */
export function serverTtl(seconds: number): string {
  return String(Math.min(mostTtlMs, Math.ceil(seconds * 1000)) + clearAfterMs);
}
