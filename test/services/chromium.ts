import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a service is, or why it is nowhere. */
export type Found = { value: string } | { value: null; reason: string };

const BINARIES = ["chromium", "chromium-browser", "google-chrome"];

/**
 * Finds or brings a Chromium: `CHROMIUM_PATH`, then PATH, then Debian's package.
 *
 * Two sources are left out on purpose. No npm package carries the browser itself (they download it elsewhere when
 * installed). A container image would be a remote browser with another network: pages on this machine's loopback
 * would be out of its reach, so no image is used.
 */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): Found {
  const configured = environment.CHROMIUM_PATH;
  if (configured !== undefined && configured !== "") {
    if (isExecutable(configured)) return { value: configured };
    return { value: null, reason: `CHROMIUM_PATH=${configured} is not an executable file` };
  }
  const onPath = findOnPath(environment.PATH ?? "");
  if (onPath !== null) return { value: onPath };
  if (!isRootOnDebian()) {
    return { value: null, reason: "no CHROMIUM_PATH, none on PATH, and apt needs root on Debian" };
  }
  return installByApt(environment);
}

function findOnPath(path: string): string | null {
  for (const folder of path.split(delimiter)) {
    for (const binary of BINARIES) {
      const file = join(folder, binary);
      if (folder !== "" && isExecutable(file)) return realpathSync(file);
    }
  }
  return null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isRootOnDebian(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get");
}

function installByApt(environment: NodeJS.ProcessEnv): Found {
  console.log("tests: installing Chromium with apt (about 10 s)");
  const env = { ...environment, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [["update"], ["install", "-y", "chromium"]]) {
    const run = spawnSync("apt-get", ["-qq", ...args], { env, encoding: "utf8" });
    if (run.status !== 0)
      return { value: null, reason: `apt-get ${args.join(" ")} failed: ${lastLine(run.stderr)}` };
  }
  const installed = findOnPath(environment.PATH ?? "") ?? findOnPath("/usr/bin");
  return installed === null ? { value: null, reason: "apt brought no chromium" } : { value: installed };
}

function lastLine(text: string | null): string {
  return (text ?? "").trim().split("\n").at(-1) ?? "";
}
