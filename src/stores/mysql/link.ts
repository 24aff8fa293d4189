import type { StoreCall } from "../../ports/store.ts";
import type { Parameter, Queries, Statement } from "../sql-queries.ts";
import type { SqlValue } from "../sql-steps.ts";
import { within } from "../within.ts";
import type { MysqlConnection, MysqlPool, MysqlQuery } from "./pool.ts";
import { driverValue, readColumn } from "./values.ts";

/** How statements are sent. */
export interface LinkOptions {
  readonly pool: MysqlPool;
  readonly onStatement?: (sql: string) => void;
}

/** A connection for one piece of work. */
export interface Link extends Queries {
  /** A statement without values that is not prepared. */
  script(text: string): Promise<void>;
  /** Says that the connection is not to be used by anybody else: it is closed when the work ends. */
  spoil(): void;
  /** Whether it is spoiled, or failed in a way after which nobody knows what the server is doing on it. */
  readonly isSpoiled: boolean;
}

/**
 * Takes a connection from the pool, runs `work` on it and gives it back. A caller who gives up gets the signal's reason at once,
 * and the connection is closed then: a statement may still be running on it, and the server undoes what was not committed.
 */
export async function onLink<T>(
  options: LinkOptions,
  { signal }: Pick<StoreCall, "signal">,
  work: (link: Link) => Promise<T>,
): Promise<T> {
  const connection = await taken(options.pool, signal);
  const link = linkOn(connection, options);
  try {
    return await within(signal, work(link));
  } catch (error) {
    if (signal.aborted) link.spoil();
    throw error;
  } finally {
    if (link.isSpoiled) connection.destroy();
    else connection.release();
  }
}

async function taken(pool: MysqlPool, signal: AbortSignal): Promise<MysqlConnection> {
  signal.throwIfAborted();
  const connecting = pool.getConnection();
  try {
    return await within(signal, connecting);
  } catch (error) {
    // Whoever gave up waiting does not keep the place of a connection that comes later.
    connecting.then((connection) => connection.release()).catch(noop);
    throw error;
  }
}

function linkOn(connection: MysqlConnection, { onStatement }: LinkOptions): Link {
  let isSpoiled = false;

  async function send(sql: string, values: readonly Parameter[] | null): Promise<unknown> {
    onStatement?.(sql);
    const query: MysqlQuery = { sql, rowsAsArray: true, typeCast: readColumn };
    try {
      const [result] = await (values === null
        ? connection.query(query)
        : connection.execute(query, values.map(driverValue)));
      return result;
    } catch (error) {
      if (!isAnswer(error)) isSpoiled = true;
      throw error;
    }
  }

  return {
    get isSpoiled() {
      return isSpoiled;
    },
    spoil() {
      isSpoiled = true;
    },
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

/** Whether the server refused a row because of a unique index. */
export function isDuplicate(error: unknown): boolean {
  return isAnswer(error) && error.errno === 1062;
}

function noop(): void {}
