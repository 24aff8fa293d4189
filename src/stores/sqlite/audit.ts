import type { AuditRow } from "../../domain/audit.ts";
import { type AuditEventRow, auditColumns, auditOf, placeholders, qualified } from "../rows.ts";
import type { Prepare, Statement } from "./statement.ts";

/** Statements about the audit log. */
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

/** Reads the log. */
export interface AuditReading {
  readonly everybody: Statement<AuditEventRow>;
  readonly ofUser: Statement<AuditEventRow>;
}

/** Prepares {@link AuditReading}. */
export function auditReading(prepare: Prepare): AuditReading {
  const rows = `
    SELECT ${qualified("e", auditColumns)}, ip.value, ip.salt, agent.value, agent.salt FROM audit_events e
    LEFT JOIN audit_personal ip ON ip.event_id = e.id AND ip.field = 'ip'
    LEFT JOIN audit_personal agent ON agent.event_id = e.id AND agent.field = 'user_agent'`;
  // Rows of one millisecond come in the order in which they were written.
  const newest = "ORDER BY e.created_at DESC, e.position DESC LIMIT ?";
  return {
    everybody: prepare(`${rows} ${newest}`),
    ofUser: prepare(`${rows} WHERE e.user_id = ? ${newest}`),
  };
}

/** Rows of a user, or of everybody, newest first. */
export function readAudit(
  reading: AuditReading,
  { userId, limit }: { readonly userId: string | null; readonly limit: number },
): readonly AuditRow[] {
  const rows = userId === null ? reading.everybody.all(limit) : reading.ofUser.all(userId, limit);
  return rows.map(auditOf);
}
