import { existsSync } from "node:fs";
import { type Log, SchemaError } from "latchkey";
import type { DriverOptions } from "../drivers/driver-options.ts";
import type { Settings } from "../settings/settings.ts";
import { openDirectory } from "../stores/directory.ts";
import type { DatabaseProbe } from "./database-probe.ts";
import { expectedIndexes, ownIndexes } from "./expected-indexes.ts";
import type { ContentFacts, DatabaseFacts, Looked } from "./facts.ts";
import { mysqlProbe } from "./probe-mysql.ts";
import { postgresProbe } from "./probe-postgres.ts";
import { sqliteProbe } from "./probe-sqlite.ts";
import { reason } from "./reason.ts";

/** Looks into the database that the settings name; nothing of it is changed. */
export async function databaseFacts(settings: Settings, log: Log): Promise<Looked<DatabaseFacts>> {
  const { database } = settings;
  if (database.engine === "sqlite" && !existsSync(database.path))
    return { state: "absent", why: `there is no database at ${database.path} yet` };
  try {
    const probe = await probeOf(settings, log);
    try {
      const { indexes, ...side } = await probe.facts();
      const schemaProblem = await problemOfSchema(settings, log);
      const expected = [...expectedIndexes, ...ownIndexes[probe.engine]];
      const missingIndexes = schemaProblem === null ? expected.filter((name) => !indexes.includes(name)) : [];
      const content = schemaProblem === null ? await contentFacts(probe, settings) : null;
      return {
        state: "known",
        value: { ...side, engine: probe.engine, schemaProblem, missingIndexes, content },
      };
    } finally {
      await probe.end();
    }
  } catch (error) {
    return { state: "unknown", why: `the database does not answer: ${reason(error)}` };
  }
}

async function probeOf({ database, storeTimeoutMs }: Settings, log: Log): Promise<DatabaseProbe> {
  const options: DriverOptions = { asked: `DATABASE_URL=${database.engine}:…`, log, storeTimeoutMs };
  if (database.engine === "sqlite") return sqliteProbe(database);
  return database.engine === "postgres" ? postgresProbe(database, options) : mysqlProbe(database, options);
}

async function problemOfSchema(settings: Settings, log: Log): Promise<string | null> {
  const { stores, migrations, end } = await openDirectory(settings, log);
  try {
    await migrations.check();
    return null;
  } catch (error) {
    if (error instanceof SchemaError) return error.message;
    throw error;
  } finally {
    await stores.directory.close();
    await end();
  }
}

async function contentFacts(probe: DatabaseProbe, { sessions }: Settings): Promise<ContentFacts> {
  const now = Date.now();
  const earliest = async (sql: string): Promise<Date | null> => {
    const [row] = await probe.all(sql);
    const value = row?.at ?? null;
    return value === null ? null : new Date(Number(value));
  };
  // The expression of the index that the sweep goes by.
  const end = {
    sqlite: "min(idle_expires_at, expires_at)",
    postgres: "LEAST(idle_expires_at, expires_at)",
    mysql: "ends_at",
  };
  const isSuperuser = probe.engine === "postgres" ? "is_superuser" : "is_superuser = 1";
  const [superuser] = await probe.all(
    `SELECT id FROM users WHERE ${isSuperuser} AND status = 'active' LIMIT 1`,
  );
  return {
    hasSuperuser: superuser !== undefined,
    oldestEndedSession:
      sessions.backend === "database"
        ? await earliest(
            `SELECT ${end[probe.engine]} AS at FROM sessions WHERE ${end[probe.engine]} < ${now} ORDER BY 1 LIMIT 1`,
          )
        : null,
    oldestStuckMail: await earliest(
      `SELECT created_at AS at FROM outbox WHERE attempts > 0 AND next_attempt_at < ${now} ORDER BY next_attempt_at, id LIMIT 1`,
    ),
    oldestUnsealedRow: await earliest(
      "SELECT created_at AS at FROM audit_events WHERE seq IS NULL ORDER BY position LIMIT 1",
    ),
    followers: (await probe.all("SELECT name FROM audit_cursors ORDER BY name")).map(({ name }) =>
      String(name),
    ),
  };
}
