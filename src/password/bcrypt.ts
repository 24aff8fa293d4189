import type { Hasher, HasherWork } from "../ports/hasher.ts";

/** What {@link bcrypt} accepts. */
export interface BcryptBounds {
  /** Largest cost that a stored hash may have, 4 to 20; default 14, about 1.4 s of one core; each step doubles it. */
  readonly maxCost?: number;
}

/**
 * Verifies bcrypt hashes `$2a$`, `$2b$` and `$2y$` of other products; a sign-in then replaces them.
 *
 * Only the first 72 bytes of a password count, as in those products: a longer one that was accepted there must be
 * accepted here. No new hashes are made, for that reason.
 *
 * @throws TypeError for a bound out of range
 * @see Provos and Mazières, "A Future-Adaptable Password Scheme" (1999)
 */
export function bcrypt({ maxCost = 14 }: BcryptBounds = {}): Hasher {
  if (!Number.isInteger(maxCost) || maxCost < 4 || maxCost > 20) {
    throw new TypeError(`bcrypt: maxCost must be a whole number from 4 to 20, not ${maxCost}`);
  }
  return {
    id: "bcrypt",
    module: import.meta.url,
    options: {},
    canHash: false,
    dummy: `$2b$10$${".".repeat(53)}`,
    sample: { encoded: `$2b$07$${".".repeat(53)}`, share: 9 },
    weakness: null,
    recognises: (encoded) => {
      const cost = Number(/^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(encoded)?.[1]);
      return cost >= 4 && cost <= maxCost;
    },
    isCurrent: () => false,
  };
}

/** Runs in a thread: this implementation is plain JavaScript and would stop the event loop. */
export async function load(): Promise<HasherWork> {
  const { compareSync } = (await import("bcryptjs")).default;
  return { verify: (encoded, password) => compareSync(password, encoded) };
}
