import { access } from "node:fs/promises";
import { resolve } from "node:path";
import type { DetachedSessions } from "../../ports/detached-sessions.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type NewSlot, type SlotEngine, slotSessions } from "../slot-sessions.ts";
import { turns } from "../turns.ts";
import { endedSlots } from "./ended.ts";
import { closedFolder, trustedFolder } from "./folder.ts";
import { atMost } from "./limit.ts";
import { lockFolder } from "./lock.ts";
import { paths as pathsBelow } from "./paths.ts";
import { readSlot, removeFile, removeSlot, writeSlot } from "./slot-file.ts";

/** Settings of {@link fileSessions}. */
export interface FileSessionsOptions {
  /** A folder of its own; made where it is missing, and closed to other users in either case. */
  readonly path: string;
}

/** Files that are open at once. */
const openFiles = 64;

/**
 * Sessions in files, for one process, beside a directory elsewhere (`split`). The sessions of a user are one file: it is
 * replaced in one step, and on disk before a call resolves. A process that is killed loses nothing and leaves nothing
 * half-written. Every check reads a file, and the owner from the directory.
 *
 * A file that is damaged is an error that names it, for its user alone; sweeps go on past it.
 *
 * @throws TypeError - no path
 * @throws Error - the folder is in use, by another process or by this one; it is another user's or cannot be closed to others; `slots` or
 * `lock` in it is a link, or others may have put sessions there
 */
export function fileSessions({ path }: FileSessionsOptions): DetachedSessions {
  if (typeof path !== "string" || path === "") throw new TypeError("fileSessions: path is missing");
  const paths = pathsBelow(resolve(path));
  closedFolder(paths.root);
  const lock = lockFolder(paths.root);
  try {
    trustedFolder(paths.slots);
  } catch (error) {
    lock.release();
    throw error;
  }

  const limited = atMost(openFiles);
  const ended = endedSlots(paths, limited);
  // Of writes to one slot; a draft that is swept is not one that is being written.
  const { run } = turns();
  let isOpen = true;
  const assertOpen = (): void => {
    if (!isOpen) throw new Error("file: these sessions were closed");
  };

  const engine: SlotEngine = {
    engine: { name: "file" },
    expiresByItself: false,
    async ping() {
      assertOpen();
      await access(paths.slots);
    },
    async close() {
      isOpen = false;
      lock.release();
    },
    async read(tag) {
      assertOpen();
      const text = await limited(() => readSlot(paths, tag));
      return text === null ? null : { text, mark: "" };
    },
    // Nobody else writes: there is one process, and in it one step per slot at a time.
    async swap(tag, before, after) {
      assertOpen();
      if (after === null && before === null) return true;
      await run(tag, () => limited(() => put(tag, after)));
      return true;
    },
    async *ended({ now }: StoreCall) {
      assertOpen();
      for await (const { tag, isDraft } of ended.find(now.getTime())) {
        if (isDraft) await run(tag, () => removeFile(paths.draft(tag)));
        else yield* readable(tag);
      }
    },
  };

  async function put(tag: string, slot: NewSlot | null): Promise<void> {
    if (slot === null) return removeSlot(paths, tag);
    try {
      await writeSlot(paths, tag, slot);
    } finally {
      ended.wrote(tag, slot.firstEndMs);
    }
  }

  async function* readable(tag: string): AsyncIterable<string> {
    const text = await limited(() => readSlot(paths, tag)).catch(() => null);
    if (text !== null) yield text;
  }

  return slotSessions(engine);
}
