import type { Hasher, HasherOptions, HasherWork } from "../ports/hasher.ts";

/** How much work one hash is. The defaults are OWASP's. */
export interface Argon2idCost {
  /** Memory in KiB, from 8 per lane to 1,048,576 (1 GiB); default 19,456. Each thread takes this much while it hashes. */
  readonly memoryKiB?: number;
  /** Passes over the memory, 1 to 16; default 2. */
  readonly passes?: number;
  /** Lanes, 1 to 16; default 1: the threads are already as many as the cores. */
  readonly parallelism?: number;
  /**
   * Largest memory that a stored hash may ask for, in KiB; default 262,144 (256 MiB) or `memoryKiB` if that is more.
   * With the limit of 16 passes this keeps one verification under about two seconds.
   */
  readonly maxMemoryKiB?: number;
}

const maxPasses = 16;
const maxParallelism = 16;
const saltBytes = 16;
const digestBytes = 32;
// version 0x13; unpadded base64; a salt of 8 to 48 bytes, a digest of 16 to 64
const shape =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/;

/**
 * Argon2id, the default format: makes and verifies PHC strings `$argon2id$v=19$m=19456,t=2,p=1$salt$digest`.
 *
 * @throws TypeError for a cost out of range
 * @see RFC 9106; OWASP Password Storage Cheat Sheet, "Argon2id"
 */
export function argon2id(cost: Argon2idCost = {}): Hasher {
  const { memoryKiB = 19_456, passes = 2, parallelism = 1 } = cost;
  const { maxMemoryKiB = Math.max(262_144, memoryKiB) } = cost;
  requireRange("passes", passes, 1, maxPasses);
  requireRange("parallelism", parallelism, 1, maxParallelism);
  requireRange("memoryKiB", memoryKiB, 8 * parallelism, 1_048_576);
  requireRange("maxMemoryKiB", maxMemoryKiB, memoryKiB, 1_048_576);
  const parameters = `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${parallelism}$`;
  return {
    id: "argon2id",
    module: import.meta.url,
    options: { memoryKiB, passes, parallelism },
    canHash: true,
    dummy: parameters + [saltBytes, digestBytes].map((length) => unpadded(Buffer.alloc(length))).join("$"),
    weakness: isWeak(memoryKiB, passes)
      ? `argon2id with ${memoryKiB} KiB and ${passes} passes is below OWASP's minimum`
      : null,
    recognises: (encoded) => isWithinBounds(encoded, maxMemoryKiB),
    isCurrent: (encoded) => {
      const [, , , , salt = "", digest = ""] = shape.exec(encoded) ?? [];
      return (
        encoded.startsWith(parameters) && byteLength(salt) >= saltBytes && byteLength(digest) === digestBytes
      );
    },
  };
}

/** Runs in a thread. Synchronous hashing there stays out of libuv's pool. */
export async function load(
  options: HasherOptions & Required<Omit<Argon2idCost, "maxMemoryKiB">>,
): Promise<HasherWork> {
  const { hashSync, verifySync } = await import("@node-rs/argon2");
  const settings = {
    // Argon2id. The library's name for it is a const enum, which type stripping cannot resolve.
    algorithm: 2,
    memoryCost: options.memoryKiB,
    timeCost: options.passes,
    parallelism: options.parallelism,
    outputLen: digestBytes,
  };
  return {
    hash: (password) => hashSync(password, settings),
    verify: (encoded, password) => verifySync(encoded, password),
  };
}

function isWithinBounds(encoded: string, maxMemoryKiB: number): boolean {
  const [, memoryKiB, passes, parallelism, salt = "", digest = ""] = shape.exec(encoded) ?? [];
  return (
    Number(memoryKiB) <= maxMemoryKiB &&
    Number(passes) <= maxPasses &&
    Number(parallelism) <= maxParallelism &&
    Number(memoryKiB) >= 8 * Number(parallelism) &&
    isCanonical(salt) &&
    isCanonical(digest)
  );
}

// The pairs of passes and memory that OWASP holds to be equally strong.
function isWeak(memoryKiB: number, passes: number): boolean {
  const enough = [Number.POSITIVE_INFINITY, 47_104, 19_456, 12_288, 9216, 7168];
  return memoryKiB < (enough[Math.min(passes, 5)] ?? 7168);
}

function byteLength(base64: string): number {
  return Math.floor((base64.length * 3) / 4);
}

function isCanonical(base64: string): boolean {
  return unpadded(Buffer.from(base64, "base64")) === base64;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

function requireRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new TypeError(`argon2id: ${name} must be a whole number from ${min} to ${max}, not ${value}`);
}
