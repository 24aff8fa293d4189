import type { Feature } from "../features/feature.ts";
import { type Passwords, type PasswordsOptions, passwordsOn } from "../features/passwords.ts";
import { argon2id } from "../password/argon2id.ts";
import { bcrypt } from "../password/bcrypt.ts";
import type { Hashers } from "../password/hashing.ts";
import { pbkdf2 } from "../password/pbkdf2.ts";
import type { Threads, ThreadTask } from "../password/threads.ts";
import { isVirtual } from "./virtual-clock.ts";

/** Settings of {@link testPasswords}: the policy is as strict as in earnest, unless something else is said. */
export type TestPasswordsOptions = Omit<PasswordsOptions, "threads">;

/** Argon2id at the least cost there is, and the other formats of the usual list. No attacker is slowed down by it. */
export function instantHashers(): Hashers {
  return [argon2id({ memoryKiB: 8, passes: 1 }), bcrypt(), pbkdf2()];
}

/**
 * The feature `passwords` at next to no cost, without threads. The formats are real: what it hashes, `passwords()` verifies.
 *
 * @throws TypeError at `createAuth` - with any clock but a virtual one: it is no feature for a server
 */
export function testPasswords(options: TestPasswordsOptions = {}): Feature<Passwords> {
  return {
    name: "passwords",
    install(services) {
      if (!isVirtual(services.clock)) throw new TypeError("testPasswords: only for tests; write passwords()");
      const hashers = options.hashers ?? instantHashers();
      return passwordsOn(services, { ...options, hashers, threads: thisThread() });
    },
  };
}

type Functions = Readonly<Record<string, (...args: readonly string[]) => unknown>>;

/** The same modules that a password thread loads, called in this one. */
function thisThread(): Threads {
  const loaded = new Map<string, Promise<Functions>>();
  return {
    async run(task) {
      const key = `${task.module} ${JSON.stringify(task.options)}`;
      const functions = loaded.get(key) ?? load(task);
      loaded.set(key, functions);
      // Of a fixed duration: how long a refusal takes must not depend on how busy the machine is.
      return { value: await (await functions)[task.call]?.(...task.args), durationMs: 1 };
    },
    async close() {},
  };
}

async function load({ module, options }: ThreadTask): Promise<Functions> {
  const { load: loadModule } = (await import(module)) as { load: (options: unknown) => Functions };
  return loadModule(options);
}
