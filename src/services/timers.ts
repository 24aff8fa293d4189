import type { CallOff, Clock, TimerOptions, Timers } from "../ports/clock.ts";

/** The timers of a clock; the machine's where it has none of its own. */
export function timersOf(clock: Pick<Clock, "after"> = {}): Timers {
  const after = clock.after?.bind(clock) ?? machineAfter;
  return {
    after,
    every(ms, work) {
      let callOff = after(ms, tick);
      function tick(): void {
        // Before the work, which may call it off.
        callOff = after(ms, tick);
        work();
      }
      return () => callOff();
    },
  };
}

function machineAfter(ms: number, work: () => void, { holdsProcess = false }: TimerOptions = {}): CallOff {
  const timer = setTimeout(work, ms);
  if (!holdsProcess) timer.unref();
  return () => clearTimeout(timer);
}
