import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CommandFailure } from "../failure.ts";

/** A file as text, piece by piece. */
export interface TextFile {
  /** Throws CommandFailure, which names the file, where it cannot be read or unpacked to its end. */
  readonly chunks: AsyncIterable<string>;
  /** Size in bytes, as it lies on the disk. */
  readonly size: number;
  /** How many of them were read so far. */
  readonly position: () => number;
  close(): Promise<void>;
}

/**
 * Opens a file of UTF-8 text, unpacked where its name ends in `.gz`. A mark at its beginning is left out.
 *
 * @throws CommandFailure where it cannot be opened
 */
export async function openText(path: string): Promise<TextFile> {
  const handle = await open(path, "r").catch((error) => {
    throw unreadable(path, error);
  });
  const { size } = await handle.stat();
  const bytes = handle.createReadStream({ autoClose: false });
  return {
    chunks: textOf(path, bytes),
    size,
    position: () => bytes.bytesRead,
    async close() {
      bytes.destroy();
      await handle.close();
    },
  };
}

async function* textOf(path: string, bytes: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8");
  // Not before somebody reads: an error that nobody waits for ends the process.
  const unpacked = path.endsWith(".gz") ? bytes.pipe(createGunzip()) : bytes;
  // Destroying the source of a pipe does not end what it leads to.
  bytes.once("error", (error) => unpacked.destroy(error));
  try {
    for await (const chunk of unpacked) yield decoder.decode(chunk, { stream: true });
  } catch (error) {
    throw unreadable(path, error);
  }
  yield decoder.decode();
}

function unreadable(path: string, error: unknown): CommandFailure {
  return new CommandFailure(
    `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
  );
}
