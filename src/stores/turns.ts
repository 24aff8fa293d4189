/** Lets work that shares a key run one after the other, in the order in which it came. */
export interface Turns {
  /** Runs `work` when everything of this key that came before has ended, well or badly. */
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing is running or waiting. */
  idle(): Promise<void>;
}

/** Makes {@link Turns}. Nothing is kept of a key that nobody waits for. */
export function turns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    run(key, work) {
      const own = (last.get(key) ?? Promise.resolve()).then(work);
      const end = own.then(nothing, nothing).then(() => {
        if (last.get(key) === end) last.delete(key);
      });
      last.set(key, end);
      return own;
    },
    async idle() {
      while (last.size > 0) await Promise.all(last.values());
    },
  };
}

function nothing(): void {}
