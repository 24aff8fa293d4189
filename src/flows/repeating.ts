import type { CallOff } from "../ports/clock.ts";
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
  { background, timers }: Pick<Services, "background" | "timers">,
  name: string,
  { everySeconds }: Pace,
  work: () => Promise<unknown>,
): Repeating {
  let running: Promise<unknown> | null = null;
  let [isWanted, isStopped] = [false, false];
  let soon: CallOff | null = null;

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

  const end = everySeconds === 0 ? null : timers.every(everySeconds * 1000, start);
  return {
    wake() {
      if (!isStopped) soon ??= timers.after(gatherMs, start);
    },
    async stop() {
      isStopped = true;
      end?.();
      soon?.();
      await running?.catch(() => undefined);
    },
  };
}
