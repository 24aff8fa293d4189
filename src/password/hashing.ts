import type { EncodedPassword } from "../domain/credential.ts";
import { AuthError } from "../errors.ts";
import type { Hasher, HashingCall, PasswordHashing } from "../ports/hasher.ts";
import { argon2id } from "./argon2id.ts";
import { bcrypt } from "./bcrypt.ts";
import { failureFloor } from "./failure-floor.ts";
import { normalizePassword, passwordNormalization, requireUsablePassword } from "./password-text.ts";
import { pbkdf2 } from "./pbkdf2.ts";
import type { ThreadResult, Threads } from "./threads.ts";

/** The first hashes, all verify. */
export type Hashers = readonly [Hasher, ...Hasher[]];

/** Settings of {@link passwordHashing}. */
export interface HashingOptions {
  /** Where the work runs; closed by whoever made it. */
  readonly threads: Threads;
  /** Default `[argon2id(), bcrypt(), pbkdf2()]`. */
  readonly hashers?: Hashers;
  /**
   * How long a refusal takes at least before any verification has been measured, in ms; default 0. Worth setting, or
   * `warmUp` worth calling, while many accounts still have slow imported hashes.
   */
  readonly initialFloorMs?: number;
}

/** `[argon2id(), bcrypt(), pbkdf2()]`: new hashes are argon2id at OWASP's cost, the others verify what was imported. */
export function defaultHashers(): Hashers {
  return [argon2id(), bcrypt(), pbkdf2()];
}

/**
 * Hashes with the first hasher and verifies with whichever recognises the stored value.
 *
 * @throws TypeError - the first hasher cannot hash, or two have one id
 */
export function passwordHashing(options: HashingOptions): PasswordHashing {
  const { threads, hashers = defaultHashers(), initialFloorMs } = options;
  requireUsableHashers(hashers);
  const [first] = hashers;
  const floor = failureFloor(initialFloorMs);

  const recogniser = (encoded: string): Hasher | null =>
    hashers.find((each) => each.recognises(encoded)) ?? null;

  async function verifyWith(hasher: Hasher, encoded: string, password: string, call: HashingCall) {
    const result = await run(threads, hasher, "verify", [encoded, password], call);
    floor.record(hasher.id, result.durationMs);
    return { ok: result.value === true, durationMs: result.durationMs };
  }

  // A password that is not NFC costs a foreign hash two verifications, so every refusal of one waits for two.
  const owed = (password: string, spentMs: number): number =>
    Math.max(0, floor.floorMs() * (normalizePassword(password) === password ? 1 : 2) - spentMs);

  return {
    weakness: first.weakness,

    format: (encoded) => recogniser(encoded)?.id ?? null,

    async hash(password, call = {}) {
      requireUsablePassword(password);
      const { value } = await run(threads, first, "hash", [normalizePassword(password)], call);
      // What this format does not recognise could never be verified.
      if (typeof value === "string" && first.recognises(value))
        return { encoded: value, normalization: passwordNormalization };
      throw new AuthError("internal_error", {
        diagnosis: `${first.id} made something that it does not recognise`,
      });
    },

    async verify(password, stored, call = {}) {
      requireUsablePassword(password);
      const hasher = recogniser(stored.encoded);
      let spentMs = 0;
      let ok = false;
      for (const candidate of candidates(password, stored)) {
        const tried = await verifyWith(
          hasher ?? first,
          hasher ? stored.encoded : first.dummy,
          candidate,
          call,
        );
        spentMs += tried.durationMs;
        ok = hasher !== null && tried.ok;
        if (ok) break;
      }
      const needsRehash = ok && needsFreshHash(stored, hashers);
      return { ok, needsRehash, format: hasher?.id ?? null, owedMs: owed(password, spentMs) };
    },

    async verifyDummy(password, call = {}) {
      requireUsablePassword(password);
      const { durationMs } = await verifyWith(first, first.dummy, normalizePassword(password), call);
      return { owedMs: owed(password, durationMs) };
    },

    async warmUp() {
      for (const hasher of hashers) floor.expect(hasher.id, await usualDuration(threads, hasher));
    },
  };
}

/**
 * Whether a stored hash should be replaced at the next sign-in: another format than the first, other parameters, bytes
 * as typed, or nothing that is recognised.
 */
export function needsFreshHash(stored: EncodedPassword, [first]: Hashers): boolean {
  const isCurrent = first.recognises(stored.encoded) && first.isCurrent(stored.encoded);
  return !isCurrent || stored.normalization !== passwordNormalization;
}

/**
 * What may have been hashed. Ours were made over NFC. Another product hashed what its keyboard sent, or what its own
 * normalising made of that.
 */
function candidates(password: string, stored: EncodedPassword): readonly string[] {
  const normal = normalizePassword(password);
  return stored.normalization === "raw" && normal !== password ? [password, normal] : [normal];
}

const sampleRuns = 3;

/**
 * How long a hash of usual cost takes in this format. The first one too: nobody should have to wait for its library.
 * A sample is multiplied, and so would be whatever interrupted it: the shortest of three counts.
 */
async function usualDuration(threads: Threads, hasher: Hasher): Promise<number> {
  const { encoded, share } = hasher.sample ?? { encoded: hasher.dummy, share: 1 };
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let remaining = hasher.sample ? sampleRuns : 1; remaining > 0; remaining--) {
    const { durationMs } = await run(threads, hasher, "verify", [encoded, ""], {});
    shortestMs = Math.min(shortestMs, durationMs);
  }
  return shortestMs * share;
}

function run(
  threads: Threads,
  hasher: Hasher,
  call: string,
  args: readonly string[],
  { signal }: HashingCall,
): Promise<ThreadResult> {
  return threads.run({ module: hasher.module, options: hasher.options, call, args }, signal);
}

function requireUsableHashers(hashers: Hashers): void {
  if (!hashers[0]?.canHash)
    throw new TypeError("the first hasher must be one that can hash, such as argon2id()");
  const ids = hashers.map((hasher) => hasher.id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new TypeError(`two hashers have the id "${repeated}"`);
}
