/** What was changed. */
export type Changes = "everything" | ChangedKeys;

/** Ids of sessions and of users; a user stands for all sessions of theirs. */
export interface ChangedKeys {
  readonly sessions: readonly string[];
  readonly users: readonly string[];
}

/** How processes that cache sessions hear of each other's changes. */
export interface InvalidationChannel {
  /**
   * Begins to listen.
   *
   * @param hear - told what others changed, and `everything` wherever something may have been missed
   * @throws TypeError where it is open already: each `cached()` has a channel of its own
   */
  open(hear: (changes: Changes) => void): void;
  /** Tells the others, at once and in order, without waiting for them. Never throws: what cannot be told is bounded by age. */
  tell(changes: Changes): void;
  /** Sends what is still to be sent, for at most a second, then stops listening. Idempotent. */
  close(): Promise<void>;
}
