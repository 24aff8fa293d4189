import { hash } from "node:crypto";
import type { Account, ImportReason } from "./import-record.ts";

/** What stands in the way of an account: it is there already, or something of it is somebody else's. */
export type Obstacle = "present" | ImportReason;

/** What accounts of one run have claimed and the directory does not show yet. */
export interface Claims {
  /** Claims ids, address, username and links of an account, all or nothing; what is in the way, or null. */
  take(account: Account, knownAs: readonly string[]): Obstacle | null;
  /** The directory shows them now. */
  forget(): void;
}

/**
 * No claims yet. Eight bytes of a digest stand for each name: in a dry run they are kept to its end, and a million accounts
 * should take some hundred megabytes at most.
 */
export function importClaims(): Claims {
  const taken = new Map<bigint, Obstacle>();
  return {
    take(account, knownAs) {
      const claims = claimsOf(account, knownAs);
      const hit = claims.find(([key]) => taken.has(key));
      if (hit !== undefined) return hit[1];
      for (const [key, obstacle] of claims) taken.set(key, obstacle);
      return null;
    },
    forget: () => taken.clear(),
  };
}

type Claim = readonly [key: bigint, obstacle: Obstacle];

function claimsOf({ user, linkedAccounts }: Account, knownAs: readonly string[]): readonly Claim[] {
  return [
    ...knownAs.map((id): Claim => [keyOf("id", id), "present"]),
    [keyOf("email", user.emailKey), "email_taken"],
    [keyOf("username", user.username), "username_taken"],
    ...linkedAccounts.map(
      ({ issuer, subject }): Claim => [keyOf("link", issuer, subject), "linked_account_taken"],
    ),
  ];
}

function keyOf(...parts: readonly string[]): bigint {
  return hash("sha256", JSON.stringify(parts), "buffer").readBigUInt64BE();
}
