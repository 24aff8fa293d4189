import { open } from "node:fs/promises";
import { createGunzip } from "node:zlib";

/** A file as text, piece by piece. */
export interface TextFile {
  readonly chunks: AsyncIterable<string>;
  /** Size in bytes, as it lies on the disk. */
  readonly size: number;
  /** How many of them were read so far. */
  readonly position: () => number;
  close(): Promise<void>;
}

/** Opens a file of UTF-8 text, unpacked where its name ends in `.gz`. A mark at its beginning is left out. */
export async function openText(path: string): Promise<TextFile> {
  const handle = await open(path, "r");
  const { size } = await handle.stat();
  const bytes = handle.createReadStream({ autoClose: false });
  const unpacked = path.endsWith(".gz") ? bytes.pipe(createGunzip()) : bytes;
  // Destroying the source of a pipe does not end what it leads to.
  bytes.on("error", (error) => unpacked.destroy(error));
  return {
    chunks: decoded(unpacked),
    size,
    position: () => bytes.bytesRead,
    async close() {
      bytes.destroy();
      unpacked.destroy();
      await handle.close();
    },
  };
}

async function* decoded(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8");
  for await (const chunk of bytes) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}
