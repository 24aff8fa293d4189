import * as z from "zod/mini";
import type { Audit } from "../api/audit.ts";
import type { EventType } from "../domain/event.ts";
import { AuthError } from "../errors.ts";
import type { AuditFormat } from "../flows/audit/export-audit.ts";
import type { AuditSearch } from "../flows/audit/search-audit.ts";
import type { Guard } from "../ports/guard.ts";
import type { Route } from "../ports/route.ts";
import type { SignedInContext, Visit } from "../ports/visit.ts";
import { row } from "./row.ts";

/** Rows of one answer; what follows is asked for by its `Link`. */
const mostRows = 10_000;

const formats: Readonly<Record<AuditFormat, string>> = {
  ndjson: "application/x-ndjson; charset=utf-8",
  csv: "text/csv; charset=utf-8; header=present",
};

/** Who may read the log. */
export interface AuditReaders {
  readonly mayRead: Guard;
  /** Their context. @throws AuthError `forbidden`, also where somebody else acts in their place */
  reading(visit: Visit): Promise<SignedInContext>;
}

/** The audit log, for saving. */
export function auditRoutes(audit: Audit, { mayRead, reading }: AuditReaders): readonly Route[] {
  return [
    row({
      method: "GET",
      path: "/audit/export",
      summary:
        "The audit log as NDJSON or CSV, newest first, 10,000 rows at a time (`format`, `user_id`, `type`, `from`, `to`, `before`)",
      guards: [mayRead],
      limit: { name: "audit_export", limit: 60, windowSeconds: 3_600 },
      answers: { 200: z.string() },
      async handle({ query, ...call }) {
        const { principal, from } = await reading(call);
        const format = query.get("format") ?? "ndjson";
        if (format !== "ndjson" && format !== "csv") throw badQuery("format", "ndjson or csv");
        const exporter = { userId: principal.user.id, sessionId: principal.sessionId, from };
        const wanted = { format, search: searchOf(query), mostRows } as const;
        const { text, next } = await audit.exportPart(wanted, exporter);
        const name = `audit.${format}`;
        const file = { name, type: formats[format], text, ...(next !== null && { next: { before: next } }) };
        return { status: 200, file };
      },
    }),
  ];
}

function searchOf(query: URLSearchParams): Omit<AuditSearch, "limit"> {
  const types = query.getAll("type").flatMap((text) => text.split(","));
  return {
    userId: query.get("user_id"),
    types: types.length === 0 ? null : types.map(typeOf),
    from: dateOf(query, "from"),
    to: dateOf(query, "to"),
    before: query.get("before"),
  };
}

// A type that does not exist finds nothing: newer processes may write types that this one does not know.
function typeOf(text: string): EventType {
  if (!/^[a-z_]{1,40}\.[a-z_]{1,40}$/.test(text))
    throw badQuery("type", "names of events, as in user.logged_in");
  return text as EventType;
}

function dateOf(query: URLSearchParams, name: string): Date | null {
  const text = query.get(name);
  if (text === null) return null;
  const date = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(date.getTime()))
    throw badQuery(name, "a time as in 2026-01-31T12:00:00Z");
  return date;
}

function badQuery(field: string, message: string): AuthError {
  return new AuthError("invalid_input", { fields: [{ field, code: "invalid", message }] });
}
