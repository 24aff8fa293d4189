import { hash } from "node:crypto";
import { access, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import type { NewSlot } from "../slot-sessions.ts";
import { isCode } from "./lock.ts";
import type { Paths } from "./paths.ts";

/** Latest time that every file system can hold, in seconds. */
const latestSeconds = 2 ** 31 - 1;

/**
 * The text of a slot, or null where it has no file.
 *
 * @throws Error - naming the file where it is damaged; where the folder of all files is gone
 */
export async function readSlot(paths: Paths, tag: string): Promise<string | null> {
  const path = paths.slot(tag);
  const content = await contentOf(path);
  if (content === null) {
    // A volume that is not mounted has no file either, and must not sign everybody out.
    await access(paths.slots);
    return null;
  }
  const end = content.indexOf("\n");
  const text = content.slice(end + 1);
  if (end !== -1 && content.slice(0, end) === digestOf(text)) return text;
  throw new Error(`${path} is damaged: bring it back, or delete it, and its user signs in again`);
}

async function contentOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** Puts a slot in the place of what was there, in one step; on disk when it resolves. */
export async function writeSlot(paths: Paths, tag: string, slot: NewSlot): Promise<void> {
  const shard = paths.shard(paths.shardOf(tag));
  await makeShard(shard, paths);
  await writeDraft(paths.draft(tag), slot);
  await rename(paths.draft(tag), paths.slot(tag));
  await syncFolder(shard);
}

/** Deletes the file of a slot; for good when it resolves. */
export async function removeSlot(paths: Paths, tag: string): Promise<void> {
  await removeFile(paths.slot(tag));
  await syncFolder(paths.shard(paths.shardOf(tag)));
}

/** Deletes a file; absent is fine. */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
}

// What another process left of a draft is overwritten: nobody writes to this slot at the same time.
async function writeDraft(path: string, { text, firstEndMs }: NewSlot): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(`${digestOf(text)}\n${text}`);
    // A sweep sees by it which files it need not read.
    const seconds = Math.max(0, Math.min(latestSeconds, Math.floor(firstEndMs / 1000)));
    await file.utimes(seconds, seconds);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function makeShard(shard: string, { slots }: Paths): Promise<void> {
  try {
    await mkdir(shard, { mode: 0o700 });
  } catch (error) {
    if (isCode(error, "EEXIST")) return;
    throw error;
  }
  await syncFolder(slots);
}

// Windows cannot open a folder, and keeps names by itself.
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function digestOf(text: string): string {
  return hash("sha256", text, "base64url");
}
