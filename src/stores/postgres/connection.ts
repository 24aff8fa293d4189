import { type Life, PooledConnection, type Transact } from "../sql/connection.ts";
import type { Link } from "../sql/link.ts";
import { renewal } from "../sql/renewal.ts";
import { isAnswer, isReadOnly, type LinkOptions, onLink } from "./link.ts";
import { migrations } from "./migrations/all.ts";
import { schemaSteps } from "./migrations.ts";

/** What a connection works by. */
export interface ConnectionOptions extends LinkOptions, Life {
  readonly lockTimeoutMs: number;
  readonly transactionTimeoutMs: number;
}

/** The way to one database, over connections of a pool. */
export function connectionTo(options: ConnectionOptions): PooledConnection {
  const linkOptions = { ...options, renewal: renewal() };
  const transact = transactionsBy(options);
  // A connection that is lost while it is idle is the pool's affair; unheard, it would end the process.
  if (!options.pool.listenerCount?.("error")) options.pool.on("error", noop);
  return new PooledConnection(
    {
      engine: { name: "postgres" },
      migrations,
      onLink: (call, work) => onLink(linkOptions, call, work),
      // Each transaction says all that it needs.
      transactions: async () => transact,
      schema: schemaSteps,
      isPassing,
      isReadOnly,
      end: () => options.pool.end(),
    },
    options,
  );
}

function transactionsBy(options: ConnectionOptions): Transact {
  const begin = beginning(options);
  return async (link, work, isKept) => {
    let result: Awaited<ReturnType<typeof work>>;
    try {
      await link.script(begin);
      result = await work(link);
    } catch (error) {
      await rollback(link);
      throw error;
    }
    if (isKept(result)) await link.script("COMMIT");
    else await rollback(link);
    return result;
  };
}

// One that fails leaves a spoiled link, which is closed: the server undoes the rest.
async function rollback(link: Link): Promise<void> {
  if (!link.isSpoiled) await link.script("ROLLBACK").catch(noop);
}

// Row locks decide who goes first, so each statement may see what others committed before it. The server's own limits free
// the locks of a process that hangs or was cut off; whole milliseconds, checked by the factory.
function beginning({ lockTimeoutMs, transactionTimeoutMs }: ConnectionOptions): string {
  return [
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
    `SET LOCAL lock_timeout = ${lockTimeoutMs}`,
    `SET LOCAL statement_timeout = ${transactionTimeoutMs}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${transactionTimeoutMs}`,
  ].join("; ");
}

/** Deadlock, serialization failure: the server undid one transaction so that another may go on. */
function isPassing(error: unknown): boolean {
  return isAnswer(error) && (error.code === "40P01" || error.code === "40001");
}

function noop(): void {}
