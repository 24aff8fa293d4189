import type { CallOff, Timers } from "../ports/clock.ts";
import type { Background, Log } from "../ports/services.ts";
import type { Touch } from "../ports/session-store.ts";
import { timersOf } from "./timers.ts";

/** Uses are gathered this long, so that a busy second costs one write. */
const touchDelayMs = 250;

/** What {@link createBackground} works with. */
export interface BackgroundDependencies {
  readonly log: Log;
  /** Default: the machine's. */
  readonly timers?: Timers;
  readonly writeTouches: (touches: readonly Touch[]) => Promise<void>;
}

/** Runs what answers do not wait for. A failure is logged: nobody was promised anything. */
export function createBackground({
  log,
  timers = timersOf(),
  writeTouches,
}: BackgroundDependencies): Background {
  const underWay = new Set<Promise<void>>();
  const touches = new Map<string, Touch>();
  let callOff: CallOff | null = null;

  function run(name: string, task: () => Promise<unknown>): void {
    // Within a promise from its first line on: a task that throws at once must not take a timer's process down.
    const work = Promise.resolve()
      .then(task)
      .then(() => undefined)
      .catch((cause) => log.error("background work failed", { task: name }, cause))
      .finally(() => underWay.delete(work));
    underWay.add(work);
  }

  function flush(): void {
    callOff?.();
    callOff = null;
    if (touches.size === 0) return;
    const batch = [...touches.values()];
    touches.clear();
    run("touch", () => writeTouches(batch));
  }

  return {
    run,
    touch(sessionId, usedAt, idleExpiresAt) {
      touches.set(sessionId, { sessionId, usedAt, idleExpiresAt });
      callOff ??= timers.after(touchDelayMs, flush);
    },
    async drain() {
      flush();
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
