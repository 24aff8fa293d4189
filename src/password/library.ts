import type { EncodedPassword } from "../domain/credential.ts";
import type { PasswordHashing } from "../ports/hasher.ts";
import { defaultHashers, type Hashers, needsFreshHash, passwordHashing } from "./hashing.ts";
import { passwordNormalization } from "./password-text.ts";
import { passwordThreads } from "./threads.ts";

/** Input of {@link hashPassword}. */
export interface HashPasswordInput {
  readonly password: string;
  /** Hashing that is running already. Without it a thread is started for this call alone, which costs about 50 ms. */
  readonly hashing?: PasswordHashing;
}

/** Input of {@link verifyPassword}. */
export interface VerifyPasswordInput extends HashPasswordInput {
  /** What was stored; a bare string may stem from any product and is tried over the bytes as typed, then NFC. */
  readonly stored: EncodedPassword | string;
}

/** Input of {@link needsRehash}. */
export interface NeedsRehashInput {
  /** What was stored; a bare string is judged by its format and parameters alone. */
  readonly stored: EncodedPassword | string;
  /** The first hashes; default `[argon2id(), bcrypt(), pbkdf2()]`. */
  readonly hashers?: Hashers;
}

/**
 * Hashes a password, for scripts and for applications with user tables of their own. Asks no policy.
 *
 * @throws AuthError `password_rejected` - more than 1,024 bytes, NUL or a lone surrogate
 * @throws AuthError `overloaded` - the queue of `hashing` is full
 */
export async function hashPassword({ password, hashing }: HashPasswordInput): Promise<EncodedPassword> {
  return withHashing(hashing, (running) => running.hash(password));
}

/**
 * Whether this is the password of that hash; false, too, for a string that is no hash of a known format.
 *
 * @throws AuthError `password_rejected` - more than 1,024 bytes, NUL or a lone surrogate
 * @throws AuthError `overloaded` - the queue of `hashing` is full
 */
export async function verifyPassword({ password, stored, hashing }: VerifyPasswordInput): Promise<boolean> {
  const encoded = typeof stored === "string" ? ({ encoded: stored, normalization: "raw" } as const) : stored;
  const { ok } = await withHashing(hashing, (running) => running.verify(password, encoded));
  return ok;
}

/** Whether a stored hash should be replaced by a fresh one the next time its password is known. */
export function needsRehash({ stored, hashers = defaultHashers() }: NeedsRehashInput): boolean {
  const encoded =
    typeof stored === "string" ? { encoded: stored, normalization: passwordNormalization } : stored;
  return needsFreshHash(encoded, hashers);
}

async function withHashing<T>(
  running: PasswordHashing | undefined,
  use: (hashing: PasswordHashing) => Promise<T>,
): Promise<T> {
  if (running) return use(running);
  const threads = passwordThreads({ size: 1 });
  try {
    return await use(passwordHashing({ threads }));
  } finally {
    await threads.close();
  }
}
