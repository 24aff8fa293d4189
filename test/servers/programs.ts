import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { canInstall, install, unpackBackports } from "./apt.ts";
import { findEmbeddedPostgres } from "./embedded-postgres.ts";
import { type Found, findProgram, isExecutable, variable } from "./found.ts";

/** A program that tests start, and where it may come from. */
export interface Program {
  readonly names: readonly string[];
  /** A variable with its path, which wins. */
  readonly variable?: string;
  /** What must lie in the same folder. */
  readonly companion?: string;
  /** Debian's packages that bring it, none by default. */
  readonly packages?: readonly string[];
  /** Another source, asked before apt. */
  readonly embedded?: () => string | null;
  /** A last source. */
  readonly fetch?: (environment: NodeJS.ProcessEnv) => Found;
}

/** Every program; in the tests' names for their paths. */
export const programs = {
  /**
   * Two sources are left out on purpose. No npm package carries the browser itself (they download it elsewhere when
   * installed). A container image would be a remote browser with another network: pages on this machine's loopback
   * would be out of its reach, so no image is used. The shell is the same engine without a window, its tabs and its menus,
   * which take most of the processor's time of a test.
   */
  chromiumPath: {
    names: ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"],
    variable: "CHROMIUM_PATH",
    packages: ["chromium-headless-shell"],
  },
  postgresBinary: { names: ["postgres"], companion: "initdb", embedded: findEmbeddedPostgres },
  redisBinary: { names: ["redis-server"], packages: ["redis-server"] },
  valkeyBinary: { names: ["valkey-server"], fetch: fetchValkey },
  memcachedBinary: { names: ["memcached"], packages: ["memcached"] },
  mariadbBinary: { names: ["mariadbd"], packages: ["mariadb-server"] },
} as const satisfies Readonly<Record<string, Program>>;

/** Name under which tests get the path of a program. */
export type ProgramKey = keyof typeof programs;

/** Finds or brings programs; apt is asked once, for all that is missing. */
export function findPrograms(
  keys: readonly ProgramKey[],
  environment: NodeJS.ProcessEnv = process.env,
): ReadonlyMap<ProgramKey, Found> {
  const found = new Map<ProgramKey, Found>(keys.map((key) => [key, find(programs[key], environment)]));
  const missing = keys.filter(
    (key) => found.get(key)?.value === null && isInstallable(programs[key], environment),
  );
  if (missing.length === 0) return found;
  const failure = install(
    missing.flatMap((key) => packagesOf(programs[key])),
    environment,
  );
  for (const key of missing) {
    const installed = find(programs[key], environment);
    found.set(
      key,
      failure === null || installed.value !== null ? installed : { value: null, reason: failure },
    );
  }
  return found;
}

function packagesOf({ packages = [] }: Program): readonly string[] {
  return packages;
}

/** A wrong path in a variable is an error of somebody, and no reason to install another. */
function isInstallable(program: Program, environment: NodeJS.ProcessEnv): boolean {
  const isConfigured = program.variable !== undefined && variable(environment, program.variable) !== null;
  return packagesOf(program).length > 0 && !isConfigured && canInstall();
}

function find(program: Program, environment: NodeJS.ProcessEnv): Found {
  const configured = program.variable === undefined ? null : variable(environment, program.variable);
  if (configured !== null) {
    if (isExecutable(configured)) return { value: configured };
    return { value: null, reason: `${program.variable}=${configured} is not an executable file` };
  }
  const onPath = findProgram(program.names, environment);
  if (onPath !== null && isComplete(program, onPath)) return { value: onPath };
  const embedded = program.embedded?.() ?? null;
  if (embedded !== null) return { value: embedded };
  return program.fetch?.(environment) ?? { value: null, reason: reasonOf(program) };
}

function isComplete({ companion }: Program, file: string): boolean {
  return companion === undefined || isExecutable(join(dirname(file), companion));
}

function reasonOf(program: Program): string {
  const places = [`no ${program.names[0]} on PATH`];
  if (program.variable !== undefined) places.unshift(`no ${program.variable}`);
  if (program.embedded !== undefined) places.push("no npm package of it for this platform");
  if (packagesOf(program).length > 0) places.push("apt needs root on Debian");
  return places.join(", ");
}

/** Debian 12 has it in its backports alone. Kept beside the packages, so that a second run is at once. */
function fetchValkey(environment: NodeJS.ProcessEnv): Found {
  const folder = fileURLToPath(new URL("../../node_modules/.cache/latchkey-valkey", import.meta.url));
  const binary = join(folder, "usr", "bin", "valkey-server");
  const failure = existsSync(folder)
    ? null
    : unpackBackports(["valkey-server", "valkey-tools"], folder, environment);
  if (failure !== null) return { value: null, reason: `no valkey-server on PATH; ${failure}` };
  return isExecutable(binary) ? { value: binary } : { value: null, reason: `the packages hold no ${binary}` };
}
