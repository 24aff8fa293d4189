import { scryptSync } from "node:crypto";
import type { Hasher, HasherWork } from "../ports/hasher.ts";
import { isSame, storedBytes } from "./stored-bytes.ts";

/** What {@link scrypt} and {@link firebaseScrypt} accept. */
export interface ScryptBounds {
  /** Largest memory that a stored hash may ask for, in KiB, 1,024 to 1,048,576; default 131,072 (128 MiB), some 0.4 s of one core. */
  readonly maxMemoryKiB?: number;
}

/** What a stored hash says. */
interface Stored {
  readonly cost: ScryptCost;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
  /** Whether the product brings passwords into the form NFKC before it hashes them. */
  readonly isNfkc: boolean;
}

/** Scrypt's own parameters. @see RFC 7914, section 2 */
export interface ScryptCost {
  /** A power of two, from 2. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/**
 * Verifies scrypt of other products; a sign-in then replaces it. PHC strings `$scrypt$ln=16,r=8,p=1$…` (passlib), Werkzeug
 * `scrypt:32768:8:1$…`, Django `scrypt$16384$salt$8$5$…`, Better Auth and Lucia `salt:hex`, Lucia's older `s2:salt:hex`.
 *
 * @throws TypeError for a bound out of range
 * @see RFC 7914
 */
export function scrypt(bounds: ScryptBounds = {}): Hasher {
  const maxMemoryKiB = memoryBound("scrypt", bounds);
  return {
    id: "scrypt",
    module: import.meta.url,
    options: {},
    canHash: false,
    dummy: `scrypt:32768:8:1$dummy$${"0".repeat(128)}`,
    sample: { encoded: `scrypt:4096:8:1$dummy$${"0".repeat(128)}`, share: 12 },
    weakness: null,
    recognises: (encoded) => {
      const stored = parse(encoded);
      return stored !== null && isWithin(stored.cost, maxMemoryKiB);
    },
    isCurrent: () => false,
  };
}

/** Runs in a thread: the synchronous function there, so that it stays out of libuv's pool. */
export function load(): HasherWork {
  return {
    verify(encoded, password) {
      const stored = parse(encoded);
      if (stored === null) return false;
      const { salt, key, cost, isNfkc } = stored;
      const hashed = isNfkc ? password.normalize("NFKC") : password;
      return isSame(scryptKey(hashed, salt, key.length, cost), key);
    },
  };
}

/** Scrypt, with room for what its parameters ask. */
export function scryptKey(
  password: string,
  salt: Uint8Array,
  length: number,
  { n, r, p }: ScryptCost,
): Buffer {
  return scryptSync(password, salt, length, { N: n, r, p, maxmem: 128 * r * (n + p + 2) + 1_048_576 });
}

/**
 * Whether a hash can be computed, stays within the memory, and its lanes within four times the time that this memory takes once.
 *
 * @see RFC 7914, section 2: N is less than 2^(128 * r / 8)
 */
export function isWithin({ n, r, p }: ScryptCost, maxMemoryKiB: number): boolean {
  const blocks = (n * r) / 8;
  if (Math.log2(n) >= 16 * r || r > 64 || p > 64) return false;
  return blocks <= maxMemoryKiB && blocks * p <= 4 * maxMemoryKiB;
}

/** @throws TypeError */
export function memoryBound(name: string, { maxMemoryKiB = 131_072 }: ScryptBounds): number {
  if (Number.isInteger(maxMemoryKiB) && maxMemoryKiB >= 1024 && maxMemoryKiB <= 1_048_576)
    return maxMemoryKiB;
  throw new TypeError(
    `${name}: maxMemoryKiB must be a whole number from 1024 to 1048576, not ${maxMemoryKiB}`,
  );
}

const digits = "([1-9]\\d{0,7})";
const text = "([!-#%-~]{1,128})";
const end = "(?![\\s\\S])";
const phc = new RegExp(
  `^\\$scrypt\\$ln=([1-9]\\d?),r=${digits},p=${digits}\\$([A-Za-z0-9+/]{1,171})\\$([A-Za-z0-9+/]{22,86})${end}`,
);
const werkzeug = new RegExp(`^scrypt:${digits}:${digits}:${digits}\\$${text}\\$([0-9a-f]{128})${end}`);
const django = new RegExp(
  `^scrypt\\$${digits}\\$${text}\\$${digits}\\$${digits}\\$([A-Za-z0-9+/]{86}==)${end}`,
);
// Salts of 32 hex digits are Better Auth's and Lucia 3's; those of 16 letters and digits Lucia 1's, which had half the memory.
const lucia = new RegExp(`^(s2:)?([0-9a-f]{32}|[0-9a-z]{16}):([0-9a-f]{128})${end}`);

function parse(encoded: string): Stored | null {
  const found =
    fields(phc, encoded, ([ln, r, p, salt, key]) => ({
      cost: { n: 2 ** Number(ln), r: Number(r), p: Number(p) },
      salt: storedBytes(salt ?? "", "unpadded"),
      key: storedBytes(key ?? "", "unpadded"),
      isNfkc: false,
    })) ??
    fields(werkzeug, encoded, ([n, r, p, salt, key]) => ({
      cost: { n: Number(n), r: Number(r), p: Number(p) },
      salt: Buffer.from(salt ?? ""),
      key: storedBytes(key ?? "", "hex"),
      isNfkc: false,
    })) ??
    fields(django, encoded, ([n, salt, r, p, key]) => ({
      cost: { n: Number(n), r: Number(r), p: Number(p) },
      salt: Buffer.from(salt ?? ""),
      key: storedBytes(key ?? "", "base64"),
      isNfkc: false,
    })) ??
    fields(lucia, encoded, ([version, salt = "", key]) => ({
      cost: { n: 16_384, r: version === undefined && salt.length === 16 ? 8 : 16, p: 1 },
      salt: Buffer.from(salt),
      key: storedBytes(key ?? "", "hex"),
      isNfkc: true,
    }));
  if (found === null || found.salt === null || found.key === null) return null;
  return isPowerOfTwo(found.cost.n) ? { ...found, salt: found.salt, key: found.key } : null;
}

type Loose = Omit<Stored, "salt" | "key"> & {
  readonly salt: Uint8Array | null;
  readonly key: Uint8Array | null;
};

function fields(
  shape: RegExp,
  encoded: string,
  read: (groups: readonly (string | undefined)[]) => Loose,
): Loose | null {
  const match = shape.exec(encoded);
  return match === null ? null : read(match.slice(1));
}

function isPowerOfTwo(n: number): boolean {
  return n >= 2 && n <= 2 ** 30 && Number.isInteger(Math.log2(n));
}
