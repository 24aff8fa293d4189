import { describe, expect, it, onTestFinished } from "vitest";
import { migrations } from "../../src/stores/mysql/migrations/all.ts";
import { migrateDown, migrateUp } from "../../src/stores/sql/migrations.ts";
import { SchemaError } from "../../src/stores/sql/schema-error.ts";
import { until } from "../support/until.ts";
import { mysqlDatabase, mysqlUrl } from "./mysql-database.ts";
import { serverMigrations, states, three } from "./server-migrations.ts";

serverMigrations(
  {
    name: "MySQL",
    isSkipped: mysqlUrl === null,
    known: migrations,
    changes: [
      ["DROP INDEX users_email_key ON users", "unique index users_email_key on users (email_key)"],
      [
        "DROP INDEX users_email_key ON users; CREATE UNIQUE INDEX users_email_key ON users (email_key(10))",
        "unique index users_email_key on users (email_key)",
      ],
      ["ALTER TABLE sessions DROP COLUMN rotated_from", "table sessions: column rotated_from varbinary(64)"],
      [
        "ALTER TABLE users MODIFY name TEXT CHARACTER SET latin1",
        "table users: column name text utf8mb4_bin",
      ],
      ["ALTER TABLE counters DROP CONSTRAINT counters_within_limit", "check counters_within_limit"],
      ["DROP TABLE audit_personal", "table audit_personal: column salt text utf8mb4_bin not null"],
    ],
  },
  async () => {
    const database = await mysqlDatabase();
    const { raw, name } = database;
    return {
      ...database,
      async reader() {
        const connection = await raw.getConnection();
        onTestFinished(() => connection.destroy());
        await connection.query("START TRANSACTION; SELECT 1 FROM users");
        return { called: `connection ${connection.threadId}`, end: () => connection.query("COMMIT") };
      },
      waiting: () =>
        until(async () => {
          const [rows] = await raw.query({
            sql: "SELECT 1 FROM information_schema.processlist WHERE db = ? AND state LIKE '%metadata lock%'",
            values: [name],
            rowsAsArray: true,
          });
          return (rows as unknown[]).length > 0;
        }),
    };
  },
);

/** The second statement of the first migration fails. */
const stuck = three.map((migration) =>
  migration.number === 1
    ? { ...migration, up: migration.up.replace("TABLE IF NOT EXISTS more", "NONSENSE") }
    : migration,
);

describe.skipIf(mysqlUrl === null)("migrations on MySQL", () => {
  it("that fail half-way are pending, say so, and are gone on with", async () => {
    const database = await mysqlDatabase();
    const work = database.onSchema((steps) => migrateUp(steps, stuck));
    await expect(work).rejects.toThrow(
      /^migration 1 one failed: .*NONSENSE.*the next `latchkey migrate up` goes on/,
    );
    await expect(work).rejects.toThrow(SchemaError);
    expect(await database.tables()).toEqual(["latchkey_migrations", "one"]);
    expect(await states(database, stuck)).toBe("1 pending, 2 pending, 3 pending");
    expect(await database.onSchema((steps) => migrateUp(steps, three))).toEqual([1, 2, 3]);
    expect(await database.tables()).toEqual(["latchkey_migrations", "more", "one", "three", "two"]);
  });

  it("that are interrupted on their way back are pending, and made whole again", async () => {
    const database = await mysqlDatabase();
    const broken = three.map((each) =>
      each.number === 1 ? { ...each, down: `${each.down}NONSENSE` } : each,
    );
    await database.onSchema((steps) => migrateUp(steps, broken));
    await expect(database.onSchema((steps) => migrateDown(steps, broken, 0))).rejects.toThrow(/NONSENSE/);
    expect(await states(database, broken)).toBe("1 pending, 2 pending, 3 pending");
    expect(await database.onSchema((steps) => migrateUp(steps, broken))).toEqual([1, 2, 3]);
    expect(await database.tables()).toEqual(["latchkey_migrations", "more", "one", "three", "two"]);
  });

  it("that are interrupted on their way back are gone on with, and none is taken back that nobody named", async () => {
    const database = await mysqlDatabase();
    const broken = three.map((each) =>
      each.number === 3 ? { ...each, down: `${each.down};\nNONSENSE` } : each,
    );
    const down = (known = three, to?: number) => database.onSchema((steps) => migrateDown(steps, known, to));
    for (const to of [undefined, 2]) {
      await database.onSchema((steps) => migrateUp(steps, broken));
      await expect(down(broken)).rejects.toThrow(/NONSENSE/);
      expect(await down(three, to)).toEqual([3]);
      expect(await states(database)).toBe("1 applied, 2 applied, 3 pending");
    }
    expect(await database.tables()).toEqual(["latchkey_migrations", "more", "one", "two"]);
    expect(await down()).toEqual([2]);
  });

  it("that broke off on their way up can be taken back", async () => {
    const database = await mysqlDatabase();
    await expect(database.onSchema((steps) => migrateUp(steps, stuck))).rejects.toThrow(/NONSENSE/);
    expect(await database.onSchema((steps) => migrateDown(steps, three))).toEqual([1]);
    expect(await database.tables()).toEqual(["latchkey_migrations"]);
  });

  it("that a newer program began are for that one to end", async () => {
    const database = await mysqlDatabase();
    await database.onSchema((steps) => migrateUp(steps, three));
    await database.run("INSERT INTO latchkey_migrations VALUES (4, 'four', '', NULL)");
    expect(await states(database)).toBe("1 applied, 2 applied, 3 applied, 4 unknown");
    const down = database.onSchema((steps) => migrateDown(steps, three));
    await expect(down).rejects.toThrow(/does not know: 4 four/);
  });

  it("go on after any statement at which they were interrupted, on their way back too", async () => {
    const database = await mysqlDatabase();
    const stores = database.open();
    await stores.migrations.up(3);
    const newest = migrations.at(-1);
    for (const script of [newest?.up, newest?.down, newest?.up]) {
      const statements = script?.split(";\n").filter((text) => text.trim() !== "") ?? [];
      expect(statements.length).toBeGreaterThan(1);
      for (let after = 1; after <= statements.length; after++)
        await database.run(statements.slice(0, after).join(";\n"));
    }
    await database.run("INSERT INTO latchkey_migrations VALUES (4, 'people', '', NULL)");
    expect(await stores.migrations.up()).toEqual([4]);
    await stores.migrations.check();
  });

  it("are not laid over the application's tables of the same name", async () => {
    const database = await mysqlDatabase();
    await database.run("CREATE TABLE sessions (theirs TEXT)");
    await expect(database.open().migrations.up()).rejects.toThrow(
      /migration 1 initial failed: table sessions already exists\. Nothing was changed/,
    );
    expect(await database.tables()).toEqual(["latchkey_migrations", "sessions"]);
  });
});

describe.skipIf(mysqlUrl === null)("the schema on MySQL", () => {
  it("is checked by who has rights on tables alone, the check of counters included", async () => {
    const database = await mysqlDatabase();
    const { name } = database;
    const account = `'${name}'@'127.0.0.1'`;
    await database.open().migrations.up();
    await database.run(`CREATE USER ${account} IDENTIFIED BY 'pw'`);
    onTestFinished(async () => void (await database.run(`DROP USER ${account}`)));
    for (const table of await database.tables())
      await database.run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name}.${table} TO ${account}`);
    const { hostname, port } = new URL(database.url);
    const config = { host: hostname, port: Number(port), user: name, password: "pw", database: name };
    const stores = database.open({ migrate: false }, { ...config, uri: undefined as never });
    await stores.migrations.check();
    expect(await stores.directory.isEmpty(database.call())).toBe(true);
    await database.run("ALTER TABLE counters DROP CONSTRAINT counters_within_limit");
    await expect(stores.migrations.check()).rejects.toThrow("\n- check counters_within_limit\n");
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
