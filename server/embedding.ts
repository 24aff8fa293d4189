/** `latchkey-server`: the reference server in a program of one's own. */
import type { Application } from "./application.ts";
import { createLog } from "./log.ts";
import { type Serving, serve } from "./serve.ts";
import type { Environment } from "./settings/draft.ts";
import { loadSettings } from "./settings/load-settings.ts";

export type { Application, ApplicationParts } from "./application.ts";
export type { Serving } from "./serve.ts";
export type { Environment } from "./settings/draft.ts";

/** What {@link startServer} starts. */
export interface ServerOptions {
  /** The settings, by their names; `.env` in the working directory is read for what it leaves out. Default `process.env`. */
  readonly environment?: Environment;
  /** Routes of one's own. Default none. */
  readonly application?: Application;
}

/** A server that was started. */
export interface StartedServer extends Serving {
  /** What an operator should know of the settings, for the terminal: names that look misspelt, values that `.env` cuts off. */
  readonly warnings: readonly string[];
}

/**
 * Starts the reference server, with routes of one's own where there are any. It logs to standard error, and leaves signals and the
 * end of the process to the caller.
 *
 * ```ts
 * const { origin, stop } = await startServer({
 *   application({ protect }) {
 *     const app = new Hono();
 *     return app.get("/hello", protect((c, { displayName }) => c.text(`Hello, ${displayName}`)));
 *   },
 * });
 * ```
 *
 * @throws SettingsError naming everything that cannot be used; what the stores cannot be opened for; the system's error
 * (`EADDRINUSE`); what `application` throws. Nothing is left running
 */
export async function startServer({
  environment = process.env,
  application,
}: ServerOptions = {}): Promise<StartedServer> {
  const { settings, warnings } = await loadSettings(environment);
  const serving = await serve(settings, createLog({ level: settings.logLevel }), application);
  return { ...serving, warnings };
}
