import type { Services } from "../ports/services.ts";

/** Work that is done again and again, never twice at a time. */
export interface Repeating {
  /** Has it done soon: several wakes are one run. Within a run: once more after it. */
  wake(): void;
  /** Does it no more; resolves when a run under way has come to its end. */
  stop(): Promise<void>;
}

/** How often work is done. */
export interface Pace {
  /** Seconds between two runs; 0: at `wake` alone. */
  readonly everySeconds: number;
}

/** Wakes of this long are one run: what happens together is dealt with together. */
const gatherMs = 100;

/** Repeats `work`. It fails for itself: a failure is logged under `name`, and the next run is as due as before. Holds no process open. */
export function repeating(
  { background }: Pick<Services, "background">,
  name: string,
  { everySeconds }: Pace,
  work: () => Promise<unknown>,
): Repeating {
  let running: Promise<unknown> | null = null;
  let [isWanted, isStopped] = [false, false];
  let soon: NodeJS.Timeout | null = null;

  function start(): void {
    soon = null;
    isWanted = running !== null;
    if (isWanted || isStopped) return;
    background.run(name, () => {
      running = work().finally(ended);
      return running;
    });
  }

  function ended(): void {
    running = null;
    if (isWanted) start();
  }

  const timer = everySeconds === 0 ? undefined : setInterval(start, everySeconds * 1000).unref();
  return {
    wake() {
      if (!isStopped) soon ??= setTimeout(start, gatherMs).unref();
    },
    async stop() {
      isStopped = true;
      clearInterval(timer);
      if (soon !== null) clearTimeout(soon);
      await running?.catch(() => undefined);
    },
  };
}
