/** What is open, and how each of it is closed. */
export interface Opened {
  /** Notes something that is open from now on. */
  add(close: () => Promise<unknown>): void;
  /**
   * Closes everything, the newest first, whatever one of them says. Idempotent.
   *
   * @throws what the first of them threw, once each was closed
   */
  close(): Promise<void>;
}

/** Nothing, to begin with. What is opened is noted at once, so that it ends in one place: with the server, or where its start fails. */
export function nothingOpened(): Opened {
  const closers: (() => Promise<unknown>)[] = [];
  let closed: Promise<void> | null = null;
  return {
    add: (close) => void closers.push(close),
    close() {
      closed ??= closeAll(closers.toReversed());
      return closed;
    },
  };
}

async function closeAll(closers: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of closers) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
