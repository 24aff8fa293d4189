import { type Log, type SqliteMigrations, type Stores, split } from "latchkey";
import type { Settings } from "../settings/settings.ts";
import { type Directory, openDirectory, reachingDirectory } from "./directory.ts";
import { readyBackend } from "./ready-backend.ts";
import { openSessions, type SessionBackend } from "./sessions.ts";

/** The stores that the settings name, open. */
export interface OpenStores {
  readonly stores: Stores;
  /** Closes the stores, then ends what drivers opened. Idempotent. */
  close(): Promise<void>;
}

/** Options of {@link openStores}. */
export interface OpenOptions {
  readonly log: Log;
  /** What is done about the schema first. */
  readonly prepare: (migrations: SqliteMigrations) => Promise<unknown>;
  /** Default {@link openSessions}. */
  readonly openSessions?: typeof openSessions;
}

/**
 * Opens the database and, where sessions are elsewhere, their backend. The database has to answer; a backend may be down, and
 * calls to it fail until it is back.
 *
 * @throws DriverMissing, SchemaError, DirectoryFailure, UnfitBackend; nothing is left open
 */
export async function openStores(settings: Settings, options: OpenOptions): Promise<OpenStores> {
  const directory = await openDirectory(settings, options.log);
  const parts: { end(): Promise<void> }[] = [directory];
  let { stores } = directory;
  try {
    await reachingDirectory(settings, () => options.prepare(directory.migrations));
    const backend = await (options.openSessions ?? openSessions)(settings, options.log);
    if (backend !== null) {
      parts.unshift(backend);
      stores = beside(directory, backend);
      await readyBackend(settings, backend, options.log);
    }
  } catch (error) {
    await closeAll(stores, parts);
    throw error;
  }
  let closed: Promise<void> | null = null;
  return {
    stores,
    close() {
      closed ??= closeAll(stores, parts);
      return closed;
    },
  };
}

function beside({ stores }: Directory, { sessions, ephemeral }: SessionBackend): Stores {
  return split({ directory: stores.directory, sessions, ephemeral: ephemeral ?? stores.ephemeral });
}

// Every one of them is closed, whatever another says.
async function closeAll(
  { sessions, ephemeral, directory }: Stores,
  ended: readonly { end(): Promise<void> }[],
): Promise<void> {
  const steps = [
    ...[sessions, ephemeral, directory].map((port) => () => port.close()),
    ...ended.map((each) => () => each.end()),
  ];
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}
