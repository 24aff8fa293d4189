import type { Engine, StoreCall } from "../../ports/store.ts";
import type { SqlSteps, SqlValue } from "./steps.ts";

/** A statement of static SQL. `Row` is what its rows hold, in the order of its columns. */
export interface Statement<Row extends readonly SqlValue[] = readonly []> {
  readonly text: string;
  /** What the server may know it by: differs where the text does. */
  readonly name: string;
  /** Never there: it holds the type of a row. */
  readonly row?: Row;
}

/** What a statement takes: a value, or, where the engine has arrays, a list of values. */
export type Parameter = SqlValue | readonly SqlValue[];

/** Runs statements one after the other on one connection. */
export interface Queries {
  /** The rows of a statement. */
  all<Row extends readonly SqlValue[]>(
    statement: Statement<Row>,
    ...values: readonly Parameter[]
  ): Promise<readonly Row[]>;
  /** How many rows a statement changed. */
  run(statement: Statement, ...values: readonly Parameter[]): Promise<number>;
}

/** The way to a database on a server. */
export interface SqlConnection {
  readonly engine: Engine;
  /** Runs statements of which each is whole by itself. */
  each<T>(call: StoreCall, work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Runs `work` as one transaction; where `isKept` says no, none of it was. It may be run again from its start. */
  transaction<T>(
    call: StoreCall,
    work: (queries: Queries) => Promise<T>,
    isKept?: (result: T) => boolean,
  ): Promise<T>;
}

/** Runs a statement that is whole by itself. */
export type Rows = <Row extends readonly SqlValue[]>(
  call: StoreCall,
  statement: Statement<Row>,
  ...values: readonly Parameter[]
) => Promise<readonly Row[]>;

/** What the three stores of one database share. */
export interface SqlParts {
  readonly connection: SqlConnection;
  /** The steps of a transaction, in the words of the engine. */
  steps(queries: Queries): SqlSteps;
  ping(call: StoreCall): Promise<void>;
  close(): Promise<void>;
}
