/** What makes a list of changes all or none: how to take back each of them. */
export interface Journal {
  /** Remembers how to take back a change that is about to be made. */
  record(undo: () => void): void;
  /** Runs `work` as one transaction: where it throws, or its result is not to be kept, every recorded change is undone. */
  run<T>(work: () => T, isKept: (result: T) => boolean): T;
}

/** A journal for one engine. Transactions are synchronous, so there is never more than one under way. */
export function journal(): Journal {
  let undo: (() => void)[] | null = null;
  return {
    record(step) {
      if (undo === null) throw new TypeError("a change was made outside of a transaction");
      undo.push(step);
    },
    run(work, isKept) {
      if (undo !== null)
        throw new TypeError("a transaction was started inside another: a report must be pure");
      const steps: (() => void)[] = [];
      undo = steps;
      let kept = false;
      try {
        const result = work();
        kept = isKept(result);
        return result;
      } finally {
        undo = null;
        if (!kept) for (const step of steps.reverse()) step();
      }
    },
  };
}

/** Rows by key, changed through the journal. */
export interface Table<Row> {
  readonly size: number;
  get(key: string): Row | undefined;
  has(key: string): boolean;
  set(key: string, row: Row): void;
  delete(key: string): void;
  entries(): IterableIterator<[string, Row]>;
}

/** An empty table whose changes are recorded in `log`. */
export function table<Row>(log: Journal): Table<Row> {
  const rows = new Map<string, Row>();
  const remember = (key: string): void => {
    const before = rows.get(key);
    log.record(before === undefined ? () => rows.delete(key) : () => rows.set(key, before));
  };
  return {
    get size() {
      return rows.size;
    },
    get: (key) => rows.get(key),
    has: (key) => rows.has(key),
    entries: () => rows.entries(),
    set(key, row) {
      remember(key);
      rows.set(key, row);
    },
    delete(key) {
      if (!rows.has(key)) return;
      remember(key);
      rows.delete(key);
    },
  };
}
