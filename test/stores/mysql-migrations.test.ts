import { describe, expect, it } from "vitest";
import type { Migration } from "../../src/stores/migration.ts";
import { type Link, onLink } from "../../src/stores/mysql/link.ts";
import { migrateDown, migrateUp, migrationStatus } from "../../src/stores/mysql/migrations.ts";
import { missingFrom, schemaFacts } from "../../src/stores/mysql/schema-fit.ts";
import { SchemaError } from "../../src/stores/schema-error.ts";
import { type MysqlDatabase, mysqlDatabase, mysqlUrl } from "./mysql-database.ts";

const three: readonly Migration[] = [
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

function on<T>({ pool }: MysqlDatabase, work: (link: Link) => Promise<T>): Promise<T> {
  return onLink({ pool: pool({ connectionLimit: 1 }) }, new AbortController(), work);
}

async function states(database: MysqlDatabase, known = three): Promise<string> {
  const all = await on(database, (link) => migrationStatus(link, known));
  return all.map(({ number, state }) => `${number} ${state}`).join(", ");
}

async function tables({ raw }: MysqlDatabase): Promise<readonly unknown[]> {
  const [rows] = await raw.query({ sql: "SHOW TABLES", rowsAsArray: true });
  return (rows as unknown[][]).flat().toSorted();
}

/** The second statement of the first migration fails. */
const stuck = three.map((migration) =>
  migration.number === 1
    ? { ...migration, up: migration.up.replace("TABLE IF NOT EXISTS more", "NONSENSE") }
    : migration,
);

describe.skipIf(mysqlUrl === null)("migrations on MySQL", () => {
  it("go up and down one by one, as far as they are asked to", async () => {
    const database = await mysqlDatabase();
    const up = (to?: number) => on(database, (link) => migrateUp(link, three, to));
    const down = (to?: number) => on(database, (link) => migrateDown(link, three, to));
    expect(await up(2)).toEqual([1, 2]);
    expect(await states(database)).toBe("1 applied, 2 applied, 3 pending");
    expect(await up()).toEqual([3]);
    expect(await up()).toEqual([]);
    expect(await down()).toEqual([3]);
    expect(await down(0)).toEqual([2, 1]);
    expect(await tables(database)).toEqual(["latchkey_migrations"]);
    expect(await down()).toEqual([]);
    expect(await up()).toEqual([1, 2, 3]);
  });

  it("that fail half-way are pending, say so, and are gone on with", async () => {
    const database = await mysqlDatabase();
    const work = on(database, (link) => migrateUp(link, stuck));
    await expect(work).rejects.toThrow(
      /^migration 1 one failed: .*NONSENSE.*the next `latchkey migrate up` goes on/,
    );
    await expect(work).rejects.toThrow(SchemaError);
    expect(await tables(database)).toEqual(["latchkey_migrations", "one"]);
    expect(await states(database, stuck)).toBe("1 pending, 2 pending, 3 pending");
    expect(await on(database, (link) => migrateUp(link, three))).toEqual([1, 2, 3]);
    expect(await tables(database)).toEqual(["latchkey_migrations", "more", "one", "three", "two"]);
  });

  it("that are interrupted on their way back are pending, and made whole again", async () => {
    const database = await mysqlDatabase();
    const broken = three.map((each) =>
      each.number === 1 ? { ...each, down: `${each.down}NONSENSE` } : each,
    );
    await on(database, (link) => migrateUp(link, broken));
    await expect(on(database, (link) => migrateDown(link, broken, 0))).rejects.toThrow(/NONSENSE/);
    expect(await states(database, broken)).toBe("1 pending, 2 pending, 3 pending");
    expect(await on(database, (link) => migrateUp(link, broken))).toEqual([1, 2, 3]);
    expect(await tables(database)).toEqual(["latchkey_migrations", "more", "one", "three", "two"]);
  });

  it("refuse to go on where an applied one was edited, or where a newer program was here", async () => {
    const database = await mysqlDatabase();
    await on(database, (link) => migrateUp(link, three));
    const edited = three.map((each) => (each.number === 2 ? { ...each, up: `${each.up} -- edited` } : each));
    for (const [known, message] of [
      [edited, /edited after they had been applied: 2 two\./],
      [three.slice(0, 1), /does not know: 2 two, 3 three\..*`latchkey migrate down 1`/],
    ] as const) {
      await expect(on(database, (link) => migrateUp(link, known))).rejects.toThrow(message);
      await expect(on(database, (link) => migrateDown(link, known, 0))).rejects.toThrow(message);
    }
    expect(await states(database)).toBe("1 applied, 2 applied, 3 applied");
  });

  it("may be applied by several handles at the same moment", async () => {
    const database = await mysqlDatabase();
    const handles = Array.from({ length: 4 }, () => database.open());
    const numbers = await Promise.all(handles.map(({ migrations }) => migrations.up()));
    expect(numbers.toSorted((a, b) => b.length - a.length)).toEqual([[1], [], [], []]);
    for (const { migrations } of handles) await migrations.check();
  });

  it("wait to be asked for where the stores may not write, which refuse until then", async () => {
    const database = await mysqlDatabase();
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
    const database = await mysqlDatabase();
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
    const database = await mysqlDatabase();
    await database.raw.query("CREATE TABLE sessions (theirs TEXT)");
    await expect(database.open().migrations.up()).rejects.toThrow(
      /migration 1 initial failed: table sessions already exists\. Nothing was changed/,
    );
    expect(await tables(database)).toEqual(["latchkey_migrations", "sessions"]);
  });
});

describe.skipIf(mysqlUrl === null)("the schema on MySQL", () => {
  it.each([
    ["DROP INDEX users_email_key ON users", "unique index users_email_key on users (email_key)"],
    [
      "DROP INDEX users_email_key ON users; CREATE UNIQUE INDEX users_email_key ON users (email_key(10))",
      "unique index users_email_key on users (email_key)",
    ],
    ["ALTER TABLE sessions DROP COLUMN rotated_from", "table sessions: column rotated_from varbinary(64)"],
    ["ALTER TABLE users MODIFY name TEXT CHARACTER SET latin1", "table users: column name text utf8mb4_bin"],
    ["ALTER TABLE counters DROP CONSTRAINT counters_within_limit", "check counters_within_limit"],
    ["DROP TABLE audit_personal", "table audit_personal: column salt text utf8mb4_bin not null"],
  ])("is checked at the start for what was changed by other means: %s", async (change, lacking) => {
    const database = await mysqlDatabase();
    await database.open().migrations.up();
    await database.raw.query(change);
    const stores = database.open();
    await expect(stores.migrations.check()).rejects.toThrow(`\n- ${lacking}\n`);
    await expect(stores.directory.ping(database.call())).rejects.toThrow(SchemaError);
  });

  it("is what the check expects, nothing of it forgotten", async () => {
    const empty = await mysqlDatabase();
    // Asked with nothing there, the check names all that it expects.
    const expected = new Set(await on(empty, (link) => missingFrom(link)));
    const database = await mysqlDatabase();
    await database.open().migrations.up();
    const facts = await on(database, schemaFacts);
    const forgotten = facts.filter((fact) => !expected.has(fact));
    expect(forgotten.filter((fact) => !fact.startsWith("check "))).toEqual([]);
    expect(forgotten.some((fact) => fact.includes("within_limit"))).toBe(false);
  });

  it("may have the application's own tables and columns beside it", async () => {
    const database = await mysqlDatabase();
    await database.open().migrations.up();
    await database.raw.query("CREATE TABLE invoices (id TEXT); ALTER TABLE users ADD COLUMN theirs TEXT");
    await database.open().migrations.check();
  });
});

describe.skipIf(mysqlUrl === null)("connections to MySQL whose settings the stores cannot work with", () => {
  it.each([
    ["sql_mode", "''"],
    ["sql_mode", "CONCAT(@@sql_mode, ',SIMULTANEOUS_ASSIGNMENT')"],
    ["check_constraint_checks", "0"],
    ["unique_checks", "0"],
    ["autocommit", "0"],
    ["character_set_results", "latin1"],
  ])("are refused: %s = %s", async (name, value) => {
    const database = await mysqlDatabase();
    await database.open().migrations.up();
    const pool = database.pool();
    pool.on("connection", (connection) => connection.query(`SET SESSION ${name} = ${value}`));
    const stores = database.open({ migrate: false, pool });
    await expect(stores.directory.ping(database.call())).rejects.toThrow(`have ${name} = `);
    await expect(stores.migrations.check()).rejects.toThrow(TypeError);
    await expect(stores.migrations.down()).rejects.toThrow(TypeError);
  });

  it("are refused: a character set without all characters", async () => {
    const database = await mysqlDatabase();
    const stores = database.open({}, { charset: "latin1" });
    await expect(stores.directory.ping(database.call())).rejects.toThrow("character_set_client = 'latin1'");
  });
});
