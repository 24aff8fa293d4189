import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a service is, or why it is nowhere. */
export type Found = { value: string } | { value: null; reason: string };

// Servers lie where an ordinary user's PATH does not lead.
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/usr/bin"];

/** The first of these programs on PATH, or where systems keep servers; its path as found, or null; Debian links redis-server to a program that goes by its name. */
export function findProgram(names: readonly string[], environment: NodeJS.ProcessEnv): string | null {
  for (const folder of [...(environment.PATH ?? "").split(delimiter), ...systemFolders(environment)]) {
    for (const name of names) {
      const file = join(folder, name);
      if (folder !== "" && isExecutable(file)) return file;
    }
  }
  return null;
}

/** None where PATH was set to leave them out: that is how one sees what a machine without a service prints. */
function systemFolders(environment: NodeJS.ProcessEnv): readonly string[] {
  return (environment.PATH ?? "").split(delimiter).includes("/usr/bin") ? SYSTEM_FOLDERS : [];
}

/** Whether a file is there, is no folder, and may be run. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** What an environment variable says; null where it is empty or missing. */
export function variable(environment: NodeJS.ProcessEnv, name: string): string | null {
  const value = environment[name];
  return value === undefined || value === "" ? null : value;
}
