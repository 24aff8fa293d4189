import { hash } from "node:crypto";
import type { Reservation } from "../../ports/ephemeral-store.ts";

/** What a key is stored by: of one length, whatever the key's. */
export function digestOf(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

/** The instant `seconds` after `now`, in milliseconds. */
export function later(now: Date, seconds: number): number {
  return now.getTime() + seconds * 1000;
}

/** The refusal by the counter of `key`, which frees at `freesAtMs`. */
export function refusal(key: string, freesAtMs: number, now: Date): Reservation {
  return { ok: false, key, retryAfterSeconds: Math.ceil((freesAtMs - now.getTime()) / 1000) };
}
