import type { Permission } from "./user.ts";

/** A key that a program presents in its owner's name. The secret itself is never part of it. */
export interface ApiKey {
  readonly kind: "api-key";
  /** Public id, 16 base62 characters, which the key itself begins with. */
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** SHA-256 of the secret, 32 bytes. */
  readonly secretDigest: Uint8Array;
  /** What it may do, at most: at each use its owner has to hold the permission too. Empty: nothing that needs one. */
  readonly permissions: readonly Permission[];
  /** Uses allowed in a minute and in a day; null: no limit of its own. */
  readonly limits: ApiKeyLimits;
  /** Addresses and networks (CIDR) it may be used from; empty: any. */
  readonly allowedIps: readonly string[];
  /** Null: it does not expire. */
  readonly expiresAt: Date | null;
  /** Exact to the interval in which uses are written. Null: never used. */
  readonly lastUsedAt: Date | null;
  /** Id of the key whose place this one takes, or null. */
  readonly rotatedFrom: string | null;
  /** Counts changes of this row by its owner, for compare-and-swap; uses do not count. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Uses of one key. */
export interface ApiKeyLimits {
  readonly perMinute: number | null;
  readonly perDay: number | null;
}

/** The fields of a key that a write may change. */
export type ApiKeyChanges = Partial<
  Pick<ApiKey, "name" | "permissions" | "limits" | "allowedIps" | "expiresAt">
>;

/** How often a key was used in one hour for one path and one class of answers. */
export interface ApiKeyUsage {
  readonly keyId: string;
  /** The full hour, UTC. */
  readonly hour: Date;
  /** First digit of the status of the answers. */
  readonly statusClass: 1 | 2 | 3 | 4 | 5;
  /** Without query, at most 200 characters. */
  readonly path: string;
  readonly count: number;
}
