import { join } from "node:path";

/** Where the files are. Names are hexadecimal: ids differ by the case of a letter alone, and some file systems ignore that. */
export interface Paths {
  /** Holds everything below. */
  readonly root: string;
  /** Holds the shards, and is there as long as the file system is. */
  readonly slots: string;
  /** Name of the shard that a slot lies in; some thousand, so that no folder gets long. */
  shardOf(tag: string): string;
  shard(name: string): string;
  /** The file of a slot. */
  slot(tag: string): string;
  /** Where that file is written before it takes its name. */
  draft(tag: string): string;
}

/** Paths below a root. */
export function paths(root: string): Paths {
  const slots = join(root, "slots");
  const shardOf = (tag: string): string => hex(tag.slice(0, 2));
  const slot = (tag: string): string => join(slots, shardOf(tag), hex(tag));
  return {
    root,
    slots,
    shardOf,
    shard: (name) => join(slots, name),
    slot,
    draft: (tag) => `${slot(tag)}${draftSuffix}`,
  };
}

const draftSuffix = ".new";
const fileShape = /^((?:[0-9a-f]{2}){8})(\.new)?$/;

/** What a name in a shard is; null for what was not put there by us. */
export function slotFile(name: string): { readonly tag: string; readonly isDraft: boolean } | null {
  const match = fileShape.exec(name);
  if (match === null) return null;
  return { tag: Buffer.from(match[1] as string, "hex").toString("latin1"), isDraft: match[2] !== undefined };
}

function hex(text: string): string {
  return Buffer.from(text, "latin1").toString("hex");
}
