/** Time, as everything in Latchkey reads it; tests own theirs. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms` milliseconds of this clock. */
  sleep(ms: number): Promise<void>;
  /**
   * Calls `work` once, after `ms` milliseconds of this clock. A clock without it leaves that to the machine's timers.
   *
   * @returns calls it off
   */
  after?(ms: number, work: () => void, options?: TimerOptions): CallOff;
}

/** How something is done later. */
export interface TimerOptions {
  /** Whether the process stays open until then. Default false. */
  readonly holdsProcess?: boolean;
}

/** Ends what was to be done later; without effect once it is done. */
export type CallOff = () => void;

/** What is done later, by the clock. */
export interface Timers {
  /** Calls `work` once, after `ms` milliseconds. */
  after(ms: number, work: () => void, options?: TimerOptions): CallOff;
  /** Calls `work` every `ms` milliseconds. Holds no process open. */
  every(ms: number, work: () => void): CallOff;
}

/** Randomness, as everything in Latchkey reads it. */
export interface Random {
  /** `length` bytes from a cryptographically secure source. */
  bytes(length: number): Uint8Array;
  /** A random UUID, where that is cheaper than one made of {@link Random.bytes}. */
  uuid?(): string;
}
