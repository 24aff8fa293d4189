import type { EncodedPassword } from "../domain/credential.ts";
import type { FieldError } from "../errors.ts";

/**
 * One password format: a plain value that says how its hashes look and which module computes them.
 *
 * The functions here run beside requests and only read strings. The work runs in threads of its own, so it is named by
 * the URL of a module instead of being handed over as a function: functions cannot be sent to a thread. That module
 * exports `load` ({@link LoadHasher}); module and description may be one file, as in `password/argon2id.ts`.
 */
export interface Hasher {
  /** Stable name for logs and durations, unique in a list of hashers: `argon2id`. */
  readonly id: string;
  /** URL of a module that exports `load`; `import.meta.url` when it is the same file. */
  readonly module: string;
  /** Handed to `load` in the thread. Plain JSON. */
  readonly options: HasherOptions;
  /** Whether new hashes can be made in this format; only such a hasher may be the first of a list. */
  readonly canHash: boolean;
  /** A hash of the usual cost that no password matches: verifying against it is how an unknown user costs the same. */
  readonly dummy: string;
  /** Stands for `dummy` where only its duration is wanted, at a fraction of the work. Absent: `dummy` itself is measured. */
  readonly sample?: HashSample;
  /**
   * Why the configured cost is too low for real users, as a sentence for the operator; null when it is not. A service
   * that is not on loopback refuses to start on a first hasher with a weakness.
   */
  readonly weakness: string | null;
  /**
   * Whether this is a well-formed hash of this format whose cost lies within bounds, and which can be computed: what fails in
   * the thread counts as a fault of the machine, and answers otherwise than for somebody who does not exist. Never throws. The
   * bounds matter: who can plant one row must not be able to keep a thread busy for minutes.
   */
  recognises(encoded: string): boolean;
  /** Whether a recognised hash has exactly the configured parameters; if not, the next sign-in replaces it. */
  isCurrent(encoded: string): boolean;
}

/** A cheaper hash of a format. */
export interface HashSample {
  /** Of the same format, recognised; no password matches it. */
  readonly encoded: string;
  /** How many times as long `dummy` takes, rather a little too many: who is refused too late learns nothing. */
  readonly share: number;
}

/** What a hasher's thread needs to know. */
export type HasherOptions = Readonly<Record<string, string | number | boolean | null>>;

/** What a hasher's module exports as `load`. Called once in each thread; here libraries are imported. */
export type LoadHasher<Options extends HasherOptions = HasherOptions> = (
  options: Options,
) => HasherWork | Promise<HasherWork>;

/** The work of a format. May be synchronous: the thread has nothing else to do. */
export interface HasherWork {
  /** A fresh hash with a fresh salt. Absent where the format is only verified. */
  hash?(password: string): string | Promise<string>;
  /** Whether `password` (UTF-8) has the hash `encoded`, which this format recognised. */
  verify(encoded: string, password: string): boolean | Promise<boolean>;
}

/** Gives up waiting for a thread. Work that has begun is finished. */
export interface HashingCall {
  readonly signal?: AbortSignal;
}

/** What became of a verification. */
export interface Verification {
  readonly ok: boolean;
  /** Whether the stored value should be replaced by a fresh hash of this password; only ever true with `ok`. */
  readonly needsRehash: boolean;
  /**
   * Id of the hasher that recognised the stored value, or null where none did: that account cannot sign in, and the
   * operator has to hear of it.
   */
  readonly format: string | null;
  /** How much longer an answer that refuses must take, whatever its reason. @see {@link PasswordHashing} */
  readonly owedMs: number;
}

/**
 * What flows need of passwords: off the event loop, bounded, first hasher hashes, all verify.
 *
 * Accounts are not told apart by time: an unknown user costs one dummy verification, and every refusal, of whatever
 * user, waits `owedMs` more. That fills up to the slowest format seen, so an account with a slower imported hash
 * answers no later than one that does not exist.
 *
 * Every method but `warmUp` rejects with AuthError
 * - `password_rejected`: more than 1,024 bytes, NUL or a lone surrogate; nothing was hashed
 * - `overloaded`: the queue is full or the time limit has passed, with `retryAfterSeconds`
 * - `internal_error`: a thread ended or a hasher failed; never reported as a wrong password
 *
 * and with the signal's reason where it fired before the work began.
 */
export interface PasswordHashing {
  /** Whether what the first hasher is configured to do is too little for real users; see {@link Hasher.weakness}. */
  readonly weakness: string | null;
  /** Id of the hasher that recognises a stored value, or null where none does: nobody could sign in with it. Hashes nothing. */
  format(encoded: string): string | null;
  /** A fresh hash in the first hasher's format. */
  hash(password: string, call?: HashingCall): Promise<EncodedPassword>;
  /** Compares with what is stored. A stored value that no hasher recognises costs the same and is not ok. */
  verify(password: string, stored: EncodedPassword, call?: HashingCall): Promise<Verification>;
  /** The work of one verification with the first hasher, for a user who does not exist or has no password. */
  verifyDummy(password: string, call?: HashingCall): Promise<Pick<Verification, "owedMs">>;
  /**
   * Starts a thread and measures each format by its sample, so that the first sign-ins are not slower and the floor is known
   * before the first refusal. From then on a refusal takes as long as the slowest enabled format, imported accounts or
   * not (with the default three some 0.2 s). Optional: without it the first refusal of an imported account is slower than
   * that of an unknown one, once for each format and process.
   */
  warmUp(): Promise<void>;
}

/** What a password is judged against besides the rules. */
export interface PasswordCheck {
  /** Words that say who or where this is: they must not be the password. See `contextWords`. */
  readonly words: readonly string[];
  /** Wire name for the errors; default `password`. */
  readonly field?: string;
}

/** Which passwords may be chosen. Not asked at sign-in: a stricter rule locks nobody out. */
export interface PasswordPolicy {
  /**
   * Every reason why this password cannot be chosen; empty when it can. Any string is answered.
   *
   * @throws AuthError `overloaded`, `internal_error` - the list of common passwords could not be asked
   */
  check(password: string, about: PasswordCheck): Promise<readonly FieldError[]>;
}
