/** Clocks of several machines differ, and a checkpoint comes after its rows. */
const slackSeconds = 3_600;

/** Before when something was written that may be gone by now; null: nothing may. */
export function dueBefore(now: Date, retentionSeconds: number | null): Date | null {
  return retentionSeconds === null
    ? null
    : new Date(now.getTime() - (retentionSeconds - slackSeconds) * 1000);
}
