import type { AuditQuery, DirectoryStore } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type CheckpointRow, checkpointColumns, checkpointOf } from "../people-rows.ts";
import { type AuditEventRow, auditColumns, auditOf, qualified } from "../rows.ts";
import type { Rows, Statement } from "./queries.ts";
import type { SqlValue } from "./steps.ts";

/** An audit row and its place in the order of writing. */
type PlacedRow = readonly [...event: AuditEventRow, position: number];

/** The statements that read the audit log, in the order in which their values are given. */
export interface AuditStatements {
  /** Of an instant from which on, one up to which (twice), a position before which rows of that last instant lie, and a limit. */
  readonly ofAll: Statement<PlacedRow>;
  /** The same, after a user's id. */
  readonly ofUser: Statement<PlacedRow>;
  /** The same, after a type. */
  readonly ofType: Statement<PlacedRow>;
  /** The same, after a user's id and a type. */
  readonly ofBoth: Statement<PlacedRow>;
  /** Of an id. */
  readonly place: Statement<readonly [createdAt: number, position: number]>;
  /** Of a position in the sealed log and a limit. */
  readonly sealed: Statement<AuditEventRow>;
  readonly checkpoints: Statement<CheckpointRow>;
  /** Of a name. */
  readonly cursor: Statement<readonly [seq: number]>;
  readonly cursors: Statement<readonly [name: string, seq: number]>;
}

/** An audit row's columns, for an `audit_events e`. */
export const auditSelection: string = `${qualified("e", auditColumns)}, ip.value, ip.salt, agent.value, agent.salt`;
/** What they are read from. */
export const auditSource: string = `audit_events e
    LEFT JOIN audit_personal ip ON ip.event_id = e.id AND ip.field = 'ip'
    LEFT JOIN audit_personal agent ON agent.event_id = e.id AND agent.field = 'user_agent'`;

/** Writes the statements; `at` is the placeholder of the first, second, … value. */
export function auditStatements(
  statement: <Row extends readonly SqlValue[]>(text: string) => Statement<Row>,
  at: (place: number) => string,
): AuditStatements {
  // Rows of one millisecond come in the order in which they were written.
  function search(columns: readonly string[]): Statement<PlacedRow> {
    const value = (offset: number): string => at(columns.length + offset);
    const given = columns.map((column, index) => `${column} = ${at(index + 1)} AND `).join("");
    return statement(`
      SELECT ${auditSelection}, e.position FROM ${auditSource}
      WHERE ${given}e.created_at >= ${value(1)} AND e.created_at <= ${value(2)}
      AND (e.created_at < ${value(3)} OR e.position < ${value(4)})
      ORDER BY e.created_at DESC, e.position DESC LIMIT ${value(5)}`);
  }
  return {
    ofAll: search([]),
    ofUser: search(["e.user_id"]),
    ofType: search(["e.type"]),
    ofBoth: search(["e.user_id", "e.type"]),
    place: statement(`SELECT created_at, position FROM audit_events WHERE id = ${at(1)}`),
    sealed: statement(`
      SELECT ${auditSelection} FROM ${auditSource} WHERE e.seq > ${at(1)} ORDER BY e.seq LIMIT ${at(2)}`),
    checkpoints: statement(`SELECT ${checkpointColumns} FROM audit_checkpoints ORDER BY seq`),
    cursor: statement(`SELECT seq FROM audit_cursors WHERE name = ${at(1)}`),
    cursors: statement("SELECT name, seq FROM audit_cursors"),
  };
}

/** Reads the audit log in a database on a server. */
export function auditReads(
  rows: Rows,
  statements: AuditStatements,
): Pick<DirectoryStore, "auditRows" | "sealedAudit" | "auditCheckpoints" | "cursor" | "cursors"> {
  return {
    async auditRows(query, call) {
      const span = await spanOf(query, call);
      if (span === null) return [];
      const limit = `${query.limit}`;
      if (query.types === null) {
        const found =
          query.userId === null
            ? await rows(call, statements.ofAll, ...span, limit)
            : await rows(call, statements.ofUser, query.userId, ...span, limit);
        return found.map(eventOf);
      }
      // One type after the other, each along its own index: one that is rare costs no reading of the others.
      const found: PlacedRow[] = [];
      for (const type of new Set(query.types)) {
        const some =
          query.userId === null
            ? await rows(call, statements.ofType, type, ...span, limit)
            : await rows(call, statements.ofBoth, query.userId, type, ...span, limit);
        found.push(...some);
      }
      return found.toSorted(newestFirst).slice(0, query.limit).map(eventOf);
    },
    sealedAudit: async ({ afterSeq, limit }, call) =>
      (await rows(call, statements.sealed, afterSeq, `${limit}`)).map(auditOf),
    auditCheckpoints: async (call) => (await rows(call, statements.checkpoints)).map(checkpointOf),
    async cursor(name, call) {
      const [[seq] = [null]] = await rows(call, statements.cursor, name);
      return seq;
    },
    cursors: async (call) => (await rows(call, statements.cursors)).map(([name, seq]) => ({ name, seq })),
  };

  /** The values of a span of time; null where the row that it ends at is not there: those before it are not either. */
  async function spanOf(
    { from, to, before }: AuditQuery,
    call: StoreCall,
  ): Promise<readonly number[] | null> {
    const start = from?.getTime() ?? Number.MIN_SAFE_INTEGER;
    const end = to?.getTime() ?? Number.MAX_SAFE_INTEGER;
    if (before === null) return [start, end, end, 0];
    const [place] = await rows(call, statements.place, before);
    if (place === undefined) return null;
    const [createdAt, position] = place;
    return createdAt < end ? [start, createdAt, createdAt, position] : [start, end, end, 0];
  }
}

/** Where an audit row's place stands. */
const placeAt = 14;

function eventOf(row: PlacedRow): ReturnType<typeof auditOf> {
  return auditOf(row.slice(0, placeAt) as unknown as AuditEventRow);
}

function newestFirst(a: PlacedRow, b: PlacedRow): number {
  return b[2] - a[2] || b[placeAt] - a[placeAt];
}
