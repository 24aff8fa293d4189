/** What a one-time token is for, and how long it works, in seconds. The purpose fixes the lifetime; callers never choose it. */
export const oneTimeTokenTtlSeconds = {
  reset: 900,
  verify: 86_400,
  magic_link: 900,
  email_code: 600,
  registration: 86_400,
  invitation: 604_800,
  undo: 604_800,
  end_session: 604_800,
  setup: 3_600,
  oauth: 600,
  ticket: 30,
} as const;

/** A purpose from {@link oneTimeTokenTtlSeconds}. */
export type OneTimeTokenPurpose = keyof typeof oneTimeTokenTtlSeconds;

/** What is stored beside the digest of a one-time token's secret. */
export interface OneTimeToken {
  readonly purpose: OneTimeTokenPurpose;
  /** Whose it is; null for a purpose that concerns no user yet (setup). */
  readonly userId: string | null;
  /** The user's generation when it was made; a token of another generation is refused. */
  readonly generation: number;
  /** Base64url SHA-256 of the secret. */
  readonly secretDigest: string;
  /** What else its flow has to know of it, as JSON. */
  readonly detail?: string;
}
