import { type AuditRow, eventOfRow } from "../../domain/audit.ts";
import type { EventOrigin } from "../../domain/event.ts";
import { noOrigin } from "../../domain/event.ts";
import { wireEvent } from "../../domain/event-wire.ts";
import type { Services } from "../../ports/services.ts";
import { type AuditSearch, auditPages, mostAuditRows } from "./search-audit.ts";

/** How an export is written. */
export type AuditFormat = "ndjson" | "csv";

const columns = [
  "seq",
  "timestamp",
  "type",
  "id",
  "user_id",
  "session_id",
  "ip",
  "user_agent",
  "request_id",
  "data",
  "digests",
  "chain_hash",
] as const;

/** An audit row in the spelling of the wire. */
export type WireAuditRow = Readonly<Record<(typeof columns)[number], unknown>>;

/** What is exported, and how. */
export interface AuditExport {
  /**
   * `ndjson`: an object a line. `csv`: RFC 4180 with a line of names; `data` and `digests` are JSON, and a text that a spreadsheet would
   * take for a formula has an apostrophe before it.
   */
  readonly format: AuditFormat;
  readonly search?: Omit<AuditSearch, "limit">;
}

/** Who exports. */
export interface Exporter {
  /** Null for an operator. */
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly from: EventOrigin;
}

/** Some of an export. */
export interface ExportPart {
  readonly text: string;
  readonly rows: number;
  /** `before` of what follows; null at the end. */
  readonly next: string | null;
}

/** An operator at the command line. */
export const operatorExport: Exporter = { userId: null, sessionId: null, from: noOrigin };

/**
 * The audit log as text, the newest rows first, a page at a time: nothing grows with the length of the log. That it was exported is
 * put on record at the end, also where whoever reads stops early.
 */
export async function* exportAudit(
  services: Services,
  { format, search = {} }: AuditExport,
  exporter: Exporter,
): AsyncGenerator<ExportPart, void, void> {
  let exported = 0;
  try {
    if (format === "csv") yield { text: csvHead, rows: 0, next: search.before ?? null };
    for await (const { rows, next } of auditPages(services, search)) {
      exported += rows.length;
      yield { text: linesOf(rows, format), rows: rows.length, next };
    }
  } finally {
    await noteExport(services, exported, exporter);
  }
}

/** The first rows of an export, at most `mostRows`, in one piece. */
export async function exportAuditPart(
  services: Services,
  wanted: AuditExport & { readonly mostRows: number },
  exporter: Exporter,
): Promise<ExportPart> {
  const texts: string[] = [];
  let [rows, next] = [0, null as string | null];
  for await (const part of exportAudit(services, wanted, exporter)) {
    texts.push(part.text);
    rows += part.rows;
    next = part.next;
    if (rows + mostAuditRows > wanted.mostRows) break;
  }
  return { text: texts.join(""), rows, next };
}

async function noteExport(services: Services, exported: number, exporter: Exporter): Promise<void> {
  const { from, ...whose } = exporter;
  const payload = { what: "audit", exported } as const;
  const row = services.events.row({ type: "export.finished", ...whose, payload }, from);
  await services.commit([{ kind: "audit.insert", row }]);
}

const csvHead = `${columns.join(",")}\r\n`;

/** An audit row in the spelling of the wire. `digests` and `chain_hash` are what a verifier needs besides. */
export function wireAuditRow(row: AuditRow): WireAuditRow {
  return {
    ...wireEvent(eventOfRow(row)),
    seq: row.seq,
    digests: JSON.parse(row.digests),
    chain_hash: row.chainHash,
  };
}

function linesOf(rows: readonly AuditRow[], format: AuditFormat): string {
  return rows.map(format === "csv" ? csvLine : ndjsonLine).join("");
}

function ndjsonLine(row: AuditRow): string {
  return `${JSON.stringify(wireAuditRow(row))}\n`;
}

function csvLine(row: AuditRow): string {
  const wire = wireAuditRow(row);
  return `${columns.map((column) => cell(wire[column])).join(",")}\r\n`;
}

function cell(value: unknown): string {
  if (value === null) return "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

// Full-width signs are read as their narrow ones. @see OWASP, "CSV Injection"
const formula = /^\s*[=+\-@\t\r＝＋－＠]/u;
