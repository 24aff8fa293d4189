/** How often something may be asked for under a plan. */
export interface TierLimit {
  /** Paths that it covers: `/api/reports`, or all below one with `/api/reports/*`; `*` alone is every path. */
  readonly path: string;
  /** Requests allowed per user and window, at least 1. */
  readonly limit: number;
  /** 1 second to 30 days; the window begins with its first request. */
  readonly windowSeconds: number;
}

/** A plan that users are in, one each, with limits that can be changed while the application runs. */
export interface Tier {
  /** UUIDv7. */
  readonly id: string;
  /** Lower case, 1 to 32 of `a-z 0-9 _ -`; unique, and never changed: it is what `User.tier` holds. */
  readonly name: string;
  /** At most {@link mostTierLimits}; of several that cover a path the longest counts. */
  readonly limits: readonly TierLimit[];
  /** Counts writes of this row, for compare-and-swap. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Limits of one tier. */
export const mostTierLimits = 50;

/** Whether a text can be the name of a tier. */
export function isTierName(text: string): boolean {
  return /^[a-z0-9_-]{1,32}$/.test(text);
}
