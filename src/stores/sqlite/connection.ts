import type { DatabaseSync } from "node:sqlite";
import type { Engine } from "../../ports/store.ts";
import type { Checkpoints } from "./checkpoints.ts";
import { assertSchema } from "./migrations.ts";
import { scratchDatabase } from "./open.ts";
import { type Caller, type Line, line, type Patience } from "./retry.ts";
import { type Prepare, prepareOn } from "./statement.ts";
import { type Transaction, transactionsOn } from "./transaction.ts";

/** What a connection works by. */
export interface ConnectionOptions {
  readonly patience: Patience;
  readonly checkpoints: Checkpoints;
  /** Told of every execution of a statement; for tests and traces. */
  readonly onStatement?: (sql: string) => void;
}

/**
 * The one connection to a database that three ports share. Nobody else may write on it: `PRAGMA data_version` sees the
 * writes of others only, so the session cache would miss theirs.
 */
export class Connection {
  readonly engine: Engine = { name: "sqlite" };
  readonly #db: DatabaseSync;
  readonly #prepare: Prepare;
  readonly #line: Line;
  readonly #checkpoints: Checkpoints;
  #transaction: Transaction | null = null;
  #fits = false;

  constructor(db: DatabaseSync, { patience, checkpoints, onStatement }: ConnectionOptions) {
    this.#db = db;
    this.#prepare = prepareOn(db, onStatement);
    this.#line = line(patience);
    this.#checkpoints = checkpoints;
  }

  /** Statements that are prepared at their first use, after a check that the schema fits. @throws SchemaError */
  prepared<T extends object>(make: (prepare: Prepare) => T): () => T {
    let made: T | null = null;
    return () => {
      if (made !== null) return made;
      this.assertFits();
      made = make(this.#prepare);
      return made;
    };
  }

  /** Checks once that the schema fits. @throws SchemaError */
  assertFits(): void {
    if (this.#fits) return;
    const scratch = scratchDatabase();
    try {
      assertSchema(this.#db, scratch);
    } finally {
      scratch.close();
    }
    this.#fits = true;
  }

  /** Answers at once, or with a promise where another process has the database locked. */
  read<T>(work: () => T, call: Caller): T | Promise<T> {
    return this.#line.read(work, call);
  }

  /** Runs `work` as one transaction, in line with the other writes. @see Transaction */
  write<T>(work: () => T, call: Caller, isKept?: (result: T) => boolean): Promise<T> {
    return this.#line.write(() => {
      this.#transaction ??= transactionsOn(this.#db, this.#prepare);
      const result = this.#transaction(work, isKept);
      this.#checkpoints.committed();
      return result;
    }, call);
  }

  /** Runs `work`, which makes its own transaction on the raw connection, in line with the writes. */
  migrate<T>(work: (db: DatabaseSync) => T): Promise<T> {
    this.#fits = false;
    return this.#line.write(() => work(this.#db), new AbortController());
  }

  /** Lets the writes in line finish, then closes. Idempotent. */
  async close(): Promise<void> {
    await this.#line.empty();
    // Before the last connection goes, which empties the log and removes it.
    await this.#checkpoints.close();
    if (this.#db.isOpen) this.#db.close();
  }
}
