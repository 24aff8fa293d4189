import { signInRoutes } from "../../src/endpoints/auth.ts";
import type { Feature } from "../../src/features/feature.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { bcrypt } from "../../src/password/bcrypt.ts";
import { type Hashers, passwordHashing } from "../../src/password/hashing.ts";
import { pbkdf2 } from "../../src/password/pbkdf2.ts";
import { type PolicyOptions, passwordPolicy } from "../../src/password/policy.ts";
import type { Threads } from "../../src/password/threads.ts";
import type { PasswordServices } from "../../src/ports/services.ts";

/** Argon2id at the least cost there is, and the formats that are verified only. */
export const cheapHashers: Hashers = [argon2id({ memoryKiB: 8, passes: 1 }), bcrypt(), pbkdf2()];

/** Settings of {@link testPasswords}. */
export interface TestPasswordsOptions extends Partial<Omit<PolicyOptions, "threads">> {
  readonly hashers?: Hashers;
}

/** The feature `passwords` on threads and hashers of the test's choice, on any origin. */
export function testPasswords(
  threads: Threads,
  options: TestPasswordsOptions = {},
): Feature<PasswordServices> {
  return {
    name: "passwords",
    install(services) {
      const hashing = passwordHashing({ threads, hashers: options.hashers ?? cheapHashers });
      // The list of common passwords takes 40 ms to load; the tests that are about it ask for it.
      const policy = passwordPolicy({ refusesCommon: false, ...options, threads });
      const passwords = { ...services, hashing, policy };
      return { api: passwords, passwords, routes: async (endpoints) => signInRoutes(endpoints) };
    },
  };
}
