import type { DatabaseSync } from "node:sqlite";
import type { SqlValue } from "../sql/steps.ts";

/**
 * A prepared statement whose rows come as arrays, in the order of its columns: cheaper than objects by name. Parameters are
 * plain `?`: Node 22 does not bind values to numbered ones.
 */
export interface Statement<Row extends readonly SqlValue[] = readonly SqlValue[]> {
  get(...values: readonly SqlValue[]): Row | undefined;
  all(...values: readonly SqlValue[]): Row[];
  run(...values: readonly SqlValue[]): { readonly changes: number | bigint };
}

/** Prepares a statement of static SQL, to be kept and used again. */
export type Prepare = <Row extends readonly SqlValue[]>(sql: string) => Statement<Row>;

/** Prepares on `db`. `onStatement` is told of every execution; without one the driver's own statements are handed out. */
export function prepareOn(db: DatabaseSync, onStatement?: (sql: string) => void): Prepare {
  return <Row extends readonly SqlValue[]>(sql: string): Statement<Row> => {
    const native = db.prepare(sql);
    native.setReturnArrays(true);
    // The driver's types know rows by name only; which columns a statement has is written beside its SQL.
    const statement = native as unknown as Statement<Row>;
    return onStatement === undefined ? statement : told(statement, () => onStatement(sql));
  };
}

function told<Row extends readonly SqlValue[]>(statement: Statement<Row>, tell: () => void): Statement<Row> {
  return {
    get(...values) {
      tell();
      return statement.get(...values);
    },
    all(...values) {
      tell();
      return statement.all(...values);
    },
    run(...values) {
      tell();
      return statement.run(...values);
    },
  };
}
