/** Yields to other work until `condition` holds. @throws Error after two seconds of waiting */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 2_000;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
