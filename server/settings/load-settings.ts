import { readFile } from "node:fs/promises";
import { parseEnv } from "node:util";
import type { Environment } from "./draft.ts";
import { type ReadSettings, readSettings } from "./read-settings.ts";
import { SettingsError } from "./settings-error.ts";

/**
 * Reads the settings from the environment and, for what it leaves out, from a file in the form of `.env`. Nothing
 * global is changed.
 *
 * @param environment - wins over the file, also where it sets a name to nothing
 * @param envFile - path of the file; default `.env` in the working directory. It need not exist
 * @throws SettingsError as {@link readSettings}, or where the file is there and cannot be read
 */
export async function loadSettings(environment: Environment, envFile = ".env"): Promise<ReadSettings> {
  return readSettings(await readEnvironment(environment, envFile));
}

/** The variables that {@link loadSettings} reads. @throws SettingsError where the file is there and cannot be read */
export async function readEnvironment(environment: Environment, envFile = ".env"): Promise<Environment> {
  return { ...(await readEnvFile(envFile)), ...environment };
}

async function readEnvFile(path: string): Promise<Environment> {
  try {
    return parseEnv(await readFile(path, "utf8"));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
    if (code === "ENOENT") return {};
    // Starting without it would start with other settings than the operator wrote down.
    const fix = "Make it a file that the user of the server can read, or remove it.";
    throw new SettingsError([{ setting: path, found: code, problem: "cannot be read", fix }]);
  }
}
