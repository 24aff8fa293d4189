/** An account at a provider by which a user signs in. */
export interface LinkedAccount {
  readonly kind: "linked-account";
  /** UUIDv7. */
  readonly id: string;
  readonly userId: string;
  /** Name of the provider in the configuration. */
  readonly provider: string;
  /** With `subject` it names the account; unique. An ID token's `iss`, or the provider's address where it has none. */
  readonly issuer: string;
  readonly subject: string;
  /** As the provider said at the last sign-in, or null; nothing is decided by it. */
  readonly email: string | null;
  /** The provider's tokens, encrypted, where they are asked for; null else. */
  readonly sealedTokens: string | null;
  readonly lastUsedAt: Date | null;
  /** Counts writes of this row, for compare-and-swap. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The fields of a linked account that a write may change. */
export type LinkedAccountChanges = Partial<Pick<LinkedAccount, "email" | "sealedTokens" | "lastUsedAt">>;
