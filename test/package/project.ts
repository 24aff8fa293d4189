import { execFileSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

export const root: string = join(import.meta.dirname, "../..");

/** Files of a tarball, with paths as in the package. */
export interface Tarball {
  readonly file: string;
  readonly paths: readonly string[];
}

/** What an install brought: `name@version` of each package, and the bytes of all files. */
export interface Added {
  readonly packages: readonly string[];
  readonly bytes: number;
}

/** Packs both packages into a folder as they would be published; from the same sources they are built once. */
export function packAll(folder: string): { core: Tarball; server: Tarball } {
  const output = run(process.execPath, [join(root, "tools/pack.mjs"), "--kept", folder], root);
  const files = output.split("\n").filter((line) => line.endsWith(".tgz"));
  const find = (prefix: RegExp): Tarball => {
    const file = files.find((path) => prefix.test(basename(path)));
    if (file === undefined) throw new Error(`no tarball like ${prefix} in:\n${output}`);
    return { file, paths: run("tar", ["-tzf", file], folder).split("\n").map(withoutFirstFolder) };
  };
  return { core: find(/^latchkey-\d/), server: find(/^latchkey-server-\d/) };
}

/** A new project in a folder of its own, as a user would start one. */
export function emptyProject(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-project-"));
  writeFileSync(join(folder, "package.json"), `{ "name": "app", "private": true, "type": "module" }`);
  return folder;
}

/** Installs tarballs and packages, and counts what node_modules holds afterwards. */
export function install(project: string, specs: readonly string[]): Added {
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", ...specs], project);
  const lockfile = JSON.parse(readFileSync(join(project, "node_modules/.package-lock.json"), "utf8"));
  const packages = Object.entries<{ version: string }>(lockfile.packages).map(
    ([path, { version }]) => `${path.replace(/^.*node_modules\//, "")}@${version}`,
  );
  return { packages, bytes: sizeOf(join(project, "node_modules")) };
}

/** Runs a program to its end; an exit code other than 0 throws with everything that it printed. */
export function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", env: environment(), stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout ?? ""}${stderr ?? ""}`, { cause: error });
  }
}

/** This process's environment without what `npm test` says about this repository: a user's shell has none of it. */
export function environment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|VITEST|NODE_OPTIONS|FORCE_COLOR)/.test(name),
  );
  const cache = process.env.npm_config_cache;
  return {
    ...Object.fromEntries(kept),
    ...(cache === undefined ? {} : { npm_config_cache: cache }),
    ...extra,
  };
}

function sizeOf(folder: string): number {
  const files = globSync("**/*", { cwd: folder }).map((path) => statSync(join(folder, path)));
  return files.reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

function withoutFirstFolder(path: string): string {
  return path.split("/").slice(1).join("/");
}
