/** Runs work, at most so many at a time; the rest waits in order. */
export type Limiter = <T>(work: () => Promise<T>) => Promise<T>;

/** A limiter for `most` at a time. */
export function atMost(most: number): Limiter {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running < most) {
      running++;
      return;
    }
    // Whoever leaves hands its place on.
    await new Promise<void>((resolve) => waiting.push(resolve));
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }

  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
