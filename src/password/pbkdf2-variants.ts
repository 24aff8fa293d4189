import { pbkdf2Sync } from "node:crypto";
import type { Hasher, HasherOptions, HasherWork } from "../ports/hasher.ts";
import type { Pbkdf2Bounds } from "./pbkdf2.ts";
import { type BytesSpelling, isSame, storedBytes } from "./stored-bytes.ts";

/** What a stored hash says. */
interface Stored {
  readonly digest: "sha1" | "sha256" | "sha512";
  readonly iterations: number;
  readonly salt: Uint8Array;
  readonly key: Uint8Array;
}

/** One way of writing it down. The groups of `shape` are named: digest, iterations, salt, key. */
interface Spelling {
  readonly shape: RegExp;
  /** How salt and key are written; a salt that is `null` counts as the text that it is. */
  readonly salt: BytesSpelling | null;
  readonly key: BytesSpelling;
  /** Group `digest` where it is left out. */
  readonly digest?: "sha1";
}

const digestBytes = { sha1: 20, sha256: 32, sha512: 64 } as const;
const count = "(?<iterations>[1-9]\\d{0,7})";
const text = "(?<salt>[!-#%-~]{1,128})";

const spellings: readonly Spelling[] = [
  // Django: pbkdf2_sha1$iterations$salt$digest
  {
    shape: spelled(`pbkdf2_(?<digest>sha1|sha512)\\$${count}\\$${text}\\$(?<key>[A-Za-z0-9+/]+=*)`),
    salt: null,
    key: "base64",
  },
  // Tina4: pbkdf2_sha256$iterations$salt$digest, the digest in hex; its older versions wrote colons
  {
    shape: spelled(`pbkdf2_(?<digest>sha256)\\$${count}\\$${text}\\$(?<key>[0-9a-f]{64})`),
    salt: null,
    key: "hex",
  },
  {
    shape: spelled(`pbkdf2_(?<digest>sha256):${count}:(?<salt>[0-9a-f]{1,128}):(?<key>[0-9a-f]{64})`),
    salt: null,
    key: "hex",
  },
  // Werkzeug: pbkdf2:sha256:iterations$salt$digest
  {
    shape: spelled(`pbkdf2:(?<digest>sha1|sha256|sha512):${count}\\$${text}\\$(?<key>[0-9a-f]+)`),
    salt: null,
    key: "hex",
  },
  // passlib: $pbkdf2$iterations$salt$digest (SHA-1), $pbkdf2-sha256$…, $pbkdf2-sha512$…
  {
    shape: spelled(
      `\\$pbkdf2(-(?<digest>sha256|sha512))?\\$${count}\\$(?<salt>[A-Za-z0-9./]{1,171})\\$(?<key>[A-Za-z0-9./]+)`,
    ),
    salt: "adapted",
    key: "adapted",
    digest: "sha1",
  },
  // PHC: $pbkdf2-sha256$i=iterations,l=32$salt$digest
  {
    shape: spelled(
      `\\$pbkdf2-(?<digest>sha1|sha256|sha512)\\$i=${count}(,l=\\d{1,3})?\\$(?<salt>[A-Za-z0-9+/]{1,171})\\$(?<key>[A-Za-z0-9+/]+)`,
    ),
    salt: "unpadded",
    key: "unpadded",
  },
];

/**
 * Verifies PBKDF2 as others than Django's default write it: Django with SHA-1, Tina4, Werkzeug, passlib and PHC strings; a
 * sign-in then replaces them.
 *
 * @throws TypeError for a bound out of range
 * @see RFC 8018, section 5.2
 */
export function pbkdf2Variants({ maxIterations = 5_000_000 }: Pbkdf2Bounds = {}): Hasher {
  if (!Number.isInteger(maxIterations) || maxIterations < 1 || maxIterations > 10_000_000) {
    throw new TypeError(
      `pbkdf2Variants: maxIterations must be a whole number from 1 to 10000000, not ${maxIterations}`,
    );
  }
  return {
    id: "pbkdf2",
    module: import.meta.url,
    options: {},
    canHash: false,
    dummy: `pbkdf2:sha256:600000$dummy$${"0".repeat(64)}`,
    sample: { encoded: `pbkdf2:sha256:20000$dummy$${"0".repeat(64)}`, share: 33 },
    weakness: null,
    recognises: (encoded) => {
      const stored = parse(encoded);
      return stored !== null && stored.iterations <= maxIterations;
    },
    isCurrent: () => false,
  };
}

/** Runs in a thread: the synchronous function there, so that it stays out of libuv's pool. */
export function load(_options: HasherOptions): HasherWork {
  return {
    verify(encoded, password) {
      const stored = parse(encoded);
      if (stored === null) return false;
      const { salt, iterations, key, digest } = stored;
      return isSame(pbkdf2Sync(password, salt, iterations, key.length, digest), key);
    },
  };
}

function parse(encoded: string): Stored | null {
  for (const { shape, salt: saltSpelling, key: keySpelling, digest: usual } of spellings) {
    const groups = shape.exec(encoded)?.groups;
    if (groups === undefined) continue;
    const digest = (groups.digest ?? usual) as Stored["digest"];
    const salt =
      saltSpelling === null ? Buffer.from(groups.salt ?? "") : storedBytes(groups.salt ?? "", saltSpelling);
    const key = storedBytes(groups.key ?? "", keySpelling);
    // A longer key would cost whole further runs, a shorter one would be a weaker hash than those products make.
    if (salt === null || key?.length !== digestBytes[digest]) return null;
    return { digest, iterations: Number(groups.iterations), salt, key };
  }
  return null;
}

function spelled(pattern: string): RegExp {
  // Not "$" at the end, which a line break may follow.
  return new RegExp(`^${pattern}(?![\\s\\S])`);
}
