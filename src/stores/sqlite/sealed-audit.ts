import type { DirectoryStore, SealedRows } from "../../ports/directory-store.ts";
import { type CheckpointRow, checkpointColumns, checkpointOf, checkpointRow } from "../people-rows.ts";
import { placeholders } from "../rows.ts";
import { type LogEnd, logEnd, sealedRows, seals } from "../sealing.ts";
import { auditOfPlaced, auditSelection, type PlacedRow } from "./audit.ts";
import type { Connection } from "./connection.ts";
import type { Prepare, Statement } from "./statement.ts";
import type { EndRow, Handlers, SealStatements, WriteRun } from "./write-run.ts";

/** Prepares {@link SealStatements}. */
export function sealStatements(prepare: Prepare): SealStatements {
  return {
    // Named, since SQLite would go through the log from its beginning to have the order for nothing.
    unsealed: prepare(`
      ${auditSelection} WHERE e.position IN (
        SELECT position FROM audit_events INDEXED BY audit_events_unsealed WHERE seq IS NULL ORDER BY position LIMIT ?
      ) ORDER BY e.position`),
    lastRow: prepare(
      "SELECT seq, chain_hash FROM audit_events WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1",
    ),
    lastCheckpoint: prepare("SELECT seq, chain_hash FROM audit_checkpoints ORDER BY seq DESC LIMIT 1"),
    seal: prepare("UPDATE audit_events SET seq = ?, chain_hash = ? WHERE id = ?"),
    sealedHere: prepare("SELECT 1 FROM audit_events WHERE seq = ? AND chain_hash = ?"),
    insertCheckpoint: prepare(`
      INSERT INTO audit_checkpoints (${checkpointColumns}) VALUES (${placeholders(checkpointColumns)})`),
    leastCursor: prepare("SELECT min(seq) FROM audit_cursors"),
    insertCursor: prepare(
      "INSERT INTO audit_cursors (name, seq) VALUES (?, ?) ON CONFLICT (name) DO NOTHING",
    ),
    moveCursor: prepare("UPDATE audit_cursors SET seq = ? WHERE name = ? AND seq = ?"),
    deleteCursor: prepare("DELETE FROM audit_cursors WHERE name = ?"),
    drop: prepare(`
      DELETE FROM audit_events WHERE position IN (
        SELECT position FROM audit_events WHERE seq <= ? ORDER BY seq LIMIT ?
      )`),
  };
}

/** The writes about the sealed log; what each promises stands at `Write`. */
export const sealHandlers: Pick<Handlers, "audit.checkpoint" | "cursor.move" | "cursor.delete"> = {
  "audit.checkpoint": ({ checkpoint }, { statements: { seals: statements } }) => {
    const { seq, chainHash } = checkpoint;
    const [newest = 0] = statements.lastCheckpoint.get() ?? [];
    if (newest >= seq || statements.sealedHere.get(seq, chainHash) === undefined) return "conflict";
    statements.insertCheckpoint.run(...checkpointRow(checkpoint));
    return null;
  },

  "cursor.move": ({ name, from, to }, { statements: { seals: statements } }) => {
    const { changes } =
      from === null ? statements.insertCursor.run(name, to) : statements.moveCursor.run(to, name, from);
    return changes === 1 ? null : "conflict";
  },

  "cursor.delete": ({ name }, { statements }) => {
    statements.seals.deleteCursor.run(name);
    return null;
  },
};

/** Gives the oldest unsealed rows their positions. @see DirectoryStore.sealAudit */
export function sealAudit(
  { statements: { seals: statements } }: WriteRun,
  { limit, chain }: Parameters<DirectoryStore["sealAudit"]>[0],
): SealedRows | null {
  const rows = statements.unsealed.all(limit).map(auditOfPlaced);
  const end = logEnd(endOf(statements.lastRow.get()), endOf(statements.lastCheckpoint.get()));
  const given = seals(rows, end, chain);
  for (const { id, seq, chainHash } of given) statements.seal.run(seq, chainHash, id);
  return sealedRows(given);
}

/** Drops sealed rows that nobody needs any more; how many. @see DirectoryStore.dropAudit */
export function dropAudit(
  { statements: { seals: statements } }: WriteRun,
  { throughSeq, limit }: Parameters<DirectoryStore["dropAudit"]>[0],
): number {
  const [checkpoint = 0] = statements.lastCheckpoint.get() ?? [];
  const [reached] = statements.leastCursor.get() ?? [];
  const most = Math.min(throughSeq, checkpoint, reached ?? checkpoint);
  return Number(statements.drop.run(most, limit).changes);
}

function endOf(row: EndRow | undefined): LogEnd | null {
  return row === undefined ? null : { seq: row[0], chainHash: row[1] };
}

interface SealReading {
  readonly sealed: Statement<PlacedRow>;
  readonly checkpoints: Statement<CheckpointRow>;
  readonly cursor: Statement<readonly [seq: number]>;
  readonly cursors: Statement<readonly [name: string, seq: number]>;
}

function sealReading(prepare: Prepare): SealReading {
  return {
    sealed: prepare(`${auditSelection} WHERE e.seq > ? ORDER BY e.seq LIMIT ?`),
    checkpoints: prepare(`SELECT ${checkpointColumns} FROM audit_checkpoints ORDER BY seq`),
    cursor: prepare("SELECT seq FROM audit_cursors WHERE name = ?"),
    cursors: prepare("SELECT name, seq FROM audit_cursors"),
  };
}

/** Reads the sealed log on SQLite. */
export function sealReads(
  connection: Connection,
): Pick<DirectoryStore, "sealedAudit" | "auditCheckpoints" | "cursor" | "cursors"> {
  const reading = connection.prepared(sealReading);
  return {
    sealedAudit: ({ afterSeq, limit }, call) =>
      connection.read(() => reading().sealed.all(afterSeq, limit).map(auditOfPlaced), call),
    auditCheckpoints: (call) => connection.read(() => reading().checkpoints.all().map(checkpointOf), call),
    cursor: (name, call) => connection.read(() => reading().cursor.get(name)?.[0] ?? null, call),
    cursors: (call) =>
      connection.read(
        () =>
          reading()
            .cursors.all()
            .map(([name, seq]) => ({ name, seq })),
        call,
      ),
  };
}
