import { expiredKeepSeconds } from "../../ports/detached-sessions.ts";

/** Longest lifetime that is told in seconds from now; a larger number is a date. */
const longestSeconds = 30 * 86_400;
/** Latest date that the server can read, in seconds. */
const latestSeconds = 2 ** 31 - 1;

/** Never: until the server needs the room. */
const never = 0;
/** Gone at once: with `cas`, a deletion of what was read and nothing else. */
export const gone = -1;

/**
 * How long the server keeps what ends at `lastEndMs` by the caller's clock, in the server's terms: seconds, or a date, which is of the
 * machine's clock.
 */
export function lifetime(lastEndMs: number, now: Date, machineMs: number = Date.now()): number {
  const seconds = Math.max(1, Math.ceil((lastEndMs - now.getTime()) / 1000) + expiredKeepSeconds);
  if (seconds <= longestSeconds) return seconds;
  const date = Math.ceil(machineMs / 1000) + seconds;
  return date <= latestSeconds ? date : never;
}
