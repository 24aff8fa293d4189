/**
 * The outcome of `work`, or the signal's reason as soon as the caller gives up. The work itself goes on: what was handed to a
 * disk or a driver cannot be taken back.
 */
export function settled<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    const done = (): void => signal.removeEventListener("abort", giveUp);
    work.then(resolve, reject).then(done);
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}

/** The outcome of `work`, or an error once `limitMs` are over: for drivers that may never answer. `engine` is named in it. */
export async function bounded<T>(
  work: Promise<T>,
  { limitMs, engine }: { readonly limitMs: number; readonly engine: string },
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${engine}: no answer for ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
