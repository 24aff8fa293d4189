import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createLog } from "../../../server/log.ts";
import { serve } from "../../../server/serve.ts";
import { loadSettings } from "../../../server/settings/load-settings.ts";
import type { Settings } from "../../../server/settings/settings.ts";
import { startFailure } from "../../../server/start-failure.ts";
import { type Browser, browserOn } from "../../support/browser.ts";
import { eventually, newFolder } from "./child-server.ts";

type Variables = Readonly<Record<string, string>>;

/** What a server here signs with where the test names nothing else: it makes no secret in the folder of the tests. */
export const hereSecret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";

/**
 * A server in this process, on a port of its own. What a process adds to it, which is the terminal, signals and exit codes, the
 * tests of `startServer` have.
 */
export interface HereServer {
  readonly folder: string;
  readonly origin: string;
  readonly port: number;
  readonly settings: Settings;
  /** What the settings were read from, for commands beside it. Every path is absolute. */
  readonly variables: Variables;
  /** Warnings of the settings, which a process shows on its terminal. */
  readonly warnings: readonly string[];
  /** The link for the first administrator; null where none was made. */
  readonly setupLink: string | null;
  browser(): Browser;
  /** The lines of its log. */
  stderr(): string;
  /** Waits for a line of the log. */
  logged(text: string, limitMs?: number): Promise<void>;
  /** As SIGTERM does. @throws what a process would end with 1 for */
  stop(): Promise<void>;
  /** Stops it if it still runs, and removes the folder. */
  remove(): Promise<void>;
}

/** Starts a server here, in a new folder or in one that an earlier server left. @throws what `serve` throws */
export async function serveHere(variables: Variables = {}, folder?: string): Promise<HereServer> {
  const place = folder ?? (await newFolder());
  const environment = hereVariables(variables, place);
  const { settings, warnings } = await loadSettings(environment, join(place, ".env"));
  let lines = "";
  const write = (line: string): void => {
    lines += line;
  };
  const serving = await serve(settings, createLog({ level: settings.logLevel, destination: { write } }));
  const { origin, setupToken, stop } = serving;
  const port = Number(new URL(serving.address).port);
  return {
    ...{ folder: place, origin, port, settings, warnings, stop },
    variables: { ...environment, PORT: String(port) },
    setupLink: setupToken === null ? null : `${origin}/setup?token=${setupToken}`,
    browser: () => browserOn((request) => fetch(request, { redirect: "manual" }), origin),
    stderr: () => lines,
    logged: (text, limitMs) => eventually(() => lines.includes(text), limitMs),
    async remove() {
      await stop();
      await rm(place, { recursive: true, force: true });
    },
  };
}

/** The server refuses to start; answered is what its terminal would show. @throws Error where it starts */
export async function refusedHere(variables: Variables): Promise<string> {
  const folder = await newFolder();
  const started = await serveHere(variables, folder).catch((error: unknown) => startFailure(error));
  if (typeof started === "string") {
    await rm(folder, { recursive: true, force: true });
    return started;
  }
  await started.remove();
  throw new Error("the server did start");
}

/** The settings of a server in `folder` that is no process of its own: relative paths would lead to the folder that the tests run in. */
export function hereVariables(variables: Variables, folder: string): Variables {
  return {
    ...{ PORT: "0", SECRET_KEY: hereSecret, DATABASE_URL: `sqlite://${folder}/data/latchkey.db` },
    ...(variables.SESSION_BACKEND === "file" && { SESSION_PATH: join(folder, "data/sessions") }),
    ...(variables.TOKEN_ALGORITHM !== undefined && {
      TOKEN_KEY_FILE: join(folder, "data/signing-keys.json"),
    }),
    ...variables,
  };
}
