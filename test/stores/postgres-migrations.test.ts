import { describe, expect, it, onTestFinished } from "vitest";
import { migrations } from "../../src/stores/postgres/migrations/all.ts";
import { migrateDown, migrateUp } from "../../src/stores/sql/migrations.ts";
import { SchemaError } from "../../src/stores/sql/schema-error.ts";
import { until } from "../support/until.ts";
import { postgresDatabase, postgresUrl } from "./postgres-database.ts";
import { serverMigrations, states, three } from "./server-migrations.ts";

serverMigrations(
  {
    name: "PostgreSQL",
    isSkipped: postgresUrl === null,
    known: migrations,
    changes: [
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
      [
        "ALTER TABLE counters DROP CONSTRAINT counters_within_limit",
        "check counters_within_limit on counters",
      ],
      ["DROP TABLE audit_personal", "table audit_personal: column salt text not null"],
    ],
  },
  async () => {
    const database = await postgresDatabase();
    const { raw, name } = database;
    return {
      ...database,
      async reader() {
        const client = await raw.connect();
        onTestFinished(() => client.release(true));
        await client.query("BEGIN; SELECT 1 FROM users");
        const { rows } = await client.query("SELECT pg_backend_pid() AS pid");
        return { called: `backend ${rows[0].pid}`, end: () => client.query("COMMIT") };
      },
      waiting: () =>
        until(async () => {
          const { rows } = await raw.query(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'relation' AND relation = to_regclass($1)",
            [`${name}.users`],
          );
          return rows.length > 0;
        }),
    };
  },
);

describe.skipIf(postgresUrl === null)("migrations on PostgreSQL", () => {
  it("are undone together where one fails, and the reason is said", async () => {
    const database = await postgresDatabase();
    const broken = [
      ...three,
      { number: 4, name: "four", up: "CREATE TABLE four (a text); NONSENSE", down: "" },
    ];
    const work = database.onSchema((steps) => migrateUp(steps, broken));
    await expect(work).rejects.toThrow(/^migration 4 four failed: .*NONSENSE.*Nothing was changed/);
    await expect(work).rejects.toThrow(SchemaError);
    expect(await database.tables()).toEqual([]);
  });

  it("are taken back together where one cannot be", async () => {
    const database = await postgresDatabase();
    const stuck = three.map((migration) =>
      migration.number === 2 ? { ...migration, down: "NONSENSE" } : migration,
    );
    await database.onSchema((steps) => migrateUp(steps, stuck));
    await expect(database.onSchema((steps) => migrateDown(steps, stuck, 0))).rejects.toThrow(/NONSENSE/);
    expect(await states(database, stuck)).toBe("1 applied, 2 applied, 3 applied");
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
      { number: 3, name: "proofs", state: "applied" },
      { number: 4, name: "people", state: "applied" },
    ]);
  });

  it("are not laid over the application's tables of the same name", async () => {
    const database = await postgresDatabase();
    await database.run("CREATE TABLE users (theirs text)");
    await expect(database.open().migrations.up()).rejects.toThrow(
      /migration 1 initial failed: relation "users" already exists\. Nothing was changed/,
    );
    expect(await database.tables()).toEqual(["users"]);
  });
});
