/**
 * What the stores need of a pool of `mysql2/promise`: its `Pool` fits, and so does what wraps one. Nothing else of the driver is
 * named here.
 *
 * @see https://sidorares.github.io/node-mysql2/docs
 */
export interface MysqlPool {
  getConnection(): Promise<MysqlConnection>;
  end(): Promise<void>;
}

/** A connection that is taken from the pool. */
export interface MysqlConnection {
  /** What stays the same whenever the pool hands it out. Absent where a wrapper has none. */
  readonly connection?: object;
  /** Runs a prepared statement: values never become part of its text. */
  execute(query: MysqlQuery, values: MysqlValue[]): Promise<[unknown, unknown]>;
  /** Runs a statement without values. */
  query(query: MysqlQuery): Promise<[unknown, unknown]>;
  /** Gives it back. */
  release(): void;
  /** Closes it; the pool makes a new one when it needs one. */
  destroy(): void;
}

/** What a statement takes. */
export type MysqlValue = string | number | null | Buffer;

/** One statement. */
export interface MysqlQuery {
  readonly sql: string;
  readonly rowsAsArray: true;
  /** How a column is read; `next` reads it as the driver would. */
  readonly typeCast: (field: MysqlField, next: () => unknown) => unknown;
}

/** A value of a row, before it is read; it is read once. */
export interface MysqlField {
  /** Name of the column's type, `VAR_STRING`, `LONGLONG`, …. */
  readonly type: string;
  string(encoding?: string): string | null;
  buffer(): Buffer | null;
}
