/**
 * What the stores need of a pool of `pg`: its `Pool` fits, and so does what wraps one. Nothing else of the driver is named here.
 *
 * @see https://node-postgres.com/apis/pool
 */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): unknown;
  /** Absent where a wrapper has none: then each store on the pool listens for itself. */
  listenerCount?(event: "error"): number;
}

/** A connection that is taken from the pool. */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<PostgresResult>;
  /** Gives it back; with `true` it is closed, and the pool makes a new one when it needs one. */
  release(destroy?: boolean): void;
  on(event: "error", listener: (error: Error) => void): unknown;
  removeListener(event: "error", listener: (error: Error) => void): unknown;
}

/** One statement, its values apart from its text. */
export interface PostgresQuery {
  readonly text: string;
  readonly values?: unknown[];
  readonly name?: string;
  readonly rowMode: "array";
  /** How the text of a column's type (an object id) is read. */
  readonly types: { getTypeParser(type: number): (text: string) => unknown };
}

/** What came of it. */
export interface PostgresResult {
  readonly rows: unknown[][];
  readonly rowCount: number | null;
}
