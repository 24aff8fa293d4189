/** A value that changes, and that somebody can watch; it fits React's `useSyncExternalStore` and Svelte's stores. */
export interface Subscribable<T> {
  /** The value as of now; the same object until it changes. */
  get(): T;
  /** Calls `listener` after each change. @returns what ends that */
  subscribe(listener: (value: T) => void): () => void;
}

/** A subscribable and the way to change it. */
export interface Cell<T> extends Subscribable<T> {
  set(value: T): void;
}

/** Makes a cell. */
export function cell<T>(first: T): Cell<T> {
  let value = first;
  const listeners = new Set<{ readonly tell: (value: T) => void }>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const { tell } of [...listeners]) tell(value);
    },
    subscribe(tell) {
      // An entry of its own, so that who subscribes twice is told twice and ends each by itself.
      const entry = { tell };
      listeners.add(entry);
      return () => {
        listeners.delete(entry);
      };
    },
  };
}
