import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { keyFileText, keysOfFile } from "./key-file-text.ts";
import { keyRing, newRingKey, type RingKey, rotated, type SigningAlgorithm } from "./key-ring.ts";
import type { KeySource, OpenKeys } from "./key-source.ts";

/** Where a key file lies, and what new keys in it are for. */
export interface SigningKeyFileOptions {
  readonly path: string;
  /** Default `EdDSA`. */
  readonly algorithm?: SigningAlgorithm;
  /** Seconds between two looks at the file, for what another process has changed. Default 5. */
  readonly pollSeconds?: number;
}

/**
 * Signing keys in a file that only its owner may read, mode 0600. On loopback it is made where it is missing; elsewhere it
 * has to be there, since each server would make another. Every process that uses the file picks up what one of them changes.
 */
export function signingKeyFile({
  path,
  algorithm = "EdDSA",
  pollSeconds = 5,
}: SigningKeyFileOptions): KeySource {
  return {
    open({ now, mayCreate, log }) {
      if (mayCreate) createSigningKeyFile({ path, algorithm, now: now() });
      let keys = readKeys(path);
      let ring = keyRing(keys);
      let seen = "";
      let underWay: Promise<boolean> | null = null;
      let isReadable = true;
      const look = async (): Promise<boolean> => {
        try {
          const { mtimeMs, size, ino } = await stat(path);
          if (seen !== `${mtimeMs} ${size} ${ino}`) {
            const found = readKeys(path);
            ring = keyRing(found);
            keys = found;
            seen = `${mtimeMs} ${size} ${ino}`;
          }
          isReadable = true;
        } catch (cause) {
          // Once: anybody can make us look, with a token of a key that nobody has.
          if (isReadable)
            log.error("the signing keys could not be read again; those of before go on", { path }, cause);
          isReadable = false;
        }
        return isReadable;
      };
      const refresh = (): Promise<boolean> => {
        underWay ??= look().finally(() => {
          underWay = null;
        });
        return underWay;
      };
      const timer = setInterval(refresh, pollSeconds * 1000);
      timer.unref();
      return {
        ring: () => ring,
        list: () => keys,
        refresh,
        async rotate(plan) {
          keys = locked(path, () => {
            const next = rotated(readKeys(path), algorithm, now(), plan);
            replace(path, keyFileText(next));
            return next;
          });
          ring = keyRing(keys);
          return keys.at(-1) as RingKey;
        },
        close: () => clearInterval(timer),
      } satisfies OpenKeys;
    },
  };
}

/**
 * Makes a key file with one key, which signs at once; one that is there stays as it is. Of several processes that start at once
 * all get the same.
 *
 * @returns whether this call made it
 * @throws TypeError where it cannot be made
 */
export function createSigningKeyFile({
  path,
  algorithm = "EdDSA",
  now = new Date(),
}: Pick<SigningKeyFileOptions, "path" | "algorithm"> & { readonly now?: Date }): boolean {
  const draft = `${path}.${randomBytes(9).toString("hex")}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeWhole(draft, keyFileText([newRingKey(algorithm, now, now)]));
    try {
      // A link appears whole or not at all, and replaces nothing.
      linkSync(draft, path);
      return true;
    } catch (error) {
      if (codeOf(error) === "EEXIST") return false;
      throw error;
    } finally {
      unlinkSync(draft);
    }
  } catch (error) {
    throw new TypeError(`the key file ${path} cannot be made (${codeOf(error)})`);
  }
}

// What is checked is what is read: the open file, not the name.
function readKeys(path: string): readonly RingKey[] {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = codeOf(error);
    const fix =
      code === "ENOENT" ? "; `latchkey signing-key create` makes it, and every server needs the same" : "";
    throw new TypeError(`the key file ${path} cannot be opened (${code})${fix}`);
  }
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new TypeError("is no plain file");
    // Windows has no such bits and reports them all set.
    if (process.platform !== "win32" && (stats.mode & 0o077) !== 0) {
      throw new TypeError(`can be read by other users of this machine; run: chmod 600 ${path}`);
    }
    return keysOfFile(readFileSync(file));
  } catch (error) {
    throw new TypeError(`the key file ${path} ${error instanceof TypeError ? error.message : codeOf(error)}`);
  } finally {
    closeSync(file);
  }
}

// Of two that rotate at once the second would take the key of the first away, which may have signed already.
function locked<T>(path: string, work: () => T): T {
  const lock = `${path}.lock`;
  try {
    closeSync(openSync(lock, "wx", 0o600));
  } catch (error) {
    throw new TypeError(
      `another rotation is under way (${codeOf(error)}); if none is, remove ${lock} and try again`,
    );
  }
  try {
    return work();
  } finally {
    unlinkSync(lock);
  }
}

function replace(path: string, text: string): void {
  const draft = `${path}.${randomBytes(9).toString("hex")}`;
  writeWhole(draft, text);
  renameSync(draft, path);
}

function writeWhole(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
