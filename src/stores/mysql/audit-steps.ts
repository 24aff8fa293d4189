import type { AuditRow } from "../../domain/audit.ts";
import { auditColumns, placeholders } from "../rows.ts";
import type { Queries, Statement } from "../sql/queries.ts";
import type { AuditSteps, SqlValue } from "../sql/steps.ts";
import { statement } from "./statement.ts";

/** Rows that go in one statement, where there are as many; the rest go one by one. */
const batch = 25;

/** The same insert of one row and of many. */
interface Insert {
  readonly one: Statement;
  readonly many: Statement;
}

const events = insertInto("audit_events", auditColumns);
const fields = insertInto("audit_personal", "event_id, field, value, salt");
const deletePersonal = statement(`
  DELETE p FROM audit_events e JOIN audit_personal p ON p.event_id = e.id WHERE e.user_id = ?`);

function insertInto(table: string, columns: string): Insert {
  const row = `(${placeholders(columns)})`;
  const into = `INSERT INTO ${table} (${columns}) VALUES ${row}`;
  return { one: statement(into), many: statement(into + `, ${row}`.repeat(batch - 1)) };
}

/** The steps about the audit log. */
export function auditSteps(queries: Queries): AuditSteps {
  async function insertAll({ one, many }: Insert, rows: readonly (readonly SqlValue[])[]): Promise<void> {
    const whole = rows.length - (rows.length % batch);
    for (let from = 0; from < whole; from += batch)
      await queries.run(many, ...rows.slice(from, from + batch).flat());
    for (const row of rows.slice(whole)) await queries.run(one, ...row);
  }

  return {
    async insertAudit(rows) {
      await insertAll(events, rows.map(eventRow));
      const personal = rows.flatMap((row) =>
        row.personal.map(({ field, value, salt }) => [row.id, field, value, salt] as const),
      );
      await insertAll(fields, personal);
    },
    async deletePersonal(userId) {
      await queries.run(deletePersonal, userId);
    },
  };
}

function eventRow(row: AuditRow): readonly SqlValue[] {
  const { id, type, createdAt, userId, sessionId, requestId, payload, digests, seq, chainHash } = row;
  return [id, type, createdAt.getTime(), userId, sessionId, requestId, payload, digests, seq, chainHash];
}
