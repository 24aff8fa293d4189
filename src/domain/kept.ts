/**
 * Does `work` at the first call and keeps what it came to for all others. A failure is not kept: the next call tries again,
 * or one bad moment would last until the process ends.
 */
export function kept<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | null = null;
  return () => {
    if (result !== null) return result;
    const attempt = work();
    result = attempt;
    attempt.catch(() => {
      result = null;
    });
    return attempt;
  };
}
