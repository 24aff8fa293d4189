import type { StoreCall } from "../../ports/store.ts";
import { type Lent, type Link, lend } from "../sql/link.ts";
import type { Parameter, Statement } from "../sql/queries.ts";
import type { Renewal } from "../sql/renewal.ts";
import type { SqlValue } from "../sql/steps.ts";
import type { MysqlConnection, MysqlPool, MysqlQuery } from "./pool.ts";
import { driverValue, readColumn } from "./values.ts";

/** How statements are sent. */
export interface LinkOptions {
  readonly pool: MysqlPool;
  /** Absent: each connection counts for itself. */
  readonly renewal?: Renewal;
  readonly onStatement?: (sql: string) => void;
}

/** Runs `work` on a connection of the pool. @see lend */
export function onLink<T>(
  options: LinkOptions,
  call: Pick<StoreCall, "signal">,
  work: (link: Link) => Promise<T>,
): Promise<T> {
  const lender = {
    connect: () => options.pool.getConnection(),
    open: (connection: MysqlConnection) => linkOn(connection, options),
    // The driver makes a new object each time; what it is about stays the same.
    isOld: (connection: MysqlConnection) =>
      options.renewal?.isOld(connection.connection ?? connection) ?? false,
  };
  return lend(lender, call, work);
}

function linkOn(connection: MysqlConnection, { onStatement, renewal }: LinkOptions): Lent {
  let isSpoiled = false;
  const spoil = (): void => {
    isSpoiled = true;
  };

  async function send(sql: string, values: readonly Parameter[] | null): Promise<unknown> {
    onStatement?.(sql);
    const query: MysqlQuery = { sql, rowsAsArray: true, typeCast: readColumn };
    try {
      const [result] = await (values === null
        ? connection.query(query)
        : connection.execute(query, values.map(driverValue)));
      return result;
    } catch (error) {
      if (!isAnswer(error) || isReadOnly(error)) spoil();
      if (isReadOnly(error)) renewal?.demand();
      throw error;
    }
  }

  const link: Link = {
    get isSpoiled() {
      return isSpoiled;
    },
    spoil,
    all: async <Row extends readonly SqlValue[]>({ text }: Statement<Row>, ...values: readonly Parameter[]) =>
      (await send(text, values)) as readonly Row[],
    run: async ({ text }, ...values) => {
      const { affectedRows } = (await send(text, values)) as { readonly affectedRows: number };
      return affectedRows;
    },
    script: async (text) => {
      await send(text, null);
    },
  };
  return { link, giveBack: () => (isSpoiled ? connection.destroy() : connection.release()) };
}

/** What an error of the server says besides its message. @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html */
export interface ServerError extends Error {
  readonly errno: number;
}

/** Whether the server refused a statement and goes on, rather than that the connection failed. */
export function isAnswer(error: unknown): error is ServerError {
  if (!(error instanceof Error) || !("sqlState" in error) || !("errno" in error)) return false;
  return typeof error.sqlState === "string" && (!("fatal" in error) || error.fatal !== true);
}

/**
 * What a server says that only reads: one that was made a replica, one whose transactions only read, one whose tables do.
 */
const readOnly: ReadonlySet<number> = new Set([1036, 1290, 1792, 1836]);

/** Whether the server refused to write since it only reads: nothing was done, and another connection may lead to one that writes. */
export function isReadOnly(error: unknown): boolean {
  return isAnswer(error) && readOnly.has(error.errno);
}

/** Whether the server refused a row because of a unique index. */
export function isDuplicate(error: unknown): boolean {
  return isAnswer(error) && error.errno === 1062;
}
