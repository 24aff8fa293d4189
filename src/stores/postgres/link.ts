import type { StoreCall } from "../../ports/store.ts";
import type { Parameter, Statement } from "../sql-queries.ts";
import type { SqlValue } from "../sql-steps.ts";
import { within } from "../within.ts";
import type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from "./pool.ts";
import type { Session } from "./statement.ts";
import { columnTypes, driverValue } from "./values.ts";

/** How statements are sent. */
export interface LinkOptions {
  readonly pool: PostgresPool;
  /** Whether statements have names, by which the server keeps them parsed. */
  readonly prepare: boolean;
  readonly onStatement?: (sql: string) => void;
}

/** A connection for one piece of work. */
export interface Link extends Session {
  /** Whether it failed in a way after which nobody knows what the server is doing on it. */
  readonly isBroken: boolean;
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
  const client = await taken(options.pool, signal);
  const link = linkOn(client, options);
  let isLeft = false;
  try {
    return await within(signal, work(link));
  } catch (error) {
    isLeft = signal.aborted;
    throw error;
  } finally {
    client.release(isLeft || link.isBroken);
    // Afterwards: from here on it is the pool that listens.
    link.dispose();
  }
}

async function taken(pool: PostgresPool, signal: AbortSignal): Promise<PostgresClient> {
  signal.throwIfAborted();
  const connecting = pool.connect();
  try {
    return await within(signal, connecting);
  } catch (error) {
    // Whoever gave up waiting does not keep the place of a connection that comes later.
    connecting.then((client) => client.release()).catch(noop);
    throw error;
  }
}

function linkOn(client: PostgresClient, options: LinkOptions): Link & { dispose(): void } {
  let isBroken = false;
  // Without a listener the loss of a connection between two statements would end the process.
  const lost = (): void => {
    isBroken = true;
  };
  client.on("error", lost);

  async function send(query: Pick<PostgresQuery, "text" | "name" | "values">): Promise<PostgresResult> {
    options.onStatement?.(query.text);
    try {
      return await client.query({ ...query, rowMode: "array", types: columnTypes });
    } catch (error) {
      if (!isAnswer(error)) isBroken = true;
      throw error;
    }
  }

  function query<Row extends readonly SqlValue[]>(
    { text, name }: Statement<Row>,
    values: readonly Parameter[],
  ): Promise<PostgresResult> {
    return send({ text, values: values.map(driverValue), ...(options.prepare ? { name } : {}) });
  }

  return {
    get isBroken() {
      return isBroken;
    },
    all: async <Row extends readonly SqlValue[]>(
      statement: Statement<Row>,
      ...values: readonly Parameter[]
    ) => (await query(statement, values)).rows as unknown as readonly Row[],
    run: async (statement, ...values) => (await query(statement, values)).rowCount ?? 0,
    script: async (text) => {
      await send({ text });
    },
    dispose: () => client.removeListener("error", lost),
  };
}

/** What an error of the server says besides its message. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export interface ServerError extends Error {
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly severity: string;
  readonly constraint?: string;
}

/** Whether the server refused a statement and goes on, rather than that the connection failed. */
export function isAnswer(error: unknown): error is ServerError {
  return error instanceof Error && "severity" in error && error.severity !== "FATAL" && "code" in error;
}

function noop(): void {}
