import type { Log } from "../ports/services.ts";
import { type KeyRing, keyRing, type RingKey, type RotationPlan } from "./key-ring.ts";
import type { Jwk } from "./keys.ts";

/** Where signing keys come from: `signingKeyFile({ path })`, or {@link fixedKeys}. */
export interface KeySource {
  /** @throws TypeError where there are none, or they cannot be used */
  open(surroundings: KeySurroundings): OpenKeys;
}

/** What a source may know of where it is used. */
export interface KeySurroundings {
  readonly now: () => Date;
  /** Whether keys may be made where there are none: on loopback alone. */
  readonly mayCreate: boolean;
  readonly log: Log;
}

/** Keys in use. */
export interface OpenKeys {
  /** As of the last reading. */
  ring(): KeyRing;
  /** Every key with its times, the oldest first. */
  list(): readonly RingKey[];
  /**
   * Reads them again where they may have been changed. Fails never: then those of before go on, and it is false, since a key that
   * is not among them may be there all the same.
   */
  refresh(): Promise<boolean>;
  /** Brings in a new key. @throws TypeError where the source cannot */
  rotate(plan: RotationPlan): Promise<RingKey>;
  close(): void;
}

/** Keys that are what they are, for who keeps them elsewhere: private JWKs with `alg` and `kid`, of which the first signs. */
export function fixedKeys(jwks: readonly Jwk[]): KeySource {
  return {
    open() {
      // By time, since the youngest of a ring signs.
      const keys = jwks.map((jwk, index) => {
        const at = new Date(jwks.length - index);
        return { jwk, createdAt: at, signsFrom: at, retiresAt: null };
      });
      const ring = keyRing(keys);
      return {
        ring: () => ring,
        list: () => keys,
        refresh: async () => true,
        rotate: async () => {
          throw new TypeError("these signing keys are fixed: give createAuth another list");
        },
        close: () => undefined,
      };
    },
  };
}
