import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { onLink as onMysql } from "../../src/stores/mysql/link.ts";
import { migrations as mysqlMigrations } from "../../src/stores/mysql/migrations/all.ts";
import { schemaSteps as onMysqlSchema } from "../../src/stores/mysql/migrations.ts";
import { onLink as onPostgres } from "../../src/stores/postgres/link.ts";
import { migrations as postgresMigrations } from "../../src/stores/postgres/migrations/all.ts";
import { schemaSteps as onPostgresSchema } from "../../src/stores/postgres/migrations.ts";
import type { Migration } from "../../src/stores/sql/migration.ts";
import { migrateUp } from "../../src/stores/sql/migrations.ts";
import { migrations as sqliteMigrations } from "../../src/stores/sqlite/migrations/all.ts";
import { migrateUp as migrateSqlite } from "../../src/stores/sqlite/migrations.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";
import { gate } from "../support/gate.ts";
import { mysqlDatabase, mysqlUrl } from "./mysql-database.ts";
import { postgresDatabase, postgresUrl } from "./postgres-database.ts";

/** What the next version would begin with: room for what it is going to write, and nothing that this one would miss. */
const expansion = {
  name: "expand",
  up: `ALTER TABLE users ADD COLUMN nickname VARCHAR(64) DEFAULT 'none';
ALTER TABLE sessions ADD COLUMN device VARCHAR(64);
CREATE TABLE devices (id VARCHAR(64) NOT NULL PRIMARY KEY, name VARCHAR(64));
CREATE INDEX users_updated_at ON users (updated_at);
`,
  down: "",
};

const after = (migrations: readonly Migration[], text = "VARCHAR(64)"): readonly Migration[] => [
  ...migrations,
  {
    ...expansion,
    number: (migrations.at(-1)?.number ?? 0) + 1,
    up: expansion.up.replaceAll("VARCHAR(64)", text),
  },
];

interface Ground {
  /** As the running version opened them. */
  readonly stores: Stores;
  /** What the next version's `migrate up` does, in a process of its own. Answers the numbers that were applied. */
  migrate(): Promise<readonly number[]>;
}

const grounds: readonly (readonly [name: string, isSkipped: boolean, open: () => Promise<Ground>])[] = [
  [
    "SQLite",
    false,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "latchkey-migrate-"));
      const path = join(folder, "latchkey.db");
      const stores = sqlite({ path });
      onTestFinished(async () => {
        await stores.directory.close();
        rmSync(folder, { recursive: true });
      });
      const migrate = async (): Promise<readonly number[]> => {
        const db = new DatabaseSync(path, { timeout: 5_000 });
        try {
          return migrateSqlite(db, undefined, after(sqliteMigrations, "TEXT"));
        } finally {
          db.close();
        }
      };
      return { stores, migrate };
    },
  ],
  [
    "PostgreSQL",
    postgresUrl === null,
    async () => {
      const database = await postgresDatabase();
      const pool = database.pool({ max: 1 });
      const migrate = () =>
        onPostgres({ pool, prepare: false }, new AbortController(), (link) =>
          migrateUp(onPostgresSchema(link), after(postgresMigrations)),
        );
      return { stores: database.open({ prepare: true }), migrate };
    },
  ],
  [
    "MariaDB",
    mysqlUrl === null,
    async () => {
      const database = await mysqlDatabase();
      const pool = database.pool({ connectionLimit: 1 });
      const migrate = () =>
        onMysql({ pool }, new AbortController(), (link) =>
          migrateUp(onMysqlSchema(link), after(mysqlMigrations)),
        );
      return { stores: database.open(), migrate };
    },
  ],
];

describe.each(grounds)("on %s", (_, isSkipped, open) => {
  it.skipIf(isSkipped)("the running version serves on while the next one's schema is applied", async () => {
    const { stores, migrate } = await open();
    const clock = testClock();
    const make = fixtures(clock);
    const call = (): StoreCall => ({ now: clock.now(), signal: AbortSignal.timeout(10_000) });
    const counts = { before: 0, meanwhile: 0, after: 0 };
    let stage: keyof typeof counts = "before";
    const underWay = gate();

    // A sign-in, a check, a change and a sign-out, over and over.
    const serve = async (): Promise<void> => {
      while (stage !== "after" || counts.after < 20) {
        // An embedded store never waits, and the test has to.
        await setImmediate();
        const user = make.user();
        const session = make.session(user);
        const commit = async (...writes: readonly Write[]): Promise<void> =>
          expect((await stores.directory.commit(writes, call())).ok).toBe(true);
        await commit({ kind: "user.insert", user });
        await commit(
          { kind: "user.require", userId: user.id, generation: user.generation },
          { kind: "session.insert", session, cap: 5, evicted: () => [] },
        );
        const [found] = await stores.sessions.find([session.id], call());
        expect(found).toMatchObject({ expired: false, user: { id: user.id } });
        await commit({ kind: "user.update", userId: user.id, version: 1, changes: { name: "x" } });
        await commit({ kind: "session.delete", sessionId: session.id, ended: () => [] });
        expect(await stores.sessions.find([session.id], call())).toEqual([null]);
        counts[stage]++;
        if (counts.before >= 10) void underWay.pass();
      }
    };
    const serving = Promise.all([serve(), serve()]);
    await Promise.race([serving, underWay.reached]);
    stage = "meanwhile";
    expect(await migrate()).toHaveLength(1);
    stage = "after";
    await serving;
    expect(counts.before).toBeGreaterThanOrEqual(10);
    expect(counts.after).toBeGreaterThanOrEqual(20);
  });
});
