/** What `work` comes to, or the reason of `signal` as soon as it is aborted. `work` goes on then, and nobody hears of it. */
export function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason);
    const settled = (): void => signal.removeEventListener("abort", giveUp);
    work.then(resolve, reject).finally(settled);
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}
