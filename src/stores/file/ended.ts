import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Limiter } from "./limit.ts";
import { isCode } from "./lock.ts";
import { type Paths, slotFile } from "./paths.ts";

/** Finds the files in which a session may be expired. */
export interface EndedSlots {
  /** Notes that a slot was written whose first session ends then; told once it is done, well or badly. */
  wrote(tag: string, firstEndMs: number): void;
  /** Tags of slots with a session that is expired at `nowMs`, and of drafts that nobody finished. */
  find(nowMs: number): AsyncIterable<FoundFile>;
}

/** A file that a sweep looks into. */
export interface FoundFile {
  readonly tag: string;
  readonly isDraft: boolean;
}

/** A look through a shard that is under way. */
interface Scan {
  readonly shard: string;
  firstEndMs: number;
}

/** Files whose times are asked for at once. */
const batch = 64;

/**
 * Makes {@link EndedSlots}. When the first session of a file ends is the file's time of change, and when the first of a shard
 * ends is remembered once the shard was gone through: later sweeps ask only shards in which something is over.
 */
export function endedSlots(paths: Paths, limited: Limiter): EndedSlots {
  const firstEnds = new Map<string, number>();
  const scans = new Set<Scan>();

  async function* inShard(shard: string, nowMs: number): AsyncIterable<FoundFile> {
    const scan: Scan = { shard, firstEndMs: Number.POSITIVE_INFINITY };
    scans.add(scan);
    try {
      const names = await limited(() => readdir(paths.shard(shard)));
      for (let from = 0; from < names.length; from += batch) {
        const files = await Promise.all(names.slice(from, from + batch).map((name) => timed(shard, name)));
        for (const { file, endMs } of files.flatMap((one) => one ?? [])) {
          if (!file.isDraft) lower(scan, endMs);
          if (file.isDraft || endMs <= nowMs) yield file;
        }
      }
      // Not where it stopped half-way: nothing is known of the rest.
      firstEnds.set(shard, scan.firstEndMs);
    } finally {
      scans.delete(scan);
    }
  }

  async function timed(shard: string, name: string) {
    const file = slotFile(name);
    if (file === null) return null;
    try {
      const { mtimeMs } = await limited(() => stat(join(paths.shard(shard), name)));
      return { file, endMs: mtimeMs };
    } catch (error) {
      if (isCode(error, "ENOENT")) return null;
      throw error;
    }
  }

  return {
    wrote(tag, firstEndMs) {
      const shard = paths.shardOf(tag);
      const known = firstEnds.get(shard);
      if (known !== undefined) firstEnds.set(shard, Math.min(known, firstEndMs));
      // These may have looked at the file before.
      for (const scan of scans) if (scan.shard === shard) lower(scan, firstEndMs);
    },
    async *find(nowMs) {
      for (const shard of await limited(() => readdir(paths.slots))) {
        if ((firstEnds.get(shard) ?? Number.NEGATIVE_INFINITY) <= nowMs) yield* inShard(shard, nowMs);
      }
    },
  };
}

function lower(scan: Scan, ms: number): void {
  scan.firstEndMs = Math.min(scan.firstEndMs, ms);
}
