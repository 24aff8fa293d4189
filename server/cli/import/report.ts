import { chmod, open } from "node:fs/promises";
import type { ImportNote, ImportReason } from "latchkey/transfer";
import { CommandFailure } from "../failure.ts";

/** Rows that were not imported, or not whole: counted by reason, and written down where a file is asked for. */
export interface Report {
  readonly add: (note: ImportNote) => Promise<void>;
  readonly counts: ReadonlyMap<ImportReason, number>;
  close(): Promise<void>;
}

/**
 * Opens a report.
 *
 * @param path - a file of lines of JSON, for the owner alone to read: it holds addresses. One that is there is written anew. Null: none
 * @throws CommandFailure where it cannot be written
 */
export async function openReport(path: string | null): Promise<Report> {
  const counts = new Map<ImportReason, number>();
  const handle = path === null ? null : await created(path);
  return {
    counts,
    async add({ row, isImported, reason, detail, sourceId, email }) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      const line = { row, imported: isImported, reason, detail, source_id: sourceId, email };
      await handle?.appendFile(`${JSON.stringify(line)}\n`);
    },
    close: async () => handle?.close(),
  };
}

async function created(path: string) {
  try {
    const handle = await open(path, "w", 0o600);
    // One that was there before keeps its mode.
    await chmod(path, 0o600);
    return handle;
  } catch (error) {
    throw new CommandFailure(
      `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
