import { auditColumns, qualified } from "../rows.ts";
import type { Queries } from "../sql/queries.ts";
import type { AuditSteps } from "../sql/steps.ts";
import { statement } from "./statement.ts";

// Both tables in one statement, for one round trip; positions are given in the order of the list.
const insert = statement(`
  WITH events AS (
    INSERT INTO audit_events (${auditColumns})
    SELECT ${qualified("e", auditColumns)} FROM unnest(
      $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[]
    ) WITH ORDINALITY AS e (${auditColumns}, place) ORDER BY e.place
  )
  INSERT INTO audit_personal (event_id, field, value, salt)
  SELECT * FROM unnest($11::text[], $12::text[], $13::text[], $14::text[])`);
const deletePersonal = statement(`
  DELETE FROM audit_personal WHERE event_id IN (SELECT id FROM audit_events WHERE user_id = $1)`);

/** The steps about the audit log. */
export function auditSteps(queries: Queries): AuditSteps {
  return {
    async insertAudit(rows) {
      const fields = rows.flatMap(({ id, personal }) =>
        personal.map(({ field, value, salt }) => [id, field, value, salt] as const),
      );
      const events = rows.map(
        (row) =>
          [
            row.id,
            row.type,
            row.createdAt.getTime(),
            row.userId,
            row.sessionId,
            row.requestId,
            row.payload,
            row.digests,
            row.seq,
            row.chainHash,
          ] as const,
      );
      await queries.run(insert, ...columnsOf(events, 10), ...columnsOf(fields, 4));
    },
    async deletePersonal(userId) {
      await queries.run(deletePersonal, userId);
    },
  };
}

function columnsOf<T>(rows: readonly (readonly T[])[], width: number): T[][] {
  return Array.from({ length: width }, (_, column) => rows.map((row) => row[column] as T));
}
