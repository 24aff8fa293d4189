import { existsSync } from "node:fs";
import type { Auth, AuthOptions, Log, SqliteMigrations } from "latchkey";
import { type Administration, administration } from "latchkey/administration";
import type { Tokens } from "latchkey/tokens";
import { authFromSettings, secretsFromSettings } from "../auth-from-settings.ts";
import { loadSettings } from "../settings/load-settings.ts";
import { originAt, type Settings } from "../settings/settings.ts";
import { openDirectory, reachingDirectory } from "../stores/directory.ts";
import { openStores } from "../stores/open-stores.ts";
import { tokensFromSettings } from "../tokens-from-settings.ts";
import { CommandFailure } from "./failure.ts";
import { sessionsInReach } from "./sessions-in-reach.ts";
import type { Terminal } from "./terminal.ts";

/** What commands about accounts work with. */
export interface Opened {
  readonly auth: Auth;
  readonly tokens: Tokens;
  readonly administration: Administration;
  /** The address that a link to a page begins with. */
  readonly linkOrigin: string;
  readonly settings: Settings;
}

/**
 * Opens the stores that the server works on, with the same settings, for as long as `work` takes. Servers may be
 * running on them: they see the changes at their next request.
 *
 * @throws CommandFailure, SettingsError, SchemaError, DriverMissing, DirectoryFailure
 */
export async function withAuth<T>(
  terminal: Terminal,
  work: (opened: Opened) => Promise<T>,
  { features = [] }: Pick<AuthOptions, "features"> = {},
): Promise<T> {
  const settings = await settingsFor(terminal);
  const { database } = settings;
  if (database.engine === "sqlite" && !existsSync(database.path)) {
    throw new CommandFailure(
      `There is no database at ${database.path}. \`latchkey migrate up\` makes one, as does starting the server.`,
    );
  }
  const { secrets } = await secretsFromSettings(settings);
  const log = complaints(terminal);
  const { stores, close } = await openStores(settings, {
    log,
    prepare: (migrations) => migrations.check(),
    openSessions: sessionsInReach(terminal),
  });
  try {
    const origin = originAt(settings, settings.port);
    const tokens = tokensFromSettings(settings);
    const admin = administration();
    const parts = { origin, secrets, stores, log, tokens, administration: admin, features };
    const auth = authFromSettings(settings, parts);
    try {
      return await work({
        auth,
        tokens: auth.use(tokens),
        administration: auth.use(admin),
        linkOrigin: linkOrigin(settings),
        settings,
      });
    } finally {
      await auth.close();
    }
  } finally {
    await close();
  }
}

/** Opens the schema alone. @throws CommandFailure, SettingsError, DriverMissing, DirectoryFailure */
export async function withMigrations<T>(
  terminal: Terminal,
  work: (migrations: SqliteMigrations) => Promise<T>,
): Promise<T> {
  const settings = await settingsFor(terminal);
  const { stores, migrations, end } = await openDirectory(settings, complaints(terminal));
  try {
    return await reachingDirectory(settings, () => work(migrations));
  } finally {
    await stores.directory.close();
    await end();
  }
}

/** The settings, with their warnings on standard error. @throws SettingsError */
export async function settingsFor(terminal: Terminal): Promise<Settings> {
  const { settings, warnings } = await loadSettings(terminal.environment);
  terminal.complain(...warnings.map((warning) => `Warning: ${warning}`));
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
