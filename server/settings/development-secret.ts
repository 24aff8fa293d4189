import { constants, type FileHandle, link, mkdir, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { SettingsError } from "./settings-error.ts";
import { secretMinBytes } from "./text-kinds.ts";

/** Source of random bytes; `crypto.randomBytes` behind a method. */
export interface RandomBytes {
  bytes(length: number): Uint8Array;
}

/** What {@link developmentSecret} found or made. */
export interface DevelopmentSecret {
  readonly secret: string;
  readonly path: string;
  /** Whether this call made it. */
  readonly isNew: boolean;
}

/**
 * The secret of a machine that was given none: read from `secret.key`, made at the first start. Of several processes
 * that start at once all get the same one. For loopback alone; the settings see to that.
 *
 * @param directory - made with mode 0700 where it is missing; the file has mode 0600
 * @throws SettingsError where others can read the file, where it holds no whole secret, or where it cannot be made
 */
export async function developmentSecret(directory: string, random: RandomBytes): Promise<DevelopmentSecret> {
  const path = join(directory, "secret.key");
  try {
    const found = await readSecret(path);
    if (found !== null) return { secret: found, path, isNew: false };
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const isNew = await publish(path, random);
    const secret = await readSecret(path);
    if (secret === null) throw refusal(path, "vanished while it was read", "Start again.");
    return { secret, path, isNew };
  } catch (error) {
    if (error instanceof SettingsError) throw error;
    throw refusal(
      path,
      `cannot be read or made (${errorCode(error)})`,
      "Make the folder writable, or set SECRET_KEY.",
    );
  }
}

// A link appears whole or not at all and never replaces, so a reader sees no half-written secret and the first of
// two writers wins; opening the name itself would show others an empty file until the write is through.
async function publish(path: string, random: RandomBytes): Promise<boolean> {
  const draft = `${path}.${Buffer.from(random.bytes(9)).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await writeWhole(file, `${Buffer.from(random.bytes(32)).toString("base64url")}\n`);
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function writeWhole(file: FileHandle, text: string): Promise<void> {
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

// What is checked is what is read: the open file, not the name. A link could point at a file of somebody else.
async function readSecret(path: string): Promise<string | null> {
  const file = await openExisting(path);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw refusal(path, "is no plain file", `Remove ${path}.`);
    // Windows has no such bits and reports them all set.
    if (process.platform !== "win32" && (stats.mode & 0o077) !== 0) {
      throw refusal(path, "can be read by other users of this machine", `Run: chmod 600 ${path}`);
    }
    const secret = (await file.readFile("utf8")).trim();
    if (Buffer.byteLength(secret) < secretMinBytes) {
      throw refusal(path, "holds no whole secret", `Remove ${path}; everybody will have to sign in again.`);
    }
    return secret;
  } finally {
    await file.close();
  }
}

async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    if (errorCode(error) === "ELOOP")
      throw refusal(path, "is a link, not a file", `Remove ${path}, or set SECRET_KEY.`);
    throw error;
  }
}

function refusal(path: string, problem: string, fix: string): SettingsError {
  return new SettingsError([
    { setting: "SECRET_KEY", found: `nothing, so ${path} counts`, problem: `the file ${problem}`, fix },
  ]);
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unknown";
}
