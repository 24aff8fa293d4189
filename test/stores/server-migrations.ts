import { describe, expect, it } from "vitest";
import type { StoreCall } from "../../src/ports/store.ts";
import type { Life, PooledConnection } from "../../src/stores/sql/connection.ts";
import type { Migration } from "../../src/stores/sql/migration.ts";
import type { LockPatience } from "../../src/stores/sql/migration-locks.ts";
import {
  migrateDown,
  migrateUp,
  migrationStatus,
  type SchemaSteps,
} from "../../src/stores/sql/migrations.ts";
import { SchemaError } from "../../src/stores/sql/schema-error.ts";
import type { SqlStores } from "../../src/stores/sql/stores.ts";
import type { Fixtures } from "../../src/testing/testing.ts";

/** Migrations in words that every engine has. */
export const three: readonly Migration[] = [
  {
    number: 1,
    name: "one",
    up: "CREATE TABLE IF NOT EXISTS one (a INT);\nCREATE TABLE IF NOT EXISTS more (a INT);\n",
    down: "DROP TABLE IF EXISTS more;\nDROP TABLE IF EXISTS one;\n",
  },
  {
    number: 2,
    name: "two",
    up: "CREATE TABLE IF NOT EXISTS two (a INT)",
    down: "DROP TABLE IF EXISTS two",
  },
  {
    number: 3,
    name: "three",
    up: "CREATE TABLE IF NOT EXISTS three (a INT)",
    down: "DROP TABLE IF EXISTS three",
  },
];

/** One empty state of a server. */
export interface MigrationGround {
  readonly make: Fixtures;
  call(): StoreCall;
  open(options?: { readonly migrate?: boolean }): SqlStores;
  connect(life: Omit<Life, "ownsPool">): PooledConnection;
  /** Migrates over a connection of its own. */
  onSchema<T>(work: (steps: SchemaSteps) => Promise<T>, patience?: LockPatience): Promise<T>;
  /** Names of the tables, sorted. */
  tables(): Promise<readonly string[]>;
  /** The application's own statements. */
  run(sql: string): Promise<unknown>;
  /** Somebody's transaction that has read `users` and stays open, and what the server calls it; it ends with the test. */
  reader(): Promise<{ readonly called: string; end(): Promise<unknown> }>;
  /** Resolves when a migration waits for a lock. */
  waiting(): Promise<void>;
}

/** What an engine calls things. */
export interface MigrationEngine {
  readonly name: string;
  readonly isSkipped: boolean;
  /** Those of this version. */
  readonly known: readonly Migration[];
  /** Changes by other means, and what is said to be missing then. */
  readonly changes: readonly (readonly [sql: string, lacking: string])[];
}

/** `1 applied, 2 pending, …` */
export async function states(
  { onSchema }: Pick<MigrationGround, "onSchema">,
  known = three,
): Promise<string> {
  const all = await onSchema((steps) => migrationStatus(steps, known));
  return all.map(({ number, state }) => `${number} ${state}`).join(", ");
}

/** How a schema comes to be on a server: rules for one engine. */
export function serverMigrations(engine: MigrationEngine, ground: () => Promise<MigrationGround>): void {
  describe.skipIf(engine.isSkipped)(`migrations on ${engine.name}`, () => {
    it("go up and down one by one, as far as they are asked to", async () => {
      const database = await ground();
      const up = (to?: number) => database.onSchema((steps) => migrateUp(steps, three, to));
      const down = (to?: number) => database.onSchema((steps) => migrateDown(steps, three, to));
      expect(await up(2)).toEqual([1, 2]);
      expect(await states(database)).toBe("1 applied, 2 applied, 3 pending");
      expect(await up()).toEqual([3]);
      expect(await up()).toEqual([]);
      expect(await down()).toEqual([3]);
      expect(await states(database)).toBe("1 applied, 2 applied, 3 pending");
      expect(await down(0)).toEqual([2, 1]);
      expect(await database.tables()).toEqual(["latchkey_migrations"]);
      expect(await down()).toEqual([]);
      expect(await up()).toEqual([1, 2, 3]);
    });

    it("refuse to go on where an applied one was edited, or where a newer program was here", async () => {
      const database = await ground();
      await database.onSchema((steps) => migrateUp(steps, three));
      const edited = three.map((each) =>
        each.number === 2 ? { ...each, up: `${each.up} -- edited` } : each,
      );
      for (const [known, message] of [
        [edited, /edited after they had been applied: 2 two\./],
        [three.slice(0, 1), /does not know: 2 two, 3 three\..*`latchkey migrate down 1`/],
      ] as const) {
        const up = database.onSchema((steps) => migrateUp(steps, known));
        await expect(up).rejects.toThrow(message);
        const down = database.onSchema((steps) => migrateDown(steps, known, 0));
        await expect(down).rejects.toThrow(message);
      }
      expect(await states(database)).toBe("1 applied, 2 applied, 3 applied");
    });

    it("may be applied by several handles at the same moment", async () => {
      const database = await ground();
      const handles = Array.from({ length: 4 }, () => database.open());
      const numbers = await Promise.all(handles.map(({ migrations }) => migrations.up()));
      expect(numbers.toSorted((a, b) => b.length - a.length)).toEqual([[1, 3, 4], [], [], []]);
      for (const { migrations } of handles) await migrations.check();
    });

    it("wait for another process for longer than a look at the schema may take", async () => {
      const database = await ground();
      await database.open().migrations.up(3);
      const lookMs = 500;
      let release = (): void => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const other = database.onSchema(({ alone }) => alone("up", () => held));
      const done = database.connect({ migrate: true, lookMs }).up();
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 2 * lookMs))]);
      release();
      await other;
      expect(await done).toEqual([4]);
    });

    it("wait to be asked for where the stores may not write, which refuse until then", async () => {
      const database = await ground();
      const { call, make } = database;
      const stores = database.open({ migrate: false });
      const pending = /pending: 1 initial, 3 proofs, 4 people\. Run `latchkey migrate up` first/;
      await expect(stores.migrations.check()).rejects.toThrow(pending);
      await expect(Promise.resolve(stores.sessions.find(["any"], call()))).rejects.toThrow(pending);
      await expect(stores.ephemeral.add("key", 60, call())).rejects.toThrow(pending);
      await expect(stores.directory.ping(call())).rejects.toThrow(SchemaError);
      expect(await database.tables()).toEqual([]);
      expect(await database.open({ migrate: false }).migrations.up()).toEqual([1, 3, 4]);
      const user = make.user();
      await stores.directory.commit([{ kind: "user.insert", user }], call());
      expect(await stores.directory.user(user.id, call())).toEqual(user);
    });

    it("go down to nothing and up again", async () => {
      const database = await ground();
      const stores = database.open();
      const session = database.make.session(null);
      const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
      await stores.directory.commit([insert], database.call());
      expect(await stores.migrations.down(0)).toEqual([4, 3, 1]);
      expect(await database.tables()).toEqual(["latchkey_migrations"]);
      await expect(stores.migrations.check()).rejects.toThrow(/pending: 1 initial/);
      expect(await stores.migrations.up()).toEqual([1, 3, 4]);
      expect(await stores.sessions.find([session.id], database.call())).toEqual([null]);
      // What a handle knew of the schema went with it: the next call applies it again.
      expect(await stores.migrations.down(0)).toEqual([4, 3, 1]);
      expect(await stores.sessions.find([session.id], database.call())).toEqual([null]);
    });
  });

  describe.skipIf(engine.isSkipped)(`a migration on ${engine.name} that meets an open transaction`, () => {
    it("gives up after some tries, says who it is, and is done once they are gone", async () => {
      const database = await ground();
      const { migrations } = database.open();
      await migrations.up(3);
      const { called, end } = await database.reader();
      const patience = { lockMs: 100, tries: 2, pauseMs: 20 };
      const up = database.onSchema((steps) => migrateUp(steps, engine.known), patience);
      await expect(up).rejects.toThrow(SchemaError);
      await expect(up).rejects.toThrow(/waited 2 times/);
      await expect(up).rejects.toThrow(`${called} (`);
      await expect(up).rejects.toThrow(/run `latchkey migrate up` again/);
      expect(await states(database, engine.known)).toBe("1 applied, 3 applied, 4 pending");
      await end();
      expect(await migrations.up()).toEqual([4]);
      await migrations.check();
      await database.reader();
      const down = database.onSchema((steps) => migrateDown(steps, engine.known), patience);
      await expect(down).rejects.toThrow(/run `latchkey migrate down` again/);
    });

    it("keeps nobody from reading for longer than a try, and is done when the transaction ends", async () => {
      const database = await ground();
      await database.open().migrations.up(3);
      const { end } = await database.reader();
      const patience = { lockMs: 300, tries: 1_000, pauseMs: 20 };
      const up = database.onSchema((steps) => migrateUp(steps, engine.known), patience);
      await database.waiting();
      // Comes after the migration, and would wait as long as it does.
      await database.run("SELECT 1 FROM users");
      await end();
      expect(await up).toEqual([4]);
    });
  });

  describe.skipIf(engine.isSkipped)(`what a version before writes on ${engine.name}`, () => {
    it("still fits: whatever is new to its tables has a value of its own", async () => {
      const database = await ground();
      const { directory, migrations } = database.open();
      await migrations.up();
      await directory.commit([{ kind: "user.insert", user: database.make.user() }], database.call());
      const facts = await database.onSchema((steps) => steps.facts());
      await migrations.down();
      const before = await database.onSchema((steps) => steps.facts());
      await migrations.up();
      // The very columns that the version before knows, of a user who is there.
      const columns = before.flatMap((fact) => /^table users: column (\w+) /.exec(fact)?.[1] ?? []);
      expect(facts.length).toBeGreaterThan(before.length);
      const values = columns.map((column) => (/^(id|username|email_key)$/.test(column) ? "'else'" : column));
      await database.run(`INSERT INTO users (${columns.join()}) SELECT ${values.join()} FROM users`);
      expect(await directory.user("else", database.call())).toMatchObject({ mustChangePassword: false });
    });
  });

  describe.skipIf(engine.isSkipped)(`the newest migration on ${engine.name}`, () => {
    it("is taken back without a trace, and what was there before it stays", async () => {
      const database = await ground();
      const { call, make } = database;
      const stores = database.open();
      const facts = () => database.onSchema((steps) => steps.facts());
      await stores.migrations.up(3);
      const before = await facts();
      await stores.migrations.up();
      const [user, session] = [make.user(), make.session(null)];
      const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
      await stores.directory.commit([{ kind: "user.insert", user }, insert], call());
      expect(await stores.migrations.down()).toEqual([4]);
      expect((await facts()).toSorted()).toEqual(before.toSorted());
      expect(await stores.migrations.up()).toEqual([4]);
      expect(await stores.directory.user(user.id, call())).toEqual(user);
      expect(await stores.sessions.find([session.id], call())).toMatchObject([{ session }]);
    });
  });

  describe.skipIf(engine.isSkipped)(`the schema on ${engine.name}`, () => {
    it.each(engine.changes)(
      "is checked at the start for what was changed by other means: %s",
      async (change, lacking) => {
        const database = await ground();
        await database.open().migrations.up();
        await database.run(change);
        const stores = database.open();
        await expect(stores.migrations.check()).rejects.toThrow(`\n- ${lacking}\n`);
        await expect(stores.directory.ping(database.call())).rejects.toThrow(SchemaError);
      },
    );

    it("is what the check expects, nothing of it forgotten", async () => {
      const database = await ground();
      await database.open().migrations.up();
      const forgotten = await database.onSchema(async ({ facts, expectedFacts }) =>
        (await facts()).filter((fact) => !expectedFacts.includes(fact)),
      );
      expect(forgotten.filter((fact) => !fact.startsWith("check "))).toEqual([]);
      expect(forgotten.some((fact) => fact.includes("within_limit"))).toBe(false);
    });

    it("may have the application's own tables and columns beside it", async () => {
      const database = await ground();
      await database.open().migrations.up();
      await database.run("CREATE TABLE invoices (id TEXT); ALTER TABLE users ADD COLUMN theirs TEXT");
      await database.open().migrations.check();
    });
  });
}
