import { randomFillSync, randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { Clock, Random } from "../ports/clock.ts";

/** The clock of the machine. */
export function systemClock(): Clock {
  return {
    now: () => new Date(),
    sleep: (ms) => setTimeout(ms),
  };
}

/** The secure random source of the platform. */
export function systemRandom(): Random {
  return { bytes: (length) => randomFillSync(new Uint8Array(length)), uuid: () => randomUUID() };
}
