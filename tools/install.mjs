// Brings node_modules in line with package-lock.json before a script runs, and sees to a Node that is new enough.
// It runs on the host's own Node, whatever that is: built-ins only, no syntax younger than Node 18.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { acquireLock } from "./lock.mjs";

const OLDEST_NODE = "22.18";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".latchkey-install");
const pinnedNode = join(root, "node_modules", ".bin", "node");
const pinnedBinary = join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");

const wanted = wantedStamp();
if (readStamp() !== wanted) {
  if (!canRunPinnedNode() && !isHostNewEnough()) refuseHost();
  const lock = await acquireLock(join(root, ".install-lock"), "installing");
  const failure = readStamp() === wanted ? null : await install(lock);
  lock.release();
  if (failure !== null) stop(failure);
}
if (!existsSync(pinnedNode) && !isHostNewEnough()) refuseHost();

/** The platform belongs to it: a tree installed in a container does not fit a host that shares the folder. */
function wantedStamp() {
  const lockfile = readFileSync(join(root, "package-lock.json"));
  return `${createHash("sha256").update(lockfile).digest("hex")} ${process.platform}-${process.arch}`;
}

function readStamp() {
  try {
    return readFileSync(stampFile, "utf8");
  } catch {
    return null;
  }
}

/** Answers what went wrong, or null. The stamp is written last: an install that was cut off is repeated. */
async function install(lock) {
  console.log("latchkey: installing what package-lock.json names (npm ci)");
  rmSync(stampFile, { force: true });
  // npm leaves out optional packages that ask for a younger Node than npm itself runs on, and the tools have such:
  // an old host installs the pinned Node alone, and that one installs the rest.
  const isHostOld = !isHostNewEnough();
  const failure = isHostOld ? await npmCi(lock, process.execPath, ["--workspace=latchkey-tools"]) : null;
  if (failure !== null) return failure;
  const runsAll = isHostOld && canStart(pinnedBinary) ? pinnedBinary : process.execPath;
  const failureOfRest = await npmCi(lock, runsAll, []);
  if (failureOfRest !== null) return failureOfRest;
  linkPinnedNode();
  writeFileSync(stampFile, wanted);
  return null;
}

async function npmCi(lock, node, moreArgs) {
  // Named, because NODE_ENV=production or omit=optional would leave out the tools, or Node itself.
  const args = ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
  const command = npmCommand(node).concat(args, moreArgs);
  const env = { ...process.env, PATH: dirname(node) + delimiter + process.env.PATH };
  const child = spawn(command[0], command.slice(1), {
    cwd: root,
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (child.pid !== undefined) lock.shareWith(child.pid);
  const end = (signal) => child.kill(signal);
  for (const signal of SIGNALS) process.on(signal, end);
  const exitCode = await new Promise((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === null ? signal : code));
  });
  for (const signal of SIGNALS) process.off(signal, end);
  return exitCode === 0 ? null : `latchkey: npm ci failed (${exitCode}); its own lines above say why`;
}

function npmCommand(node) {
  const script = process.env.npm_execpath;
  const isNpm = script !== undefined && basename(script).startsWith("npm");
  return isNpm ? [node, script] : ["npm"];
}

/** Answers no for certain only: an unknown Linux is tried, and `linkPinnedNode` decides. */
function canRunPinnedNode() {
  if (process.platform !== "linux" || (process.arch !== "x64" && process.arch !== "arm64")) return false;
  return !(existsSync("/lib/ld-musl-x86_64.so.1") || existsSync("/lib/ld-musl-aarch64.so.1")) || hasGlibc();
}

function hasGlibc() {
  return process.report.getReport().header.glibcVersionRuntime !== undefined;
}

/**
 * npm puts `.bin` first on PATH inside scripts, so whatever is called `node` there is the Node of every script.
 * npm 11 links it, npm 9 and 10 do not; and one that cannot start (musl) would hide the host's good one.
 */
function linkPinnedNode() {
  rmSync(pinnedNode, { force: true });
  if (canStart(pinnedBinary)) symlinkSync(relative(dirname(pinnedNode), pinnedBinary), pinnedNode);
}

function canStart(binary) {
  return spawnSync(binary, ["--version"]).status === 0;
}

function isHostNewEnough() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE.split(".").map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

function refuseHost() {
  stop(
    `latchkey: Node ${OLDEST_NODE} or newer is needed on ${process.platform}-${process.arch} (this is ${process.versions.node}); ` +
      "only Linux with glibc on x64 or arm64 gets one from this repository",
  );
}

function stop(message) {
  console.error(message);
  process.exit(1);
}
