import { pbkdf2Sync, timingSafeEqual } from "node:crypto";
import type { Hasher, HasherWork } from "../ports/hasher.ts";

/** What {@link pbkdf2} accepts. */
export interface Pbkdf2Bounds {
  /** Most iterations that a stored hash may have, 1 to 10,000,000; default 5,000,000, about 0.8 s of one core. */
  readonly maxIterations?: number;
}

const digestBytes = 32;
// A salt of printable ASCII without "$", as Django makes it, and exactly 32 bytes of padded base64.
const shape = /^pbkdf2_sha256\$([1-9]\d{0,7})\$([!-#%-~]{1,128})\$([A-Za-z0-9+/]{43}=)$/;

/**
 * Verifies Django's default hashes, `pbkdf2_sha256$iterations$salt$digest`; a sign-in then replaces them.
 *
 * @throws TypeError for a bound out of range
 * @see RFC 8018, section 5.2
 */
export function pbkdf2({ maxIterations = 5_000_000 }: Pbkdf2Bounds = {}): Hasher {
  if (!Number.isInteger(maxIterations) || maxIterations < 1 || maxIterations > 10_000_000) {
    throw new TypeError(
      `pbkdf2: maxIterations must be a whole number from 1 to 10000000, not ${maxIterations}`,
    );
  }
  const nothing = `dummy$${Buffer.alloc(digestBytes).toString("base64")}`;
  return {
    id: "pbkdf2_sha256",
    module: import.meta.url,
    options: {},
    canHash: false,
    dummy: `pbkdf2_sha256$1000000$${nothing}`,
    sample: { encoded: `pbkdf2_sha256$20000$${nothing}`, share: 55 },
    weakness: null,
    recognises: (encoded) => {
      const [, iterations, , digest = ""] = shape.exec(encoded) ?? [];
      return (
        Number(iterations) <= maxIterations && Buffer.from(digest, "base64").toString("base64") === digest
      );
    },
    isCurrent: () => false,
  };
}

/** Runs in a thread: the synchronous function there, so that it stays out of libuv's pool. */
export function load(): HasherWork {
  return { verify };
}

function verify(encoded: string, password: string): boolean {
  const [, iterations, salt, digest] = shape.exec(encoded) ?? [];
  if (!iterations || !salt || !digest) return false;
  const computed = pbkdf2Sync(password, salt, Number(iterations), digestBytes, "sha256");
  return timingSafeEqual(computed, Buffer.from(digest, "base64"));
}
