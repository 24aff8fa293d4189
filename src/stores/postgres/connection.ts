import type { Engine, StoreCall } from "../../ports/store.ts";
import type { MigrationStatus } from "../migration-status.ts";
import type { Queries, SqlConnection } from "../sql-queries.ts";
import { retried } from "../sql-retry.ts";
import { within } from "../within.ts";
import { isAnswer, type Link, type LinkOptions, onLink } from "./link.ts";
import { migrations } from "./migrations/all.ts";
import { assertSchema, migrateDown, migrateUp, migrationStatus } from "./migrations.ts";

/** What a connection works by. */
export interface ConnectionOptions extends LinkOptions {
  /** Whether the first call applies pending migrations. */
  readonly migrate: boolean;
  readonly ownsPool: boolean;
  readonly lockTimeoutMs: number;
  readonly transactionTimeoutMs: number;
}

/** A call that waits for nobody: a migration takes as long as it takes. */
const patient = new AbortController();

/** The way of three ports to one database, over connections of a pool. */
export class Connection implements SqlConnection {
  readonly engine: Engine = { name: "postgres" };
  readonly #options: ConnectionOptions;
  readonly #begin: string;
  #ready: Promise<void> | null = null;
  #fits = false;
  #closed: Promise<void> | null = null;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#begin = beginning(options);
    // A connection that is lost while it is idle is the pool's affair; unheard, it would end the process.
    options.pool.on("error", noop);
  }

  /** Runs statements of which each is whole by itself. Where the server undid one for another's sake, all are run again. */
  async each<T>(call: StoreCall, work: (queries: Queries) => Promise<T>): Promise<T> {
    if (!this.#fits) await this.#start(call);
    return retried(call, isPassing, () => onLink(this.#options, call, work));
  }

  /** Runs `work` as one transaction; where `isKept` says no, none of it was. It may be run again from its start. */
  async transaction<T>(
    call: StoreCall,
    work: (queries: Queries) => Promise<T>,
    isKept: (result: T) => boolean = () => true,
  ): Promise<T> {
    if (!this.#fits) await this.#start(call);
    const whole = (link: Link): Promise<T> => transaction(link, { begin: this.#begin, work, isKept });
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

  /** Checks that the schema fits. @throws SchemaError */
  async check(): Promise<void> {
    await onLink(this.#options, patient, (link) => assertSchema(link, migrations));
    this.#fits = true;
  }

  /** Ends the pool where it is the stores' own. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#options.ownsPool ? this.#options.pool.end() : Promise.resolve();
    return this.#closed;
  }

  // Once for all calls that wait for it; a failure is not remembered, so that the next call finds what was put right.
  #start(call: StoreCall): Promise<void> {
    this.#ready ??= this.#prepareSchema().finally(() => {
      this.#ready = null;
    });
    return within(call.signal, this.#ready);
  }

  async #prepareSchema(): Promise<void> {
    if (this.#options.migrate) await this.up();
    await this.check();
  }

  #migrate(work: (link: Link) => Promise<readonly number[]>): Promise<readonly number[]> {
    this.#fits = false;
    return onLink(this.#options, patient, work);
  }
}

interface Whole<T> {
  readonly begin: string;
  readonly work: (queries: Queries) => Promise<T>;
  readonly isKept: (result: T) => boolean;
}

async function transaction<T>(link: Link, { begin, work, isKept }: Whole<T>): Promise<T> {
  let result: T;
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
}

// One that fails leaves a broken link, which is closed: the server undoes the rest.
async function rollback(link: Link): Promise<void> {
  if (!link.isBroken) await link.script("ROLLBACK").catch(noop);
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
