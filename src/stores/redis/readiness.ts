/** What tells that a client of ioredis is ready, or was closed. */
export interface Announcer {
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** Resolves when a client is ready; rejects when it was closed instead, or with the reason of the signal. */
export type Readiness = (signal: AbortSignal) => Promise<void>;

/**
 * Makes {@link Readiness} of a client of ioredis that is not ready. Whoever gives up is let go of at once: an outage may last for
 * hours, and a promise that everybody shares would hold every call of those hours.
 */
export function readiness(client: Announcer): Readiness {
  const waiting = new Set<() => void>();
  let error: Error | null = null;
  let isListening = false;

  function listen(): void {
    if (isListening) return;
    isListening = true;
    const over = (failure: Error | null) => () => {
      client.off("ready", ready);
      client.off("end", end);
      isListening = false;
      error = failure;
      for (const wake of waiting) wake();
    };
    const ready = over(null);
    const end = over(new Error("the connection to Redis was closed"));
    client.once("ready", ready);
    client.once("end", end);
  }

  return (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const settled = (): void => {
        waiting.delete(wake);
        signal.removeEventListener("abort", giveUp);
      };
      const wake = (): void => {
        settled();
        if (error === null) resolve();
        else reject(error);
      };
      const giveUp = (): void => {
        settled();
        reject(signal.reason);
      };
      listen();
      waiting.add(wake);
      signal.addEventListener("abort", giveUp, { once: true });
    });
}
