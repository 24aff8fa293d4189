import type { Engine, StoreCall } from "../../ports/store.ts";
import { settled } from "../settled.ts";
import { limited } from "./limited.ts";
import type { Link } from "./link.ts";
import type { Migration } from "./migration.ts";
import type { MigrationStatus } from "./migration-status.ts";
import { assertSchema, migrateDown, migrateUp, migrationStatus, type SchemaSteps } from "./migrations.ts";
import type { Queries, SqlConnection } from "./queries.ts";
import { renewed, retried } from "./retry.ts";

/** Runs `work` as one transaction of a link; where `isKept` says no, none of it was. */
export type Transact = <T>(
  link: Link,
  work: (queries: Queries) => Promise<T>,
  isKept: (result: T) => boolean,
) => Promise<T>;

/** What a connection is told of its engine. */
export interface Server {
  readonly engine: Engine;
  readonly migrations: readonly Migration[];
  /** Runs `work` on a connection of the pool. */
  onLink<T>(call: Pick<StoreCall, "signal">, work: (link: Link) => Promise<T>): Promise<T>;
  /** Looks at the settings of the pool's connections; answers how transactions are run on them. @throws TypeError - they do not fit */
  transactions(link: Link): Promise<Transact>;
  schema(link: Link): SchemaSteps;
  /** Whether the server undid one piece of work so that another may go on. */
  isPassing(error: unknown): boolean;
  /** Whether the server refused to write since it only reads; nothing was done. */
  isReadOnly(error: unknown): boolean;
  /** Ends the pool. */
  end(): Promise<void>;
}

/** How a connection begins and ends. */
export interface Life {
  /** Whether the first call applies pending migrations. */
  readonly migrate: boolean;
  /** Whether `close` ends the pool. */
  readonly ownsPool: boolean;
  /** How long a look at the settings and the schema may take, in milliseconds. Default 10,000. */
  readonly lookMs?: number;
}

/** The way of three ports to one database, over connections of a pool. The schema is looked at with the first call. */
export class PooledConnection implements SqlConnection {
  readonly engine: Engine;
  readonly #server: Server;
  readonly #life: Life;
  #transact: Transact | null = null;
  #ready: Promise<Transact> | null = null;
  #closed: Promise<void> | null = null;

  constructor(server: Server, life: Life) {
    this.engine = server.engine;
    this.#server = server;
    this.#life = life;
  }

  /** Runs statements of which each is whole by itself. Where the server undid one for another's sake, all are run again. */
  async each<T>(call: StoreCall, work: (queries: Queries) => Promise<T>): Promise<T> {
    if (this.#transact === null) await this.#start(call);
    return this.#retried(call, work);
  }

  async transaction<T>(
    call: StoreCall,
    work: (queries: Queries) => Promise<T>,
    isKept: (result: T) => boolean = () => true,
  ): Promise<T> {
    const transact = this.#transact ?? (await this.#start(call));
    return this.#retried(call, (link) => transact(link, work, isKept));
  }

  status(): Promise<readonly MigrationStatus[]> {
    const { schema, migrations } = this.#server;
    return this.#looking((link) => migrationStatus(schema(link), migrations));
  }

  up(to?: number): Promise<readonly number[]> {
    return this.#migrate((steps) => migrateUp(steps, this.#server.migrations, to));
  }

  down(to?: number): Promise<readonly number[]> {
    return this.#migrate((steps) => migrateDown(steps, this.#server.migrations, to));
  }

  /** Checks that settings and schema fit. @throws SchemaError @throws TypeError */
  async check(): Promise<void> {
    await this.#checked();
  }

  /** Ends the pool where it is the stores' own. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#life.ownsPool ? this.#server.end() : Promise.resolve();
    return this.#closed;
  }

  // Once for all calls that wait for it; a failure is not remembered, so that the next call finds what was put right.
  #start(call: StoreCall): Promise<Transact> {
    this.#ready ??= this.#prepareSchema().finally(() => {
      this.#ready = null;
    });
    return settled(this.#ready, call.signal);
  }

  async #prepareSchema(): Promise<Transact> {
    if (this.#life.migrate) await this.up();
    return this.#checked();
  }

  #checked(): Promise<Transact> {
    const { transactions, schema, migrations } = this.#server;
    return this.#looking(async (link) => {
      const transact = await transactions(link);
      await assertSchema(schema(link), migrations);
      this.#transact = transact;
      return transact;
    });
  }

  #migrate(work: (steps: SchemaSteps) => Promise<readonly number[]>): Promise<readonly number[]> {
    this.#transact = null;
    const { transactions, schema } = this.#server;
    return this.#looking(async (link, endLimit) => {
      // Before anything is written: on MySQL without autocommit, for one, it would not stay.
      await transactions(link);
      const steps = schema(link);
      // A migration takes as long as it takes, and so does another process's.
      const alone: SchemaSteps["alone"] = (command, task) => {
        endLimit();
        return steps.alone(command, task);
      };
      return work({ ...steps, alone });
    });
  }

  // An answer that never comes would otherwise be waited for by every call from then on.
  #looking<T>(work: (link: Link, endLimit: () => void) => Promise<T>): Promise<T> {
    const { lookMs: limitMs = 10_000 } = this.#life;
    return limited({ limitMs, engine: this.engine.name }, (call, endLimit) =>
      this.#server.onLink(call, (link) => work(link, endLimit)),
    );
  }

  #retried<T>(call: StoreCall, work: (link: Link) => Promise<T>): Promise<T> {
    const { isPassing, isReadOnly, onLink } = this.#server;
    return retried(call, isPassing, () => renewed(isReadOnly, () => onLink(call, work)));
  }
}
