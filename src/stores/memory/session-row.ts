import type { Session } from "../../domain/session.ts";
import { familyCells, familyOf } from "../refresh.ts";

/**
 * A session as it is kept. `packed` is a string of one byte per character: seven numbers, the digest, then JSON of the
 * rest, which ends with the refresh tokens where there are any. An object with a field for each would take more than twice
 * the memory.
 */
export interface SessionRow {
  /** The user's id; one string for the directory and all their sessions. */
  readonly owner: string | null;
  /** Shared with the other sessions of the same browser version. */
  readonly userAgent: string | null;
  readonly packed: string;
}

const numberBytes = 6;
const digestStart = 7 * numberBytes;
const tailStart = digestStart + 32;

/** The row of a session; `owner` and `userAgent` are the shared strings. */
export function packSession(session: Session, shared: Pick<SessionRow, "owner" | "userAgent">): SessionRow {
  const { secretDigest, authTime, amr, isRemembered, ip, rotatedFrom, data } = session;
  if (secretDigest.length !== 32) throw new TypeError("a session's secretDigest has 32 bytes");
  const hasAuthTime = authTime === null ? 0 : 1;
  const refresh = session.refresh === null ? [] : [familyCells(session.refresh)];
  const rest = [amr, isRemembered ? 1 : 0, hasAuthTime, ip, rotatedFrom, data, ...refresh];
  const tail = Buffer.from(JSON.stringify(rest));
  const bytes = Buffer.allocUnsafe(tailStart + tail.length);
  numbersOf(session).forEach((number, at) => {
    bytes.writeUIntBE(number, at * numberBytes, numberBytes);
  });
  bytes.set(secretDigest, digestStart);
  bytes.set(tail, tailStart);
  // Written out: what a spread makes has room for fields that never come.
  return { owner: shared.owner, userAgent: shared.userAgent, packed: bytes.toString("latin1") };
}

// Both limits come first, where `endOf` reads them.
function numbersOf(session: Session): readonly number[] {
  const { idleExpiresAt, expiresAt, createdAt, lastUsedAt, authTime, generation, dataVersion } = session;
  const times = [idleExpiresAt, expiresAt, createdAt, lastUsedAt].map((time) => time.getTime());
  return [...times, authTime?.getTime() ?? 0, generation, dataVersion];
}

/** The session of a row. */
export function unpackSession(id: string, { owner, userAgent, packed }: SessionRow): Session {
  const bytes = Buffer.from(packed, "latin1");
  const number = (at: number): number => bytes.readUIntBE(at * numberBytes, numberBytes);
  const [amr, isRemembered, hasAuthTime, ip, rotatedFrom, data, refresh] = JSON.parse(
    bytes.toString("utf8", tailStart),
  );
  return {
    id,
    secretDigest: new Uint8Array(bytes.subarray(digestStart, tailStart)),
    userId: owner,
    generation: number(5),
    authTime: hasAuthTime === 1 ? new Date(number(4)) : null,
    amr,
    isRemembered: isRemembered === 1,
    createdAt: new Date(number(2)),
    lastUsedAt: new Date(number(3)),
    idleExpiresAt: new Date(number(0)),
    expiresAt: new Date(number(1)),
    ip,
    userAgent,
    rotatedFrom,
    data,
    dataVersion: number(6),
    refresh: refresh === undefined ? null : familyOf(refresh),
  };
}

/** The earlier of a row's two limits, in milliseconds since the epoch, without unpacking it. */
export function endOf({ packed }: SessionRow): number {
  return Math.min(numberAt(packed, 0), numberAt(packed, numberBytes));
}

function numberAt(packed: string, start: number): number {
  let number = 0;
  for (let at = start; at < start + numberBytes; at++) number = number * 256 + packed.charCodeAt(at);
  return number;
}
