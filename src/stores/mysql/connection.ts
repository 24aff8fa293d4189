import { type Life, PooledConnection, type Transact } from "../sql/connection.ts";
import { renewal } from "../sql/renewal.ts";
import { isAnswer, isReadOnly, type LinkOptions, onLink } from "./link.ts";
import { migrations } from "./migrations/all.ts";
import { schemaSteps } from "./migrations.ts";
import { assertSettings } from "./settings.ts";

/** What a connection works by. */
export interface ConnectionOptions extends LinkOptions, Life {
  readonly lockTimeoutSeconds: number;
  readonly transactionTimeoutSeconds: number;
}

/** The way to one database, over connections of a pool. */
export function connectionTo(options: ConnectionOptions): PooledConnection {
  const linkOptions = { ...options, renewal: renewal() };
  return new PooledConnection(
    {
      engine: { name: "mysql" },
      migrations,
      onLink: (call, work) => onLink(linkOptions, call, work),
      async transactions(link) {
        const { isolation } = await assertSettings(link);
        return transactionsBy(frameOf(options, isolation));
      },
      schema: schemaSteps,
      isPassing,
      isReadOnly,
      end: () => options.pool.end(),
    },
    options,
  );
}

/** What begins a transaction, and what puts the connection back into the state in which the pool gave it. */
interface Frame {
  readonly begin: string;
  readonly end: string;
}

function transactionsBy({ begin, end }: Frame): Transact {
  return async (link, work, isKept) => {
    try {
      await link.script(begin);
      const result = await work(link);
      await link.script(isKept(result) ? "COMMIT" : "ROLLBACK");
      return result;
    } catch (error) {
      if (!link.isSpoiled) await link.script("ROLLBACK").catch(link.spoil);
      throw error;
    } finally {
      // Nobody else gets a connection with a transaction's settings.
      if (!link.isSpoiled) await link.script(end).catch(link.spoil);
    }
  };
}

/**
 * One statement that begins a transaction: without autocommit the next one does. Row locks decide who goes first, so each
 * statement may see what others committed before it. The server's own limits free the locks of a process that hangs or was cut
 * off: it closes a connection that is silent for longer than `wait_timeout`. Whole seconds, checked by the factory.
 */
function frameOf(
  { lockTimeoutSeconds, transactionTimeoutSeconds }: ConnectionOptions,
  isolation: string,
): Frame {
  const limits = {
    wait_timeout: transactionTimeoutSeconds,
    lock_wait_timeout: lockTimeoutSeconds,
    innodb_lock_wait_timeout: lockTimeoutSeconds,
    [isolation]: "'READ-COMMITTED'",
  };
  const set = (values: readonly (readonly [string, unknown])[]): string =>
    `SET ${values.map(([name, value]) => `SESSION ${name} = ${value}`).join(", ")}`;
  const before = Object.keys(limits).map((name) => [name, `@@GLOBAL.${name}`] as const);
  return {
    begin: set([["autocommit", 0], ...Object.entries(limits)]),
    end: set([["autocommit", 1], ...before]),
  };
}

/** Deadlock: the server undid one transaction so that another may go on. */
function isPassing(error: unknown): boolean {
  return isAnswer(error) && error.errno === 1213;
}
