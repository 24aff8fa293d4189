import { createHash } from "node:crypto";
import type { AuthEvent } from "./event.ts";

/** A field of an audit row that can be removed later, with the salt that its digest was made with. */
export interface PersonalField {
  readonly field: "ip" | "user_agent";
  readonly value: string;
  /** 16 bytes, base64url. Deleted together with the value, after which the digest says nothing about it. */
  readonly salt: string;
}

/** An event as the directory keeps it: written in the transaction of the change that it reports. */
export interface AuditRow {
  readonly id: string;
  readonly type: AuthEvent["type"];
  readonly createdAt: Date;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly requestId: string | null;
  /** JSON of the event's payload. */
  readonly payload: string;
  /** JSON `{ field: base64url SHA-256(salt, value) }` of the personal fields; what a hash chain covers in their place. */
  readonly digests: string;
  readonly personal: readonly PersonalField[];
  /** Position in the sealed log; null until a sealer assigns it. */
  readonly seq: number | null;
  /** Digest over the row and its predecessor; null until sealed. */
  readonly chainHash: string | null;
}

/** A signed position of the sealed log: what lies before it may be dropped, and what follows is verified from it. */
export interface AuditCheckpoint {
  /** `AuditRow.seq` of the last row that it covers. */
  readonly seq: number;
  /** `AuditRow.chainHash` of that row. */
  readonly chainHash: string;
  readonly createdAt: Date;
  /** Id of the key, a dot, and the Ed25519 signature over position, digest and time, base64url. */
  readonly signature: string;
}

/** The audit row of an event. `salt` gives 16 fresh random bytes, base64url, at each call. */
export function auditRow(event: AuthEvent, salt: () => string): AuditRow {
  const personal: PersonalField[] = [];
  if (event.ip !== null) personal.push({ field: "ip", value: event.ip, salt: salt() });
  if (event.userAgent !== null) personal.push({ field: "user_agent", value: event.userAgent, salt: salt() });
  const { id, type, createdAt, userId, sessionId, requestId } = event;
  return {
    id,
    type,
    createdAt,
    userId,
    sessionId,
    requestId,
    payload: JSON.stringify(event.payload),
    digests: JSON.stringify(
      Object.fromEntries(personal.map((entry) => [entry.field, personalDigest(entry)])),
    ),
    personal,
    seq: null,
    chainHash: null,
  };
}

/** SHA-256 over salt and value, base64url. The salt has a fixed length, so the two cannot run into each other. */
export function personalDigest(entry: Pick<PersonalField, "salt" | "value">): string {
  return createHash("sha256").update(entry.salt).update(entry.value).digest("base64url");
}

/** The event that a row reports, for listeners; personal fields that were removed since are null. */
export function eventOfRow(row: AuditRow): AuthEvent {
  const { id, type, createdAt, userId, sessionId, requestId } = row;
  const value = (field: PersonalField["field"]): string | null =>
    row.personal.find((entry) => entry.field === field)?.value ?? null;
  const base = {
    id,
    createdAt,
    userId,
    sessionId,
    requestId,
    ip: value("ip"),
    userAgent: value("user_agent"),
  };
  return { ...base, type, payload: JSON.parse(row.payload) } as AuthEvent;
}
