import type { Changes } from "./channel.ts";

/** What goes over a channel. Every process numbers its own, so that whoever misses one sees it at the next. */
export interface Message {
  readonly sender: string;
  /** Counts up by one from 1. */
  readonly number: number;
  /** Null in one that only says that its sender and the channel are there. */
  readonly changes: Changes | null;
}

/** Longest text of a message, in bytes: a notification of PostgreSQL holds less than 8,000. */
const textMax = 7_900;

/** Writes a message; changes that are too many for one stand as `everything`. */
export function formatMessage({ sender, number, changes }: Message): string {
  if (changes === null) return JSON.stringify([sender, number]);
  if (changes === "everything") return JSON.stringify([sender, number, "*"]);
  const text = JSON.stringify([sender, number, changes.sessions, changes.users]);
  const isTooLong = text.length > textMax || Buffer.byteLength(text) > textMax;
  return isTooLong ? formatMessage({ sender, number, changes: "everything" }) : text;
}

/** Reads a message; null for what is none. */
export function parseMessage(text: string): Message | null {
  const parts = parsed(text);
  if (parts === null) return null;
  const [sender, number, sessions, users] = parts;
  if (typeof sender !== "string" || !Number.isSafeInteger(number)) return null;
  const from = { sender, number: number as number };
  if (parts.length === 2) return { ...from, changes: null };
  if (parts.length === 3 && sessions === "*") return { ...from, changes: "everything" };
  if (parts.length !== 4 || !isTexts(sessions) || !isTexts(users)) return null;
  return { ...from, changes: { sessions, users } };
}

function parsed(text: string): readonly unknown[] | null {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
