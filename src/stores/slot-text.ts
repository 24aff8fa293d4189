import { type Session, sessionIdLength, slotTagLength } from "../domain/session.ts";
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

type Line = readonly [id: string, digest: string, ...rest: readonly unknown[]];

function lineOf(session: Session): string {
  const [id, digest, ...rest] = sessionRow(session);
  const line: Line = [id, Buffer.from(digest).toString("base64url"), ...rest];
  return JSON.stringify(line);
}

function sessionOfLine(line: string): Session {
  const [id, digest, ...rest] = parsed(line);
  if (typeof digest !== "string" || rest.length !== 14) throw unreadable();
  return sessionOf([id, new Uint8Array(Buffer.from(digest, "base64url")), ...rest] as unknown as SessionRow);
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
