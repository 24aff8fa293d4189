import type { StoreCall } from "../../ports/store.ts";
import type { SessionCache } from "../session-cache.ts";
import type { Connection } from "./connection.ts";
import type { WriteRun } from "./write-run.ts";

/** What the three stores of one database share. */
export interface Parts {
  readonly connection: Connection;
  /** Null: every check reads the database. */
  readonly cache: SessionCache | null;
  /** Runs `work` as one transaction; where `isKept` says no, none of it was. */
  run<T>(call: StoreCall, work: (run: WriteRun) => T, isKept?: (result: T) => boolean): Promise<T>;
  ping(call: StoreCall): Promise<void>;
  close(): Promise<void>;
}
