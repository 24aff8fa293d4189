import type { Environment } from "./draft.ts";
import { readEnvFile } from "./env-file.ts";
import { type ReadSettings, readSettings } from "./read-settings.ts";
import { settingNames } from "./table.ts";

/**
 * Reads the settings from the environment and, for what it leaves out, from a file in the form of `.env`. Nothing
 * global is changed.
 *
 * @param environment - wins over the file, also where it sets a name to nothing
 * @param envFile - path of the file; default `.env` in the working directory. It need not exist
 * @throws SettingsError as {@link readSettings}, or where the file is there and cannot be read
 */
export async function loadSettings(environment: Environment, envFile = ".env"): Promise<ReadSettings> {
  const { variables, cut } = await readEnvironment(environment, envFile);
  const { settings, warnings } = readSettings(variables);
  return { settings, warnings: [...warnings, ...cut.map((name) => cutWarning(name, envFile))] };
}

/** The variables that {@link loadSettings} reads. */
export interface ReadEnvironment {
  readonly variables: Environment;
  /** Settings whose value the file cuts off at a `#` that looks like a part of it. */
  readonly cut: readonly string[];
}

/** Reads environment and file. @throws SettingsError where the file is there and cannot be read */
export async function readEnvironment(environment: Environment, envFile = ".env"): Promise<ReadEnvironment> {
  const { variables, cut } = await readEnvFile(envFile);
  return {
    variables: { ...variables, ...environment },
    cut: settingNames().filter((name) => cut.includes(name) && !Object.hasOwn(environment, name)),
  };
}

function cutWarning(name: string, envFile: string): string {
  return `${name} ends before a # in ${envFile}, where a comment begins. Put the value in quotation marks if the # belongs to it.`;
}
