import { setTimeout as sleep } from "node:timers/promises";
import type { StoreCall } from "../../ports/store.ts";

/** Tries of one piece of work; between two of them 10 to 40 ms pass, more with each. */
const mostTries = 5;

/** Runs `work` again, once, where it was refused in a way (`isElsewhere`) that another connection may not be. */
export async function renewed<T>(
  isElsewhere: (error: unknown) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isElsewhere(error)) throw error;
    return work();
  }
}

/**
 * Runs `work` again from its start where the server chose it to make way for another (`isPassing`): what had been done was
 * undone by then. Any other failure is the caller's, a lost answer too: nobody knows what became of it.
 */
export async function retried<T>(
  { signal }: Pick<StoreCall, "signal">,
  isPassing: (error: unknown) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries >= mostTries || !isPassing(error)) throw error;
    }
    // With jitter, so that two that met do not meet again.
    await sleep(tries * (10 + Math.random() * 30), undefined, { signal }).catch(() =>
      signal.throwIfAborted(),
    );
  }
}
