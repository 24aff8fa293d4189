/** Time, as everything in Latchkey reads it; tests own theirs. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms` milliseconds of this clock. */
  sleep(ms: number): Promise<void>;
}

/** Randomness, as everything in Latchkey reads it. */
export interface Random {
  /** `length` bytes from a cryptographically secure source. */
  bytes(length: number): Uint8Array;
}
