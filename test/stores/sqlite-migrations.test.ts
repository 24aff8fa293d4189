import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { Migration } from "../../src/stores/sql/migration.ts";
import { SchemaError } from "../../src/stores/sql/schema-error.ts";
import { assertSchema, migrateDown, migrateUp, migrationStatus } from "../../src/stores/sqlite/migrations.ts";
import { schemaFacts } from "../../src/stores/sqlite/schema-fit.ts";
import { foundBy, sqliteFile } from "./sqlite-file.ts";

const three: readonly Migration[] = [
  { number: 1, name: "one", up: "CREATE TABLE one (a TEXT) STRICT", down: "DROP TABLE one" },
  { number: 2, name: "two", up: "CREATE INDEX one_a ON one (a)", down: "DROP INDEX one_a" },
  {
    number: 3,
    name: "three",
    up: "ALTER TABLE one ADD COLUMN b TEXT",
    down: "ALTER TABLE one DROP COLUMN b",
  },
];

const inMemory = (): DatabaseSync => new DatabaseSync(":memory:");
const states = (db: DatabaseSync, known = three): string =>
  migrationStatus(db, known)
    .map(({ number, state }) => `${number} ${state}`)
    .join(", ");

function tables(db: DatabaseSync): readonly unknown[] {
  const rows = db
    .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    .all();
  return rows.map(({ name }) => name);
}

describe("migrations", () => {
  it("go up and down one by one, as far as they are asked to", () => {
    const db = inMemory();
    expect(migrateUp(db, 2, three)).toEqual([1, 2]);
    expect(states(db)).toBe("1 applied, 2 applied, 3 pending");
    expect(migrateUp(db, undefined, three)).toEqual([3]);
    expect(migrateUp(db, undefined, three)).toEqual([]);
    expect(migrateDown(db, undefined, three)).toEqual([3]);
    expect(states(db)).toBe("1 applied, 2 applied, 3 pending");
    expect(migrateDown(db, 0, three)).toEqual([2, 1]);
    expect(tables(db)).toEqual(["latchkey_migrations"]);
    expect(migrateDown(db, undefined, three)).toEqual([]);
  });

  it("say when they were applied", () => {
    const db = inMemory();
    const before = Date.now();
    migrateUp(db, 1, three);
    const [applied, pending] = migrationStatus(db, three);
    expect(applied?.appliedAt?.getTime()).toBeGreaterThanOrEqual(before - 1);
    expect(applied?.appliedAt?.getTime()).toBeLessThanOrEqual(Date.now() + 1);
    expect(pending?.appliedAt).toBeNull();
  });

  it("are undone together where one fails", () => {
    const db = inMemory();
    const broken = [...three, { number: 4, name: "four", up: "CREATE TABLE four (a); NONSENSE", down: "" }];
    expect(() => migrateUp(db, undefined, broken)).toThrow(/^migration 4 four failed: .*NONSENSE/);
    expect(tables(db)).toEqual([]);
  });

  it("are taken back together where one cannot be", () => {
    const db = inMemory();
    const stuck = three.map((migration) =>
      migration.number === 2 ? { ...migration, down: "NONSENSE" } : migration,
    );
    migrateUp(db, undefined, stuck);
    expect(() => migrateDown(db, 0, stuck)).toThrow(/NONSENSE/);
    expect(states(db, stuck)).toBe("1 applied, 2 applied, 3 applied");
    expect(db.prepare("SELECT b FROM one").all()).toEqual([]);
  });

  it.each(["up", "down"] as const)("refuse to go on where an applied one was edited: its %s", (part) => {
    const db = inMemory();
    migrateUp(db, 2, three);
    const edited = three.map((migration) =>
      migration.number === 2 ? { ...migration, [part]: `${migration[part]} -- edited` } : migration,
    );
    expect(states(db, edited)).toBe("1 applied, 2 edited, 3 pending");
    const message = /edited after they had been applied: 2 two\./;
    expect(() => migrateUp(db, undefined, edited)).toThrow(message);
    expect(() => migrateDown(db, 0, edited)).toThrow(message);
    expect(() => assertSchema(db, inMemory(), edited)).toThrow(message);
    expect(states(db)).toBe("1 applied, 2 applied, 3 pending");
  });

  it("refuse to go on where a newer program was here, and say what takes its changes back", () => {
    const db = inMemory();
    migrateUp(db, undefined, three);
    const older = three.slice(0, 1);
    expect(states(db, older)).toBe("1 applied, 2 unknown, 3 unknown");
    const message = /does not know: 2 two, 3 three\..*`latchkey migrate down 1`/;
    expect(() => migrateUp(db, undefined, older)).toThrow(message);
    expect(() => migrateDown(db, 0, older)).toThrow(message);
    expect(() => assertSchema(db, inMemory(), older)).toThrow(message);
  });
});

describe("the schema", () => {
  it("is checked for what is pending", () => {
    const db = inMemory();
    migrateUp(db, 2, three);
    expect(() => assertSchema(db, inMemory(), three)).toThrow(/pending: 3 three\. Run `latchkey migrate up`/);
    migrateUp(db, 3, three);
    assertSchema(db, inMemory(), three);
  });

  it.each([
    [
      "DROP INDEX users_email_key",
      "unique index users_email_key: CREATE UNIQUE INDEX users_email_key ON users (email_key)",
    ],
    [
      "DROP INDEX users_email_key; CREATE INDEX users_email_key ON users (email_key)",
      "unique index users_email_key: CREATE UNIQUE INDEX users_email_key ON users (email_key)",
    ],
    [
      "DROP INDEX users_deleted_at; CREATE INDEX users_deleted_at ON users (deleted_at)",
      "index users_deleted_at: CREATE INDEX users_deleted_at ON users (deleted_at) WHERE status = 'deleted'",
    ],
    ["ALTER TABLE sessions DROP COLUMN rotated_from", "table sessions: column rotated_from TEXT"],
    ["ALTER TABLE counters RENAME COLUMN taken TO used", "table counters: column taken INTEGER not null"],
    [
      "DROP TABLE ephemeral; CREATE TABLE ephemeral (key TEXT, value TEXT NOT NULL, expires_at INTEGER NOT NULL)",
      "table ephemeral: column key TEXT not null key",
    ],
    ["DROP TABLE audit_personal", "table audit_personal: column salt TEXT not null"],
  ])("is checked at the start for what was changed by other means: %s", async (change, lacking) => {
    const { open, raw } = sqliteFile();
    await open().directory.close();
    const db = raw();
    db.exec(change);
    db.close();
    expect(() => open()).toThrow(SchemaError);
    expect(() => open()).toThrow(`\n- ${lacking}\n`);
  });

  it("may have the application's own tables and columns beside it", async () => {
    const { open, raw } = sqliteFile();
    await open().directory.close();
    raw().exec("CREATE TABLE invoices (id); ALTER TABLE users ADD COLUMN theirs TEXT");
    const stores = open();
    await stores.migrations.check();
  });

  it("is not laid over the application's tables of the same name", () => {
    const { path, open, raw } = sqliteFile();
    mkdirSync(dirname(path));
    const db = raw();
    db.exec("CREATE TABLE users (theirs TEXT)");
    expect(() => open()).toThrow(
      /migration 1 initial failed: table users already exists\. Nothing was changed/,
    );
    expect(tables(db)).toEqual(["users"]);
  });
});

describe("the stores' own migrations", () => {
  it("are applied at opening, and once", async () => {
    const { open } = sqliteFile();
    const [first] = await open().migrations.status();
    const [second] = await open().migrations.status();
    expect(first).toMatchObject({ number: 1, name: "initial", state: "applied" });
    expect(second).toEqual(first);
  });

  it("need no lock where nothing is pending: a busy file can be opened", () => {
    const { open, raw } = sqliteFile();
    open();
    raw().exec("BEGIN IMMEDIATE");
    open();
  });

  it("wait to be asked for where opening may not write", async () => {
    const { open, raw, call, make } = sqliteFile();
    const stores = open({ migrate: false });
    expect(await stores.migrations.status()).toMatchObject([
      { number: 1, state: "pending" },
      { number: 2, state: "pending" },
      { number: 3, state: "pending" },
      { number: 4, state: "pending" },
    ]);
    expect(tables(raw())).toEqual([]);
    const pending = /pending: 1 initial/;
    await expect(stores.migrations.check()).rejects.toThrow(pending);
    expect(() => stores.sessions.find(["any"], call())).toThrow(pending);
    await expect(stores.ephemeral.add("key", 60, call())).rejects.toThrow(pending);
    await expect(stores.directory.ping(call())).rejects.toThrow(pending);
    expect(await stores.migrations.up()).toEqual([1, 2, 3, 4]);
    await stores.migrations.check();
    const user = make.user();
    await stores.directory.commit([{ kind: "user.insert", user }], call());
    expect(await stores.directory.user(user.id, call())).toEqual(user);
  });

  it("are taken back one by one without a trace, and what was there before stays", async () => {
    const { open, raw, call, make } = sqliteFile();
    const stores = open();
    const [user, session] = [make.user(), make.session(null)];
    const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
    await stores.directory.commit([{ kind: "user.insert", user }, insert], call());
    for (const number of [4, 3]) {
      expect(await stores.migrations.down()).toEqual([number]);
      const scratch = inMemory();
      migrateUp(scratch, number - 1);
      expect(schemaFacts(raw())).toEqual(schemaFacts(scratch));
    }
    expect(await stores.migrations.up()).toEqual([3, 4]);
    expect(await stores.directory.user(user.id, call())).toEqual(user);
    expect(await foundBy(stores, session.id, call())).toMatchObject({ session });
  });

  it("go down to nothing and up again, and no cache remembers what was there", async () => {
    const { open, raw, call, make } = sqliteFile();
    const stores = open();
    const session = make.session(null);
    const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
    await stores.directory.commit([insert], call());
    expect(await foundBy(stores, session.id, call())).not.toBeNull();
    expect(await stores.migrations.down(0)).toEqual([4, 3, 2, 1]);
    expect(tables(raw())).toEqual(["latchkey_migrations"]);
    await expect(stores.migrations.check()).rejects.toThrow(/pending: 1 initial/);
    expect(await stores.migrations.up()).toEqual([1, 2, 3, 4]);
    await stores.migrations.check();
    expect(await foundBy(stores, session.id, call())).toBeNull();
    await stores.directory.commit([insert], call());
    expect(await foundBy(stores, session.id, call())).not.toBeNull();
  });
});
