import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, stat, statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import { argon2id, type LoadHasher } from "latchkey";
import { developmentSecretPath } from "../auth-from-settings.ts";
import type { Settings } from "../settings/settings.ts";
import { signingAlgorithm } from "../tokens-from-settings.ts";
import type { DiskFacts, FileFacts, MachineFacts, SigningKeyFacts } from "./facts.ts";

/** What {@link machineFacts} may leave out. */
export interface MachineOptions {
  /** Whether a hash is timed, which takes a tenth of a second. Default true. */
  readonly hashes?: boolean;
}

/** Looks at this machine, and at the files that the settings name. Nothing is made or changed. */
export async function machineFacts(
  settings: Settings,
  { hashes = true }: MachineOptions = {},
): Promise<MachineFacts> {
  const { database, sessions } = settings;
  const path = database.engine === "sqlite" ? database.path : null;
  return {
    now: new Date(),
    nodeVersion: process.versions.node,
    isRoot: process.getuid?.() === 0,
    cores: availableParallelism(),
    memoryBytes: process.constrainedMemory() || totalmem(),
    envFile: await fileFacts(".env"),
    secretFile: settings.secretKey === null ? await fileFacts(developmentSecretPath) : null,
    databaseFiles: path === null ? [] : await existing([path, `${path}-wal`, `${path}-shm`]),
    databaseFolder: path === null ? null : await fileFacts(dirname(resolve(path))),
    pagesFolder: settings.pagesPath === null ? null : await fileFacts(settings.pagesPath),
    sessionFolder: sessions.backend === "file" ? await fileFacts(sessions.path) : null,
    signingKeys: await signingKeyFacts(settings),
    disk: await diskFacts(path === null ? "." : dirname(resolve(path))),
    hashMs: hashes ? await hashTime() : null,
    openFiles: openFiles(),
  };
}

async function existing(paths: readonly string[]): Promise<readonly FileFacts[]> {
  return (await Promise.all(paths.map(fileFacts))).filter((file) => file !== null);
}

async function fileFacts(path: string): Promise<FileFacts | null> {
  try {
    const { mode } = await stat(path);
    // Windows has no such bits and reports them all set.
    return { path, mode: process.platform === "win32" ? null : mode & 0o777 };
  } catch {
    return null;
  }
}

async function signingKeyFacts(settings: Settings): Promise<SigningKeyFacts | null> {
  if (signingAlgorithm(settings) === null) return null;
  const { tokenKeyFile: path } = settings;
  return { file: await fileFacts(path), keys: await keyTimes(path) };
}

/** The times of the keys in a file, and nothing else of it. */
async function keyTimes(path: string): Promise<SigningKeyFacts["keys"]> {
  try {
    const { keys } = JSON.parse(await readFile(path, "utf8")) as {
      readonly keys: readonly Record<string, string>[];
    };
    const times = keys.map(({ createdAt, signsFrom, retiresAt }) => ({
      createdAt: new Date(createdAt ?? Number.NaN),
      signsFrom: new Date(signsFrom ?? Number.NaN),
      retiresAt: retiresAt == null ? null : new Date(retiresAt),
    }));
    return times.some(({ signsFrom }) => Number.isNaN(signsFrom.getTime())) ? null : times;
  } catch {
    return null;
  }
}

/** File systems of other machines, by the number that the kernel gives them. @see statfs(2) */
const networks: Readonly<Record<number, string>> = {
  26985: "nfs",
  20859: "smb",
  4283649346: "cifs",
  4266872130: "smb2",
  16914839: "9p",
  1702057286: "fuse",
};

async function diskFacts(folder: string): Promise<DiskFacts | null> {
  // Before the first start the folder is not there, and will be made in the one above it.
  let path = resolve(folder);
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  try {
    const { bavail, blocks, bsize, type } = await statfs(path);
    const network = process.platform === "linux" ? (networks[type >>> 0] ?? null) : null;
    return { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize, network };
  } catch {
    return null;
  }
}

/** The second of two hashes: the first loads the code. */
async function hashTime(): Promise<number> {
  const { module, options } = argon2id();
  const { load } = (await import(module)) as { readonly load: LoadHasher };
  const work = await load(options);
  const password = randomBytes(16).toString("base64url");
  await work.hash?.(password);
  const startedAt = performance.now();
  await work.hash?.(password);
  return performance.now() - startedAt;
}

function openFiles(): number | null {
  const report = process.report?.getReport() as
    | { readonly userLimits?: { readonly open_files?: { readonly soft?: number | string } } }
    | undefined;
  const soft = report?.userLimits?.open_files?.soft;
  if (soft === "unlimited") return Number.POSITIVE_INFINITY;
  return typeof soft === "number" ? soft : null;
}
