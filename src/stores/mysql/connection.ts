import type { Engine, StoreCall } from "../../ports/store.ts";
import type { MigrationStatus } from "../migration-status.ts";
import type { Queries, SqlConnection } from "../sql-queries.ts";
import { retried } from "../sql-retry.ts";
import { within } from "../within.ts";
import { isAnswer, type Link, type LinkOptions, onLink } from "./link.ts";
import { migrations } from "./migrations/all.ts";
import { assertSchema, migrateDown, migrateUp, migrationStatus } from "./migrations.ts";
import { assertSettings } from "./settings.ts";

/** What a connection works by. */
export interface ConnectionOptions extends LinkOptions {
  /** Whether the first call applies pending migrations. */
  readonly migrate: boolean;
  readonly ownsPool: boolean;
  readonly lockTimeoutSeconds: number;
  readonly transactionTimeoutSeconds: number;
}

/** What begins a transaction, and what puts the connection back into the state in which the pool gave it. */
interface Frame {
  readonly begin: string;
  readonly end: string;
}

/** A call that waits for nobody: a migration takes as long as it takes. */
const patient = new AbortController();

/** The way of three ports to one database, over connections of a pool. */
export class Connection implements SqlConnection {
  readonly engine: Engine = { name: "mysql" };
  readonly #options: ConnectionOptions;
  #frame: Frame | null = null;
  #ready: Promise<Frame> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Runs statements of which each is whole by itself. Where the server undid one for another's sake, all are run again. */
  async each<T>(call: StoreCall, work: (queries: Queries) => Promise<T>): Promise<T> {
    if (this.#frame === null) await this.#start(call);
    return retried(call, isPassing, () => onLink(this.#options, call, work));
  }

  async transaction<T>(
    call: StoreCall,
    work: (queries: Queries) => Promise<T>,
    isKept: (result: T) => boolean = () => true,
  ): Promise<T> {
    const frame = this.#frame ?? (await this.#start(call));
    const whole = (link: Link): Promise<T> => transaction(link, { frame, work, isKept });
    return retried(call, isPassing, () => onLink(this.#options, call, whole));
  }

  status(): Promise<readonly MigrationStatus[]> {
    return onLink(this.#options, patient, (link) => migrationStatus(link, migrations));
  }

  up(to?: number): Promise<readonly number[]> {
    return this.#migrate((link) => migrateUp(link, migrations, to));
  }

  down(to?: number): Promise<readonly number[]> {
    return this.#migrate((link) => migrateDown(link, migrations, to));
  }

  /** Checks that the server's settings and the schema fit. @throws SchemaError @throws TypeError */
  async check(): Promise<void> {
    await this.#checked();
  }

  /** Ends the pool where it is the stores' own. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#options.ownsPool ? this.#options.pool.end() : Promise.resolve();
    return this.#closed;
  }

  // Once for all calls that wait for it; a failure is not remembered, so that the next call finds what was put right.
  #start(call: StoreCall): Promise<Frame> {
    this.#ready ??= this.#prepareSchema().finally(() => {
      this.#ready = null;
    });
    return within(call.signal, this.#ready);
  }

  async #prepareSchema(): Promise<Frame> {
    if (this.#options.migrate) await this.up();
    return this.#checked();
  }

  async #checked(): Promise<Frame> {
    return onLink(this.#options, patient, async (link) => {
      const { isolation } = await assertSettings(link);
      await assertSchema(link, migrations);
      this.#frame = frameOf(this.#options, isolation);
      return this.#frame;
    });
  }

  #migrate(work: (link: Link) => Promise<readonly number[]>): Promise<readonly number[]> {
    this.#frame = null;
    return onLink(this.#options, patient, async (link) => {
      // Before anything is written: without autocommit, for one, it would not stay.
      await assertSettings(link);
      return work(link);
    });
  }
}

interface Whole<T> {
  readonly frame: Frame;
  readonly work: (queries: Queries) => Promise<T>;
  readonly isKept: (result: T) => boolean;
}

async function transaction<T>(link: Link, { frame, work, isKept }: Whole<T>): Promise<T> {
  try {
    await link.script(frame.begin);
    const result = await work(link);
    await link.script(isKept(result) ? "COMMIT" : "ROLLBACK");
    return result;
  } catch (error) {
    if (!link.isSpoiled) await link.script("ROLLBACK").catch(link.spoil);
    throw error;
  } finally {
    // Nobody else gets a connection with a transaction's settings.
    if (!link.isSpoiled) await link.script(frame.end).catch(link.spoil);
  }
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
