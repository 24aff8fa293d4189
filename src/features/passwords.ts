import type { EncodedPassword } from "../domain/credential.ts";
import type { FieldError } from "../errors.ts";
import { defaultHashers, type Hashers, needsFreshHash, passwordHashing } from "../password/hashing.ts";
import { measuredThreads } from "../password/measured-threads.ts";
import { type PolicyOptions, passwordPolicy } from "../password/policy.ts";
import { passwordThreads, type ThreadsOptions } from "../password/threads.ts";
import type { PasswordServices, Services } from "../ports/services.ts";
import type { Feature, Installed } from "./feature.ts";

/** Settings of {@link passwords}. */
export interface PasswordsOptions extends Omit<PolicyOptions, "threads" | "log"> {
  /** The first hashes, all verify. Default `[argon2id(), bcrypt(), pbkdf2()]`. */
  readonly hashers?: Hashers;
  /** Threads and queue of the hashing; see `ThreadsOptions` for the defaults. */
  readonly threads?: ThreadsOptions;
}

/** Passwords by themselves, without an account. */
export interface Passwords {
  /** A fresh hash in the first hasher's format. */
  hash(password: string): Promise<EncodedPassword>;
  /** Whether the password has this hash, in any of the formats. */
  verify(password: string, stored: EncodedPassword): Promise<boolean>;
  /** Whether a stored hash should be replaced at the next sign-in. */
  needsRehash(stored: EncodedPassword): boolean;
  /** Every reason why a password cannot be chosen; empty when it can. */
  check(password: string, words?: readonly string[]): Promise<readonly FieldError[]>;
}

/** Sign-in with a password, registration, password change. */
export function passwords(options: PasswordsOptions = {}): Feature<Passwords> {
  return {
    name: "passwords",
    install(services) {
      const hashers = options.hashers ?? defaultHashers();
      const threads = measuredThreads(passwordThreads(options.threads), services.telemetry);
      const installed = passwordsOn(services, { ...options, hashers, threads });
      const { weakness } = installed.passwords.hashing;
      if (services.config.isProduction && weakness !== null) throw new TypeError(`passwords: ${weakness}`);
      return installed;
    },
  };
}

/** The feature in place, on threads and hashers of the caller's choice, however weak. The threads are closed with it. */
export function passwordsOn(
  services: Services,
  options: PolicyOptions & { readonly hashers: Hashers },
): Installed<Passwords> & { readonly passwords: PasswordServices } {
  const { threads, hashers } = options;
  const hashing = passwordHashing({ threads, hashers });
  const policy = passwordPolicy({ ...options, log: services.log });
  return {
    api: {
      hash: (password) => hashing.hash(password),
      verify: async (password, stored) => (await hashing.verify(password, stored)).ok,
      needsRehash: (stored) => needsFreshHash(stored, hashers),
      check: (password, words = []) => policy.check(password, { words }),
    },
    passwords: { ...services, hashing, policy },
    routes: async (endpoints) => (await import("../endpoints/auth.ts")).signInRoutes(endpoints),
    warmUp: () => hashing.warmUp(),
    close: () => threads.close(),
  };
}
