// Packs both packages as they are published: `node tools/pack.mjs [folder]` builds, and writes two tarballs (default .pack/).
// With `--kept` it takes those that it packed so before, if nothing of what they are made of has changed since.
// The manifests of the working tree serve development (they know src/ and each other's folder), so the packed ones are
// written here: only fields a user needs, no source condition, `latchkey` by version.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { acquireLock } from "./lock.mjs";

const SOURCE_CONDITION = "latchkey-source";
const PUBLISHED_FIELDS = [
  ...["name", "version", "description", "keywords", "license", "author", "repository", "homepage", "bugs"],
  ...["type", "sideEffects", "engines", "bin", "exports", "files", "dependencies"],
  ...["peerDependencies", "peerDependenciesMeta"],
];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({ options: { kept: { type: "boolean" } }, allowPositionals: true });
const destination = resolve(positionals[0] ?? join(root, ".pack"));
const core = readManifest(root);

const lock = await acquireLock(join(root, ".pack-lock"), "packing");
try {
  mkdirSync(destination, { recursive: true });
  for (const file of values.kept ? keptTarballs() : packAll(destination)) console.log(file);
} finally {
  lock.release();
}

function packAll(folder) {
  execFileSync(process.execPath, [join(root, "tools", "build.mjs")], { stdio: "inherit" });
  return [root, join(root, "server")].map((source) => pack(source, folder));
}

/** Copies, since whoever comes next may put others there. */
function keptTarballs() {
  const kept = join(root, "node_modules", ".cache", "packed");
  const stamp = join(kept, "made-of");
  const made = digestOfSources();
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== made) {
    rmSync(kept, { recursive: true, force: true });
    mkdirSync(kept, { recursive: true });
    packAll(kept);
    // Written last, and not at all where a source has changed meanwhile.
    if (digestOfSources() === made) writeFileSync(stamp, made);
  }
  return globSync("*.tgz", { cwd: kept }).map((name) => {
    copyFileSync(join(kept, name), join(destination, name));
    return join(destination, name);
  });
}

/** Of all that a tarball is made of: what is packed and built, and what packs and builds it. */
function digestOfSources() {
  const patterns = ["src/**", "server/**", "tools/*.mjs", "*.json", "LICENSE", "*.md"];
  const exclude = ["server/dist/**", "**/node_modules/**"];
  const hash = createHash("sha256").update(process.version);
  for (const entry of globSync(patterns, { cwd: root, exclude, withFileTypes: true }).sort(byPath)) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = readFileSync(file);
    hash.update(`\0${file.slice(root.length)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

function byPath(a, b) {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}

function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** Packs a copy, so that a failure half-way leaves no rewritten manifest in the working tree. */
function pack(folder, destination) {
  const stage = mkdtempSync(join(tmpdir(), "latchkey-pack-"));
  try {
    const manifest = publishedManifest(readManifest(folder));
    writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    for (const name of manifest.files) copyInto(stage, folder, name);
    const args = ["pack", "--silent", "--ignore-scripts", "--pack-destination", destination];
    return join(destination, execFileSync("npm", args, { cwd: stage, encoding: "utf8" }).trim());
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** The licence is the repository's; all else is the package's own. */
function copyInto(stage, folder, name) {
  const source = join(name === "LICENSE" ? root : folder, name);
  if (!existsSync(source)) throw new Error(`${source} is named in "files" and is missing`);
  cpSync(source, join(stage, name), { recursive: true });
}

function publishedManifest(manifest) {
  const published = {};
  for (const field of PUBLISHED_FIELDS) {
    if (manifest[field] !== undefined) published[field] = manifest[field];
  }
  published.exports = withoutSourceCondition(manifest.exports);
  if (manifest.dependencies.latchkey !== undefined) {
    published.dependencies = { ...manifest.dependencies, latchkey: `^${core.version}` };
  }
  return published;
}

/** Sources are not in the tarball: a user who happened to set the condition would reach files that are not there. */
function withoutSourceCondition(exports) {
  const entries = Object.entries(exports).map(([subpath, target]) => {
    if (typeof target === "string") return [subpath, target];
    const { [SOURCE_CONDITION]: _source, ...rest } = target;
    return [subpath, rest];
  });
  return Object.fromEntries(entries);
}
