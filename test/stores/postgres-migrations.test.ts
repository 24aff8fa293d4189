import { describe, expect, it } from "vitest";
import type { Migration } from "../../src/stores/migration.ts";
import { onLink } from "../../src/stores/postgres/link.ts";
import { migrateDown, migrateUp, migrationStatus } from "../../src/stores/postgres/migrations.ts";
import { schemaFacts } from "../../src/stores/postgres/schema-fit.ts";
import type { Session } from "../../src/stores/postgres/statement.ts";
import { SchemaError } from "../../src/stores/schema-error.ts";
import { type PostgresDatabase, postgresDatabase, postgresUrl } from "./postgres-database.ts";

const three: readonly Migration[] = [
  {
    number: 1,
    name: "one",
    up: "CREATE TABLE one (a text); CREATE TABLE more (a text)",
    down: "DROP TABLE one, more",
  },
  { number: 2, name: "two", up: "CREATE INDEX one_a ON one (a)", down: "DROP INDEX one_a" },
  {
    number: 3,
    name: "three",
    up: "ALTER TABLE one ADD COLUMN b text",
    down: "ALTER TABLE one DROP COLUMN b",
  },
];

function on<T>({ pool }: PostgresDatabase, work: (queries: Session) => Promise<T>): Promise<T> {
  return onLink({ pool: pool({ max: 1 }), prepare: false }, new AbortController(), work);
}

async function states(database: PostgresDatabase, known = three): Promise<string> {
  const all = await on(database, (queries) => migrationStatus(queries, known));
  return all.map(({ number, state }) => `${number} ${state}`).join(", ");
}

async function tables({ raw, name }: PostgresDatabase): Promise<readonly string[]> {
  const { rows } = await raw.query("SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", [
    name,
  ]);
  return rows.map(({ tablename }) => tablename);
}

describe.skipIf(postgresUrl === null)("migrations on PostgreSQL", () => {
  it("go up and down one by one, as far as they are asked to", async () => {
    const database = await postgresDatabase();
    const up = (to?: number) => on(database, (queries) => migrateUp(queries, three, to));
    const down = (to?: number) => on(database, (queries) => migrateDown(queries, three, to));
    expect(await up(2)).toEqual([1, 2]);
    expect(await states(database)).toBe("1 applied, 2 applied, 3 pending");
    expect(await up()).toEqual([3]);
    expect(await up()).toEqual([]);
    expect(await down()).toEqual([3]);
    expect(await states(database)).toBe("1 applied, 2 applied, 3 pending");
    expect(await down(0)).toEqual([2, 1]);
    expect(await tables(database)).toEqual(["latchkey_migrations"]);
    expect(await down()).toEqual([]);
    expect(await up()).toEqual([1, 2, 3]);
  });

  it("are undone together where one fails, and the reason is said", async () => {
    const database = await postgresDatabase();
    const broken = [
      ...three,
      { number: 4, name: "four", up: "CREATE TABLE four (a text); NONSENSE", down: "" },
    ];
    const work = on(database, (queries) => migrateUp(queries, broken));
    await expect(work).rejects.toThrow(/^migration 4 four failed: .*NONSENSE.*Nothing was changed/);
    await expect(work).rejects.toThrow(SchemaError);
    expect(await tables(database)).toEqual([]);
  });

  it("are taken back together where one cannot be", async () => {
    const database = await postgresDatabase();
    const stuck = three.map((migration) =>
      migration.number === 2 ? { ...migration, down: "NONSENSE" } : migration,
    );
    await on(database, (queries) => migrateUp(queries, stuck));
    await expect(on(database, (queries) => migrateDown(queries, stuck, 0))).rejects.toThrow(/NONSENSE/);
    expect(await states(database, stuck)).toBe("1 applied, 2 applied, 3 applied");
  });

  it("refuse to go on where an applied one was edited, or where a newer program was here", async () => {
    const database = await postgresDatabase();
    await on(database, (queries) => migrateUp(queries, three));
    const edited = three.map((each) => (each.number === 2 ? { ...each, up: `${each.up} -- edited` } : each));
    for (const [known, message] of [
      [edited, /edited after they had been applied: 2 two\./],
      [three.slice(0, 1), /does not know: 2 two, 3 three\..*`latchkey migrate down 1`/],
    ] as const) {
      await expect(on(database, (queries) => migrateUp(queries, known))).rejects.toThrow(message);
      await expect(on(database, (queries) => migrateDown(queries, known, 0))).rejects.toThrow(message);
    }
    expect(await states(database)).toBe("1 applied, 2 applied, 3 applied");
  });

  it("may be applied by several handles at the same moment", async () => {
    const database = await postgresDatabase();
    const handles = Array.from({ length: 4 }, () => database.open());
    const numbers = await Promise.all(handles.map(({ migrations }) => migrations.up()));
    expect(numbers.toSorted((a, b) => b.length - a.length)).toEqual([[1], [], [], []]);
    for (const { migrations } of handles) await migrations.check();
  });

  it("are applied with the first call, and once for all that come together", async () => {
    const database = await postgresDatabase();
    const sent: string[] = [];
    const stores = database.open({ onStatement: (sql) => sent.push(sql) });
    const answers = Array.from({ length: 5 }, () => stores.sessions.find(["any"], database.call()));
    expect(await Promise.all(answers)).toEqual([[null], [null], [null], [null], [null]]);
    expect(sent.filter((sql) => sql.includes("CREATE TABLE users"))).toHaveLength(1);
    expect(await stores.migrations.status()).toMatchObject([
      { number: 1, name: "initial", state: "applied" },
    ]);
  });

  it("wait to be asked for where the stores may not write, which refuse until then", async () => {
    const database = await postgresDatabase();
    const { call, make } = database;
    const stores = database.open({ migrate: false });
    const pending = /pending: 1 initial\. Run `latchkey migrate up` first/;
    await expect(stores.migrations.check()).rejects.toThrow(pending);
    await expect(Promise.resolve(stores.sessions.find(["any"], call()))).rejects.toThrow(pending);
    await expect(stores.ephemeral.add("key", 60, call())).rejects.toThrow(pending);
    await expect(stores.directory.ping(call())).rejects.toThrow(SchemaError);
    expect(await tables(database)).toEqual([]);
    expect(await database.open({ migrate: false }).migrations.up()).toEqual([1]);
    const user = make.user();
    await stores.directory.commit([{ kind: "user.insert", user }], call());
    expect(await stores.directory.user(user.id, call())).toEqual(user);
  });

  it("go down to nothing and up again", async () => {
    const database = await postgresDatabase();
    const stores = database.open();
    const session = database.make.session(null);
    const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
    await stores.directory.commit([insert], database.call());
    expect(await stores.migrations.down(0)).toEqual([1]);
    expect(await tables(database)).toEqual(["latchkey_migrations"]);
    await expect(stores.migrations.check()).rejects.toThrow(/pending: 1 initial/);
    expect(await stores.migrations.up()).toEqual([1]);
    expect(await stores.sessions.find([session.id], database.call())).toEqual([null]);
  });

  it("are not laid over the application's tables of the same name", async () => {
    const database = await postgresDatabase();
    await database.raw.query("CREATE TABLE users (theirs text)");
    await expect(database.open().migrations.up()).rejects.toThrow(
      /migration 1 initial failed: relation "users" already exists\. Nothing was changed/,
    );
    expect(await tables(database)).toEqual(["users"]);
  });
});

describe.skipIf(postgresUrl === null)("the schema on PostgreSQL", () => {
  it.each([
    ["DROP INDEX users_email_key", "unique index users_email_key on users (email_key)"],
    [
      "DROP INDEX users_email_key; CREATE UNIQUE INDEX users_email_key ON users (email_key) WHERE status = 'active'",
      "unique index users_email_key on users (email_key)",
    ],
    ["ALTER TABLE sessions DROP COLUMN rotated_from", "table sessions: column rotated_from text"],
    [
      "ALTER TABLE users ALTER created_at TYPE integer USING 0",
      "table users: column created_at bigint not null",
    ],
    ["ALTER TABLE counters DROP CONSTRAINT counters_within_limit", "check counters_within_limit on counters"],
    ["DROP TABLE audit_personal", "table audit_personal: column salt text not null"],
  ])("is checked at the start for what was changed by other means: %s", async (change, lacking) => {
    const database = await postgresDatabase();
    await database.open().migrations.up();
    await database.raw.query(change);
    const stores = database.open();
    await expect(stores.migrations.check()).rejects.toThrow(`\n- ${lacking}\n`);
    await expect(stores.directory.ping(database.call())).rejects.toThrow(SchemaError);
  });

  it("is what the check expects, nothing of it forgotten", async () => {
    const database = await postgresDatabase();
    await database.open().migrations.up();
    const facts = await on(database, schemaFacts);
    const { missingFrom } = await import("../../src/stores/postgres/schema-fit.ts");
    const forgotten = await on(database, async (queries) => {
      const expected = new Set<string>();
      // Asked with nothing there, the check names all that it expects.
      await queries.script("SET search_path = pg_catalog");
      for (const fact of await missingFrom(queries)) expected.add(fact);
      return facts.filter((fact) => !expected.has(fact));
    });
    expect(forgotten.filter((fact) => !fact.startsWith("check "))).toEqual([]);
    expect(forgotten.some((fact) => fact.includes("within_limit"))).toBe(false);
  });

  it("may have the application's own tables and columns beside it", async () => {
    const database = await postgresDatabase();
    await database.open().migrations.up();
    await database.raw.query("CREATE TABLE invoices (id text); ALTER TABLE users ADD COLUMN theirs text");
    await database.open().migrations.check();
  });
});
