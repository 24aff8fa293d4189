import type { DatabaseSync } from "node:sqlite";
import { isBusy } from "./retry.ts";
import { type Prepare, prepareOn } from "./statement.ts";

/**
 * Runs `work` as one transaction: all of it or, where it throws or its result is not to be kept, none. Nothing can be
 * awaited inside, so nobody else reads or loses what is not committed yet.
 *
 * Throws busy only where the lock was not to be had and `work` has not run: what is tried again never runs twice.
 */
export type Transaction = <T>(work: () => T, isKept?: (result: T) => boolean) => T;

/** Tries of a COMMIT that another process blocks; each waits for `busy_timeout`. */
const commitTries = 3;

/** Transactions on `db` that take the lock for writing at their begin. */
export function transactionsOn(db: DatabaseSync, prepare: Prepare = prepareOn(db)): Transaction {
  const begin = prepare("BEGIN IMMEDIATE");
  const commit = prepare("COMMIT");
  const rollback = prepare("ROLLBACK");

  function commitPatiently(tries: number): void {
    try {
      commit.run();
    } catch (error) {
      if (!isBusy(error) || tries <= 1) throw error;
      commitPatiently(tries - 1);
    }
  }

  return (work, isKept = () => true) => {
    begin.run();
    try {
      const result = work();
      if (isKept(result)) commitPatiently(commitTries);
      else rollback.run();
      return result;
    } catch (cause) {
      // SQLite undoes some failures by itself (disk full, for one), and a second ROLLBACK would hide the first error.
      if (db.isTransaction) rollback.run();
      throw isBusy(cause) ? new Error("the transaction could not be committed", { cause }) : cause;
    }
  };
}
