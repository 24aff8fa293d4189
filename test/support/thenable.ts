/**
 * What query builders and promise libraries answer with: it can be awaited, and is no `Promise`. `work` begins when somebody
 * listens.
 */
export function thenable<T>(work: () => T | Promise<T>): Promise<T> {
  const settle: Promise<T>["then"] = (good, bad) => Promise.resolve().then(work).then(good, bad);
  // In traps, since an object that is written with a `then` looks like a mistake to readers and to lint.
  return new Proxy({} as Promise<T>, {
    has: (_, name) => name === "then",
    get: (_, name) => (name === "then" ? settle : undefined),
  });
}
