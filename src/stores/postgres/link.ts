import type { StoreCall } from "../../ports/store.ts";
import { type Lent, type Link, lend } from "../sql/link.ts";
import type { Parameter, Statement } from "../sql/queries.ts";
import type { Renewal } from "../sql/renewal.ts";
import type { SqlValue } from "../sql/steps.ts";
import type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from "./pool.ts";
import { columnTypes, driverValue } from "./values.ts";

/** How statements are sent. */
export interface LinkOptions {
  readonly pool: PostgresPool;
  /** Whether statements have names, by which the server keeps them parsed. */
  readonly prepare: boolean;
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
    connect: () => options.pool.connect(),
    open: (client: PostgresClient) => linkOn(client, options),
    isOld: (client: PostgresClient) => options.renewal?.isOld(client) ?? false,
  };
  return lend(lender, call, work);
}

function linkOn(client: PostgresClient, options: LinkOptions): Lent {
  let isSpoiled = false;
  const spoil = (): void => {
    isSpoiled = true;
  };
  // Without a listener the loss of a connection between two statements would end the process.
  client.on("error", spoil);

  async function send(query: Pick<PostgresQuery, "text" | "name" | "values">): Promise<PostgresResult> {
    options.onStatement?.(query.text);
    try {
      return await client.query({ ...query, rowMode: "array", types: columnTypes });
    } catch (error) {
      if (!isAnswer(error) || isReadOnly(error)) spoil();
      if (isReadOnly(error)) options.renewal?.demand();
      throw error;
    }
  }

  function query<Row extends readonly SqlValue[]>(
    { text, name }: Statement<Row>,
    values: readonly Parameter[],
  ): Promise<PostgresResult> {
    return send({ text, values: values.map(driverValue), ...(options.prepare ? { name } : {}) });
  }

  const link: Link = {
    get isSpoiled() {
      return isSpoiled;
    },
    spoil,
    all: async <Row extends readonly SqlValue[]>(
      statement: Statement<Row>,
      ...values: readonly Parameter[]
    ) => (await query(statement, values)).rows as unknown as readonly Row[],
    run: async (statement, ...values) => (await query(statement, values)).rowCount ?? 0,
    script: async (text) => {
      await send({ text });
    },
  };
  return {
    link,
    giveBack() {
      client.release(isSpoiled);
      // Afterwards: from here on it is the pool that listens.
      client.removeListener("error", spoil);
    },
  };
}

/** What an error of the server says besides its message. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export interface ServerError extends Error {
  /** SQLSTATE, five characters. */
  readonly code: string;
  readonly severity: string;
  readonly constraint?: string;
}

/**
 * Whether the server refused to write since it only reads, or to begin a transaction that writes since it is in recovery. What it
 * refused was not done, and another connection may lead to the server that writes.
 */
export function isReadOnly(error: unknown): boolean {
  return isAnswer(error) && (error.code === "25006" || error.code === "0A000");
}

/** Whether the server refused a statement and goes on, rather than that the connection failed. */
export function isAnswer(error: unknown): error is ServerError {
  return error instanceof Error && "severity" in error && error.severity !== "FATAL" && "code" in error;
}
