import { createHash } from "node:crypto";
import type { AuditRow } from "./audit.ts";

/**
 * The bytes that the digest of a sealed row is made of, as text to be read in UTF-8: three lines, each ended by U+000A but the last.
 *
 * 1. `latchkey/audit/1`
 * 2. the digest of the row before, 43 characters of base64url; empty for the row of `seq` 1
 * 3. the row as a JSON array without blanks, as `JSON.stringify` writes it: `[seq, id, type, createdAt, userId, sessionId, requestId,
 *    payload, digests]`; `createdAt` in the form `2026-01-31T12:00:00.000Z`, what is absent `null`, payload and digests as the texts
 *    that they are stored as
 *
 * Addresses and user agents are covered by their digests alone, so that they can be erased.
 */
export function chainText(row: AuditRow, previous: string | null): string {
  const { seq, id, type, createdAt, userId, sessionId, requestId, payload, digests } = row;
  const canonical = [
    ...[seq, id, type, createdAt.toISOString()],
    ...[userId, sessionId, requestId, payload, digests],
  ];
  return `latchkey/audit/1\n${previous ?? ""}\n${JSON.stringify(canonical)}`;
}

/** SHA-256 of {@link chainText}, base64url: what `AuditRow.chainHash` holds. */
export function chainHash(row: AuditRow, previous: string | null): string {
  return createHash("sha256").update(chainText(row, previous)).digest("base64url");
}
