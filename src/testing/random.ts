import { hash } from "node:crypto";
import type { Random } from "../ports/clock.ts";

/** Bytes that look random and are the same in every run; `seed` gives another sequence. For tests alone: anybody can foretell them. */
export function testRandom(seed = "latchkey"): Random {
  let drawn = 0;
  return {
    bytes(length) {
      const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
        hash("sha256", `${seed}:${drawn++}`, "buffer"),
      );
      return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
    },
  };
}
