import { type Session, sessionIdLength, slotTagLength } from "../domain/session.ts";
import { type FamilyCells, familyCells, familyOf } from "./refresh.ts";
import { type SessionRow, sessionOf, sessionRow } from "./rows.ts";

/** First line of every text; another version of the format has another. */
const head = "latchkey-sessions 1";
const idShape = new RegExp(`^[A-Za-z0-9]{${sessionIdLength}}$`);
const tagShape = new RegExp(`^[A-Za-z0-9]{${slotTagLength}}$`);

/** The slot that a session lies in, or null where the id was never handed out by anybody. */
export function slotOf(sessionId: string): string | null {
  return idShape.test(sessionId) ? sessionId.slice(0, slotTagLength) : null;
}

/** Whether a text can be a slot tag. */
export function isSlotTag(text: string): boolean {
  return tagShape.test(text);
}

/** The sessions of one slot as one text: a line for each, as JSON, so that no line has a control character in it. */
export function slotText(sessions: readonly Session[]): string {
  return [head, ...sessions.map(lineOf)].join("\n");
}

/** Bytes that a session takes in a text. */
export function lineBytes(session: Session): number {
  return Buffer.byteLength(lineOf(session)) + 1;
}

/** All sessions of a text. @throws Error for what {@link slotText} never wrote */
export function sessionsOf(text: string): readonly Session[] {
  const [first, ...lines] = text.split("\n");
  if (first !== head) throw unreadable();
  return lines.map(sessionOfLine);
}

/** One session of a text, without reading the others; null where it is not there. @throws Error as {@link sessionsOf} */
export function sessionIn(text: string, id: string): Session | null {
  if (!text.startsWith(head)) throw unreadable();
  const start = text.indexOf(`\n["${id}",`) + 1;
  if (start === 0) return null;
  const end = text.indexOf("\n", start);
  return sessionOfLine(text.slice(start, end === -1 ? undefined : end));
}

/** Values of a line, and which of them says where the session came from. */
const lineWidth = 16;
const originAt = 13;

type Line = readonly [id: string, digest: string, ...rest: readonly unknown[]];
/** The id of the session that this one replaced; the refresh tokens follow it where there are any. */
type Origin = string | null | readonly [rotatedFrom: string | null, ...family: FamilyCells];

function lineOf(session: Session): string {
  const row = sessionRow(session);
  const line: Line = [row[0], Buffer.from(row[1]).toString("base64url"), ...row.slice(2, lineWidth)];
  return JSON.stringify(line.with(originAt, originOf(session)));
}

// A process of the version before refuses a line that has more values, and with it all sessions of the user. By this one it
// decides nothing, and it writes it back as it was.
function originOf({ rotatedFrom, refresh }: Session): Origin {
  return refresh === null ? rotatedFrom : [rotatedFrom, ...familyCells(refresh)];
}

function sessionOfLine(line: string): Session {
  const values = parsed(line);
  const [id, digest] = values;
  if (typeof digest !== "string" || values.length !== lineWidth) throw unreadable();
  const { rotatedFrom, refresh } = fromOrigin(values[originAt] as Origin);
  const row = [id, new Uint8Array(Buffer.from(digest, "base64url")), ...values.slice(2), null, null, null];
  return { ...sessionOf(row as unknown as SessionRow), rotatedFrom, refresh };
}

function fromOrigin(origin: Origin): Pick<Session, "rotatedFrom" | "refresh"> {
  if (origin === null || typeof origin === "string") return { rotatedFrom: origin, refresh: null };
  const [rotatedFrom, ...family] = origin;
  return { rotatedFrom, refresh: familyOf(family) };
}

function parsed(line: string): Line {
  try {
    return JSON.parse(line);
  } catch {
    // What a parser says of it quotes it.
    throw unreadable();
  }
}

function unreadable(): Error {
  return new Error("sessions cannot be read: what is stored was not written by this version");
}
