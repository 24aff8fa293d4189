import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environment, run } from "../package/project.ts";

/** The application of Next's that the tests drive; it has a package and a lockfile of its own. */
export const appFolder: string = join(import.meta.dirname, "next-app");

/**
 * Installs Next and builds the application, each where what it was made of has changed since: together they cost half a
 * minute, and nothing of Latchkey's own is in the build.
 */
export function builtApp(): string {
  const lock = digestOf(["package-lock.json", "package.json"]);
  const installed = join(appFolder, "node_modules/.installed");
  whereChanged(installed, lock, () =>
    run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"], appFolder),
  );
  const sources = globSync(["{app,lib}/**/*.{ts,tsx}", "*.ts", "tsconfig.json"], {
    cwd: appFolder,
    exclude: ["next-env.d.ts"],
  });
  whereChanged(join(appFolder, ".next/built"), digestOf(["package-lock.json", ...sources.sort()]), () => {
    const command = [join(appFolder, "node_modules/next/dist/bin/next"), "build"];
    execFileSync(process.execPath, command, { cwd: appFolder, env: nextEnvironment(), stdio: "pipe" });
  });
  return appFolder;
}

/** What Next's own programs are started with: this process's environment, as a user's shell would have it. */
export function nextEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return environment({ NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1", ...extra });
}

// Written last: what was cut off is done again.
function whereChanged(stamp: string, wanted: string, work: () => unknown): void {
  if (readIfThere(stamp) === wanted) return;
  rmSync(stamp, { force: true });
  work();
  writeFileSync(stamp, wanted);
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}

function digestOf(files: readonly string[]): string {
  const hash = createHash("sha256").update(`${process.platform}-${process.arch}`);
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(appFolder, file)));
  return hash.digest("hex");
}
