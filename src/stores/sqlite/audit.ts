import type { AuditRow } from "../../domain/audit.ts";
import type { AuditQuery } from "../../ports/directory-store.ts";
import { type AuditEventRow, auditColumns, auditOf, placeholders, qualified } from "../rows.ts";
import type { SqlValue } from "../sql/steps.ts";
import type { Prepare, Statement } from "./statement.ts";

/** Statements that write to the audit log. */
export interface AuditStatements {
  readonly insert: Statement;
  readonly insertPersonal: Statement;
  readonly deletePersonal: Statement;
}

/** Prepares {@link AuditStatements}. */
export function auditStatements(prepare: Prepare): AuditStatements {
  return {
    insert: prepare(`INSERT INTO audit_events (${auditColumns}) VALUES (${placeholders(auditColumns)})`),
    insertPersonal: prepare("INSERT INTO audit_personal (event_id, field, value, salt) VALUES (?, ?, ?, ?)"),
    deletePersonal: prepare(
      "DELETE FROM audit_personal WHERE event_id IN (SELECT id FROM audit_events WHERE user_id = ?)",
    ),
  };
}

/** Adds a row, its personal fields beside it, where they can be deleted without touching what the log has sealed. */
export function insertAudit(statements: AuditStatements, row: AuditRow): void {
  const { id, type, createdAt, userId, sessionId, requestId, payload, digests, personal, seq, chainHash } =
    row;
  const about = [id, type, createdAt.getTime(), userId, sessionId, requestId] as const;
  statements.insert.run(...about, payload, digests, seq, chainHash);
  for (const { field, value, salt } of personal) statements.insertPersonal.run(id, field, value, salt);
}

/** Reads audit rows, with their personal fields; to be followed by a condition on `e`. */
export const auditSelection: string = `
    SELECT ${qualified("e", auditColumns)}, ip.value, ip.salt, agent.value, agent.salt, e.position FROM audit_events e
    LEFT JOIN audit_personal ip ON ip.event_id = e.id AND ip.field = 'ip'
    LEFT JOIN audit_personal agent ON agent.event_id = e.id AND agent.field = 'user_agent'`;

/** A row of {@link auditSelection}. */
export type PlacedRow = readonly [...event: AuditEventRow, position: number];

/** The audit row of a row. */
export function auditOfPlaced(row: PlacedRow): AuditRow {
  return auditOf(row.slice(0, placeAt) as unknown as AuditEventRow);
}

const placeAt = 14;

/** Reads the log: everybody's rows, or those of a user, of a type, of both. */
export interface AuditReading {
  readonly all: Statement<PlacedRow>;
  readonly ofUser: Statement<PlacedRow>;
  readonly ofType: Statement<PlacedRow>;
  readonly ofBoth: Statement<PlacedRow>;
  readonly place: Statement<readonly [createdAt: number, position: number]>;
}

/** Prepares {@link AuditReading}. */
export function auditReading(prepare: Prepare): AuditReading {
  // Rows of one millisecond come in the order in which they were written.
  const search = (given: string): Statement<PlacedRow> =>
    prepare(`
      ${auditSelection} WHERE ${given} (e.created_at, e.position) < (?, ?) AND e.created_at >= ?
      ORDER BY e.created_at DESC, e.position DESC LIMIT ?`);
  return {
    all: search(""),
    ofUser: search("e.user_id = ? AND"),
    ofType: search("e.type = ? AND"),
    // By the user's rows, which are fewer; a unary plus is what SQLite takes for a hint.
    ofBoth: search("e.user_id = ? AND +e.type = ? AND"),
    place: prepare("SELECT created_at, position FROM audit_events WHERE id = ?"),
  };
}

/** Rows that are asked for, newest first. */
export function readAudit(reading: AuditReading, query: AuditQuery): readonly AuditRow[] {
  const { userId, types, limit } = query;
  const span = spanOf(reading, query);
  if (span === null) return [];
  if (types === null) {
    const rows =
      userId === null ? reading.all.all(...span, limit) : reading.ofUser.all(userId, ...span, limit);
    return rows.map(auditOfPlaced);
  }
  // One type after the other, each along the index: one that is rare costs no reading of the others.
  const found = [...new Set(types)].flatMap((type) =>
    userId === null
      ? reading.ofType.all(type, ...span, limit)
      : reading.ofBoth.all(userId, type, ...span, limit),
  );
  return found.sort(newestFirst).slice(0, limit).map(auditOfPlaced);
}

/** Values of a span of time; null where the row that it ends at is not there: what is older is not there either. */
function spanOf({ place }: AuditReading, { from, to, before }: AuditQuery): readonly SqlValue[] | null {
  const start = from?.getTime() ?? Number.MIN_SAFE_INTEGER;
  const end = to?.getTime() ?? Number.MAX_SAFE_INTEGER;
  if (before === null) return [end, 0, start];
  const last = place.get(before);
  if (last === undefined) return null;
  return last[0] < end ? [...last, start] : [end, 0, start];
}

function newestFirst(a: PlacedRow, b: PlacedRow): number {
  return b[2] - a[2] || b[placeAt] - a[placeAt];
}
