import type { StoreCall } from "../../ports/store.ts";

/**
 * Runs `work` under a signal that ends once `limitMs` are over, unless `work` has called `endLimit` by then. What gives up with
 * the signal throws an error that names `engine`.
 */
export async function limited<T>(
  { limitMs, engine }: { readonly limitMs: number; readonly engine: string },
  work: (call: Pick<StoreCall, "signal">, endLimit: () => void) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`${engine}: no answer for ${limitMs} ms`)), limitMs);
  const endLimit = (): void => clearTimeout(timer);
  try {
    return await work(late, endLimit);
  } finally {
    endLimit();
  }
}
