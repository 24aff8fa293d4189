import type { Hasher, HasherWork } from "../ports/hasher.ts";
import { storedBytes } from "./stored-bytes.ts";

/** What {@link argon2Variants} accepts. */
export interface Argon2Bounds {
  /** Largest memory that a stored hash may ask for, in KiB, 1,024 to 1,048,576; default 262,144 (256 MiB). */
  readonly maxMemoryKiB?: number;
}

const mostPasses = 16;
const mostLanes = 16;
// Without a version it is the first one, 0x10.
const shape =
  /^(?:argon2)?(\$argon2(?:i|d|id)(?:\$v=(?:16|19))?\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,171})\$([A-Za-z0-9+/]{22,86}))(?![\s\S])/;

/**
 * Verifies Argon2 as `argon2id()` does not write it: argon2i and argon2d, the first version, long salts, and Django's prefix
 * `argon2$argon2id$…`; a sign-in then replaces it.
 *
 * @throws TypeError for a bound out of range
 * @see RFC 9106
 */
export function argon2Variants({ maxMemoryKiB = 262_144 }: Argon2Bounds = {}): Hasher {
  if (!Number.isInteger(maxMemoryKiB) || maxMemoryKiB < 1024 || maxMemoryKiB > 1_048_576) {
    throw new TypeError(
      `argon2Variants: maxMemoryKiB must be a whole number from 1024 to 1048576, not ${maxMemoryKiB}`,
    );
  }
  const nothing = `${"A".repeat(22)}$${"A".repeat(43)}`;
  return {
    id: "argon2",
    module: import.meta.url,
    options: {},
    canHash: false,
    dummy: `$argon2i$v=19$m=65536,t=3,p=1$${nothing}`,
    sample: { encoded: `$argon2i$v=19$m=16384,t=1,p=1$${nothing}`, share: 15 },
    weakness: null,
    recognises: (encoded) => {
      const [, , memoryKiB, passes, lanes, salt = "", digest = ""] = shape.exec(encoded) ?? [];
      return (
        Number(memoryKiB) <= maxMemoryKiB &&
        Number(memoryKiB) >= 8 * Number(lanes) &&
        Number(passes) <= mostPasses &&
        Number(lanes) <= mostLanes &&
        storedBytes(salt, "unpadded") !== null &&
        storedBytes(digest, "unpadded") !== null
      );
    },
    isCurrent: () => false,
  };
}

/** Runs in a thread. Synchronous hashing there stays out of libuv's pool. */
export async function load(): Promise<HasherWork> {
  const { verifySync } = await import("@node-rs/argon2");
  return { verify: (encoded, password) => verifySync(shape.exec(encoded)?.[1] ?? "", password) };
}
