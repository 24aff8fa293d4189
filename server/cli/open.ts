import { existsSync } from "node:fs";
import { type Auth, type Log, type SqliteMigrations, sqlite } from "latchkey";
import { authFromSettings, secretsFromSettings } from "../auth-from-settings.ts";
import { loadSettings } from "../settings/load-settings.ts";
import { originAt, type Settings } from "../settings/settings.ts";
import { CommandFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** What commands about accounts work with. */
export interface Opened {
  readonly auth: Auth;
  /** The address that a link to a page begins with. */
  readonly linkOrigin: string;
}

/**
 * Opens the database that the server works on, with the same settings, for as long as `work` takes. A server may be
 * running on it: it sees the changes at its next request.
 *
 * @throws CommandFailure, SettingsError, SchemaError
 */
export async function withAuth<T>(terminal: Terminal, work: (opened: Opened) => Promise<T>): Promise<T> {
  const settings = await settingsFor(terminal);
  const { path } = settings.database;
  if (!existsSync(path)) {
    throw new CommandFailure(
      `There is no database at ${path}. \`latchkey migrate up\` makes one, as does starting the server.`,
    );
  }
  const { secrets } = await secretsFromSettings(settings);
  const stores = sqlite({ path, migrate: false });
  try {
    await stores.migrations.check();
    const origin = originAt(settings, settings.port);
    const auth = authFromSettings(settings, { origin, secrets, stores, log: complaints(terminal) });
    try {
      return await work({ auth, linkOrigin: linkOrigin(settings) });
    } finally {
      await auth.close();
    }
  } finally {
    await stores.directory.close();
  }
}

/** Opens the schema alone. @throws CommandFailure, SettingsError */
export async function withMigrations<T>(
  terminal: Terminal,
  work: (migrations: SqliteMigrations) => Promise<T>,
): Promise<T> {
  const { database } = await settingsFor(terminal);
  const stores = sqlite({ path: database.path, migrate: false });
  try {
    return await work(stores.migrations);
  } finally {
    await stores.directory.close();
  }
}

async function settingsFor(terminal: Terminal): Promise<Settings> {
  const { settings, warnings } = await loadSettings(terminal.environment);
  terminal.complain(...warnings.map((warning) => `Warning: ${warning}`));
  if (settings.sessionBackend === "memory") {
    throw new CommandFailure(
      "SESSION_BACKEND=memory keeps accounts in the server's own memory, which no command can reach.",
    );
  }
  return settings;
}

// With PORT=0 the port is the running server's secret; the person has it on the terminal where the server was started.
function linkOrigin({ origin, port }: Settings): string {
  return origin ?? `http://localhost:${port === 0 ? "<port>" : port}`;
}

function complaints(terminal: Terminal): Log {
  return {
    error: (message, _fields, cause) =>
      terminal.complain(cause instanceof Error ? `${message}: ${cause.message}` : message),
    warn: (message) => terminal.complain(message),
  };
}
