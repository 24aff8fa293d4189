/**
 * The refresh tokens of one session. Each is used once and answers its successor, so that a copy of one shows itself: of two
 * who hold it, the second to come is told apart. Only the token that may be used now is on record, as a digest; all before it
 * are known by their number.
 *
 * @see RFC 9700, section 4.14.2
 */
export interface RefreshFamily {
  /** SHA-256 of the token that may be used now, 32 bytes. */
  readonly digest: Uint8Array;
  /** Its number: how many came before it. */
  readonly number: number;
  /** When it was made. */
  readonly refreshedAt: Date;
}

/** How long a used refresh token answers its successor again, for answers that were lost and tabs that refresh at once. */
export const refreshGraceSeconds = 10;
