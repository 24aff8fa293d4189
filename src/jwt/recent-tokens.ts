/** A bounded memory of what was verified, by digest. */
export interface RecentTokens<T> {
  get(digest: string): T | undefined;
  add(digest: string, value: T): void;
  clear(): void;
}

/**
 * Remembers at least the last `most` entries in use and at most twice as many: the older half goes at once, so that no use
 * has to move anything in a list.
 */
export function recentTokens<T>(most: number): RecentTokens<T> {
  let young = new Map<string, T>();
  let old = new Map<string, T>();
  const add = (digest: string, value: T): void => {
    if (young.size >= most) {
      old = young;
      young = new Map();
    }
    young.set(digest, value);
  };
  return {
    get(digest) {
      const known = young.get(digest);
      if (known !== undefined) return known;
      const older = old.get(digest);
      if (older !== undefined) add(digest, older);
      return older;
    },
    add,
    clear() {
      young = new Map();
      old = new Map();
    },
  };
}
