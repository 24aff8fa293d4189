import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const WAIT_FOR_OTHERS = ["-o", "DPkg::Lock::Timeout=120"];
const LIMIT_MS = 300_000;
const BE_BRIEF = ["-o", "Acquire::http::Timeout=10", "-o", "Acquire::Retries=0"];

/** Whether apt may install something here. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get");
}

/** Installs Debian's packages; answers why not, or null. */
export function install(packages: readonly string[], environment: NodeJS.ProcessEnv): string | null {
  console.log(`tests: installing ${packages.join(", ")} with apt (10 to 20 s)`);
  return (
    run("apt-get", ["-qq", ...WAIT_FOR_OTHERS, "update"], environment) ??
    run(
      "apt-get",
      ["-qq", ...WAIT_FOR_OTHERS, "install", "-y", "--no-install-recommends", ...packages],
      environment,
    )
  );
}

/**
 * Unpacks packages of Debian's backports into a folder, without installing them and without a trace in apt's settings.
 *
 * The mirror and its key are those that the machine has for the release itself.
 *
 * @param folder - created once all of it is there
 * @returns why not, or null
 */
export function unpackBackports(
  packages: readonly string[],
  folder: string,
  environment: NodeJS.ProcessEnv,
): string | null {
  const mirror = mirrorOf("bookworm", environment);
  if (mirror === null) return "apt knows no mirror of Debian bookworm";
  const place = mkdtempSync(join(tmpdir(), "latchkey-backports-"));
  try {
    // apt downloads as a user of its own, or says that it could not.
    const options = [...BE_BRIEF, ...isolated(place, mirror), "-o", "APT::Sandbox::User=root"];
    const failure =
      run("apt-get", ["-qq", ...options, "update"], environment) ??
      run("apt-get", ["-qq", ...options, "download", ...packages], environment, place);
    if (failure !== null) return failure;
    const unpacked = join(place, "unpacked");
    for (const name of readdirSync(place).filter((file) => file.endsWith(".deb"))) {
      const refusal = run("dpkg-deb", ["-x", join(place, name), unpacked], environment);
      if (refusal !== null) return refusal;
    }
    return moveTo(unpacked, folder, environment);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** Two runs may come to the same end at once: the first one's is as good. */
function moveTo(unpacked: string, folder: string, environment: NodeJS.ProcessEnv): string | null {
  mkdirSync(dirname(folder), { recursive: true });
  const near = mkdtempSync(`${folder}-`);
  const refusal = run("cp", ["-a", `${unpacked}/.`, near], environment);
  if (refusal !== null) return refusal;
  try {
    renameSync(near, folder);
  } catch (error) {
    rmSync(near, { recursive: true, force: true });
    if (!existsSync(folder)) return String(error);
  }
  return null;
}

interface Mirror {
  readonly uri: string;
  readonly signedBy: string;
}

function mirrorOf(codename: string, environment: NodeJS.ProcessEnv): Mirror | null {
  if (!isRelease(codename)) return null;
  const format = "$(CODENAME) $(COMPONENT) $(REPO_URI) $(SIGNED_BY)";
  const listed = spawnSync("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    encoding: "utf8",
    env: environment,
  });
  for (const line of (listed.stdout ?? "").split("\n")) {
    const [release, component, uri, signedBy] = line.split(" ");
    if (release === codename && component === "main" && uri !== undefined) {
      return { uri, signedBy: signedBy?.startsWith("/") ? signedBy : "" };
    }
  }
  return null;
}

function isRelease(codename: string): boolean {
  try {
    return readFileSync("/etc/os-release", "utf8").includes(`VERSION_CODENAME=${codename}\n`);
  } catch {
    return false;
  }
}

/** Settings under which apt sees one list of sources, and keeps what it learns in a folder that goes away. */
function isolated(place: string, { uri, signedBy }: Mirror): string[] {
  const list = join(place, "sources.list");
  const key = signedBy === "" ? "" : `[signed-by=${signedBy}] `;
  writeFileSync(list, `deb ${key}${uri} bookworm-backports main\n`);
  for (const name of ["lists/partial", "cache/archives/partial"]) {
    mkdirSync(join(place, name), { recursive: true });
  }
  const settings = {
    "Dir::Etc::SourceList": list,
    "Dir::Etc::SourceParts": "/dev/null",
    "Dir::State::Lists": join(place, "lists"),
    "Dir::Cache": join(place, "cache"),
  };
  return Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}

function run(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  cwd?: string,
): string | null {
  const env = { ...environment, DEBIAN_FRONTEND: "noninteractive" };
  const done = spawnSync(file, args, { env, cwd, timeout: LIMIT_MS, encoding: "utf8" });
  if (done.status === 0) return null;
  const last = (done.stderr ?? "").trim().split("\n").at(-1);
  return `${file} ${args.at(-1)} failed: ${last || String(done.error ?? done.signal)}`;
}
