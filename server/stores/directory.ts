import { type Log, SchemaError, type SqliteMigrations, type Stores, sqlite } from "latchkey";
import type { DriverOptions } from "../drivers/driver-options.ts";
import { DriverMissing } from "../drivers/load-driver.ts";
import { mysqlPool } from "../drivers/mysql.ts";
import { postgresPool } from "../drivers/postgres.ts";
import type { MysqlAddress, PostgresAddress } from "../settings/database-url.ts";
import type { Settings } from "../settings/settings.ts";

/** The database of the accounts, which can hold everything else too. */
export interface Directory {
  readonly stores: Stores;
  readonly migrations: SqliteMigrations;
  /** Ends what the driver opened, once the stores are closed. */
  end(): Promise<void>;
}

/** Opens the database that DATABASE_URL names; migrations are left to the caller. @throws DriverMissing, DirectoryFailure */
export function openDirectory(settings: Settings, log: Log): Promise<Directory> {
  return reachingDirectory(settings, () => directoryOf(settings, log));
}

async function directoryOf({ database, storeTimeoutMs }: Settings, log: Log): Promise<Directory> {
  if (database.engine === "sqlite") {
    const { migrations, ...stores } = sqlite({ path: database.path, migrate: false });
    return { stores, migrations, end: async () => {} };
  }
  const asked = `DATABASE_URL=${database.engine}:…`;
  const options: DriverOptions = { asked, log, storeTimeoutMs };
  return database.engine === "postgres" ? openPostgres(database, options) : openMysql(database, options);
}

async function openPostgres(address: PostgresAddress, options: DriverOptions): Promise<Directory> {
  const pool = await postgresPool(address, options);
  const { postgres } = await import("latchkey/postgres");
  const { migrations, ...stores } = postgres({ pool, migrate: false });
  return { stores, migrations, end: () => pool.end() };
}

async function openMysql(address: MysqlAddress, options: DriverOptions): Promise<Directory> {
  const pool = await mysqlPool(address, options);
  const { mysql } = await import("latchkey/mysql");
  const { migrations, ...stores } = mysql({ pool, migrate: false });
  return { stores, migrations, end: () => pool.end() };
}

/** The database cannot be worked on; `message` is for the terminal and holds no password. */
export class DirectoryFailure extends Error {
  override readonly name = "DirectoryFailure";
}

/** Runs what a start needs of the database. @throws SchemaError, DriverMissing as they are; DirectoryFailure for the rest, saying where it is */
export async function reachingDirectory<T>({ database }: Settings, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SchemaError || error instanceof DriverMissing) throw error;
    const place = database.engine === "sqlite" ? database.path : database.place;
    throw new DirectoryFailure(`DATABASE_URL: the database at ${place} cannot be used: ${reason(error)}`, {
      cause: error,
    });
  }
}

// A name with two addresses fails with a list of errors, whose own text is empty.
function reason(error: unknown): string {
  const errors = error instanceof AggregateError ? error.errors : [error];
  const texts = errors.map((each) =>
    each instanceof Error && each.message !== "" ? each.message : String(each),
  );
  return [...new Set(texts)].join("; ");
}
