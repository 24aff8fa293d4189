import { createCipheriv, hash } from "node:crypto";
import type { Hasher, HasherOptions, HasherWork } from "../ports/hasher.ts";
import { isWithin, memoryBound, type ScryptBounds, scryptKey } from "./scrypt.ts";
import { isSame, storedBytes, written } from "./stored-bytes.ts";

/** What {@link firebaseScrypt} is told. */
export interface FirebaseScryptOptions extends ScryptBounds {
  /** `base64_signer_key` of the project's password hash parameters. A secret. */
  readonly signerKey: string;
}

/** The project's other parameters, and what `firebase auth:export` says of an account. */
export interface FirebaseHash {
  readonly signerKey: string;
  /** `base64_salt_separator`. */
  readonly saltSeparator: string;
  /** 1 to 64; 8 in every project so far. */
  readonly rounds: number;
  /** `mem_cost`, 1 to 30; 14 in every project so far. */
  readonly memCost: number;
  /** `passwordHash`, base64. */
  readonly passwordHash: string;
  /** `salt`, base64. */
  readonly salt: string;
}

const shape =
  /^\$firebase-scrypt\$k=([0-9a-f]{8}),r=([1-9]\d?),m=([1-9]\d?)\$([A-Za-z0-9+/]{0,342}={0,2})\$([A-Za-z0-9+/]{22,172}={0,2})(?![\s\S])/;

/**
 * Verifies hashes of Firebase Authentication, as {@link encodeFirebaseHash} writes them; a sign-in then replaces them. Of
 * another project's key none is recognised: its name is part of the hash.
 *
 * @throws TypeError for a signer key that is no base64 of 16 to 128 bytes, or a bound out of range
 * @see github.com/firebase/scrypt
 */
export function firebaseScrypt({ signerKey, ...bounds }: FirebaseScryptOptions): Hasher {
  const maxMemoryKiB = memoryBound("firebaseScrypt", bounds);
  const key = keyName(signerKey);
  if (key === null) throw new TypeError("firebaseScrypt: signerKey must be base64 of 16 to 128 bytes");
  const length = Buffer.from(signerKey, "base64").length;
  const nothing = `AAAA$${written(Buffer.alloc(length), "base64")}`;
  return {
    id: "firebase_scrypt",
    module: import.meta.url,
    options: { signerKey },
    canHash: false,
    dummy: `$firebase-scrypt$k=${key},r=8,m=14$${nothing}`,
    sample: { encoded: `$firebase-scrypt$k=${key},r=8,m=12$${nothing}`, share: 5 },
    weakness: null,
    recognises: (encoded) => {
      const stored = parse(encoded);
      return stored !== null && stored.key === key && isWithin(stored.cost, maxMemoryKiB);
    },
    isCurrent: () => false,
  };
}

/** A hash of Firebase as it is stored here, or null where a part of it is none. The signer key is not in it. */
export function encodeFirebaseHash(parts: FirebaseHash): string | null {
  const key = keyName(parts.signerKey);
  const pieces = [parts.salt, parts.saltSeparator].map((piece) => storedBytes(piece, "base64"));
  const [salt, separator] = pieces;
  if (key === null || !salt || !separator) return null;
  const bytes = written(Buffer.concat([salt, separator]), "base64");
  const encoded = `$firebase-scrypt$k=${key},r=${parts.rounds},m=${parts.memCost}$${bytes}$${parts.passwordHash}`;
  return parse(encoded) === null ? null : encoded;
}

/** Runs in a thread. */
export function load({ signerKey }: HasherOptions): HasherWork {
  const signer = Buffer.from(String(signerKey), "base64");
  return {
    verify(encoded, password) {
      const stored = parse(encoded);
      if (stored === null) return false;
      // Firebase keeps no derived key: it encrypts the project's key with it, and that is the hash.
      const cipherKey = scryptKey(password, stored.salt, 64, stored.cost).subarray(0, 32);
      const cipher = createCipheriv("aes-256-ctr", cipherKey, Buffer.alloc(16));
      return isSame(Buffer.concat([cipher.update(signer), cipher.final()]), stored.sealed);
    },
  };
}

function parse(encoded: string) {
  const [, key, rounds, memCost, saltText = "", sealedText = ""] = shape.exec(encoded) ?? [];
  if (key === undefined) return null;
  const [salt, sealed] = [storedBytes(saltText, "base64"), storedBytes(sealedText, "base64")];
  const cost = { n: 2 ** Number(memCost), r: Number(rounds), p: 1 };
  return salt === null || sealed === null || Number(memCost) > 30 ? null : { key, cost, salt, sealed };
}

// Says which key without saying what it is.
function keyName(signerKey: string): string | null {
  const bytes = storedBytes(signerKey, "base64");
  if (bytes === null || bytes.length < 16 || bytes.length > 128) return null;
  return hash("sha256", bytes, "hex").slice(0, 8);
}
