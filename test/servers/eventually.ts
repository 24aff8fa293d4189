/** Waits until `condition` holds; one that throws does not hold yet. @throws Error after `limitMs` */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  let failure: unknown = null;
  for (;;) {
    try {
      if (await condition()) return;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > giveUpAt) throw new Error(`never came true: ${condition}`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
