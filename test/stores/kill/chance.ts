import { createHash } from "node:crypto";

/** Draws whole numbers from 0 up to, and without, `below`. */
export type Chance = (below: number) => number;

/** The same numbers for the same seed, whatever the machine. */
export function chance(seed: string): Chance {
  let draws = 0;
  return (below) => createHash("sha256").update(`${seed}/${draws++}`).digest().readUInt32BE(0) % below;
}
