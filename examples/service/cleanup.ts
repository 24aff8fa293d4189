import type { Auth } from "latchkey";

/** Deletes what has expired, and says how much it was. */
export async function cleanUpExpiredSessions({ sessions }: Auth): Promise<string> {
  return `Cleaned up ${await sessions.sweep()} expired sessions`;
}

/** Runs a task each day at a full hour of local time. @returns ends it */
export function daily(hour: number, task: () => Promise<unknown>): () => void {
  let timer: NodeJS.Timeout;
  const plan = () => {
    // The process need not live for it.
    timer = setTimeout(run, millisecondsUntil(hour, new Date())).unref();
  };
  const run = () => {
    task().catch(console.error).finally(plan);
  };
  plan();
  return () => clearTimeout(timer);
}

/** How long it is until the next time that the clock shows this hour; never 0. */
export function millisecondsUntil(hour: number, now: Date): number {
  const next = new Date(now);
  next.setHours(hour, 0, 0, 0);
  if (next <= now) next.setDate(next.getDate() + 1);
  return next.getTime() - now.getTime();
}
