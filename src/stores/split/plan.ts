import { isExpired, type Session } from "../../domain/session.ts";
import type { OwnerKey } from "../../ports/detached-sessions.ts";
import type { Report, SessionLimit, StoreCall, Write } from "../../ports/store.ts";
import { refreshed } from "../refresh.ts";
import type { Halves } from "./halves.ts";
import { ownerKey } from "./owners.ts";

/** What the session engine does once the directory has committed; null for a write that is the directory's alone. */
export type Step =
  | { readonly kind: "insert"; readonly session: Session; readonly cap: number; readonly evicted: Report }
  | {
      readonly kind: "replace";
      readonly before: Session | null;
      readonly session: Session;
      readonly cap: number;
      readonly evicted: Report;
    }
  | {
      readonly kind: "rotate";
      readonly from: Session;
      readonly session: Session;
      readonly limit: SessionLimit;
    }
  | { readonly kind: "take"; readonly sessions: readonly Session[] }
  | { readonly kind: "take_all"; readonly key: OwnerKey; readonly sessions: readonly Session[] }
  | Extract<Write, { kind: "session.set_data" | "session.refresh" }>;

/** One write of a transaction, told apart by engine. */
export interface Part {
  /** For the directory's transaction; null where it has no share in this write. */
  readonly write: Write | null;
  readonly step: Step | null;
  /** Users whose copies in the session engine must not be answered with while this write is under way. */
  readonly fenced: readonly OwnerKey[];
}

/** What a write relies on does not hold in the session engine. */
export type Unfounded = "conflict";

/**
 * Reads what a write needs to know of the sessions that it ends, and divides it between the engines. Whether a session has
 * ended is for the directory's record to say, so that what is read here may be old by the time it is used.
 */
export async function partOf(write: Write, halves: Halves, call: StoreCall): Promise<Part | Unfounded> {
  const reading = { halves, call };
  switch (write.kind) {
    case "user.update":
    case "user.advance":
    case "user.erase":
      return { write, step: null, fenced: await keysOfUser(write.userId, reading) };
    case "session.insert":
      return { write: null, step: { ...write, kind: "insert" }, fenced: [] };
    case "session.replace":
      return replacement(write, await read(write.replaces, reading));
    case "session.rotate":
      return rotation(write, await read(write.from, reading), call);
    case "session.delete": {
      const session = await read(write.sessionId, reading);
      const isMeant = session !== null && (write.userId === undefined || write.userId === session.userId);
      return ending(isMeant ? [session] : [], write.ended);
    }
    case "session.delete_all": {
      const key = await keyOf(write.userId, reading);
      return key === null ? ending([], write.ended) : endingAll(write, key, reading);
    }
    case "session.set_data": {
      const session = await read(write.sessionId, reading);
      const isAsRead = session?.dataVersion === write.dataVersion && !isExpired(session, call.now);
      return isAsRead ? { write: null, step: write, fenced: [] } : "conflict";
    }
    case "session.refresh": {
      const session = await read(write.sessionId, reading);
      const isAsRead = session !== null && refreshed(session, write, call.now) !== null;
      return isAsRead ? { write: null, step: write, fenced: [] } : "conflict";
    }
    default:
      return { write, step: null, fenced: [] };
  }
}

/** Whether the data of a session is for the one that comes after it: never another user's. */
export function handsOver(before: Session | null, { userId }: Session, now: Date): before is Session {
  if (before === null || isExpired(before, now)) return false;
  return before.userId === null || before.userId === userId;
}

interface Reading {
  readonly halves: Halves;
  readonly call: StoreCall;
}

async function read(id: string, { halves, call }: Reading): Promise<Session | null> {
  const [found] = await halves.sessions.find([id], call);
  return found?.session ?? null;
}

async function keyOf(userId: string, { halves, call }: Reading): Promise<OwnerKey | null> {
  const user = await halves.directory.user(userId, call);
  return user === null ? null : { userId, slotTag: user.slotTag };
}

async function keysOfUser(userId: string, reading: Reading): Promise<readonly OwnerKey[]> {
  const key = reading.halves.owners.areKept ? await keyOf(userId, reading) : null;
  return key === null ? [] : [key];
}

function replacement(
  { ended, session, cap, evicted }: Extract<Write, { kind: "session.replace" }>,
  before: Session | null,
): Part {
  const { write, fenced } = ending(before === null ? [] : [before], ended);
  return { write, step: { kind: "replace", before, session, cap, evicted }, fenced };
}

function rotation(
  { session, limit = noLimit }: Extract<Write, { kind: "session.rotate" }>,
  from: Session | null,
  { now }: StoreCall,
): Part | Unfounded {
  if (!handsOver(from, session, now)) return "conflict";
  const write: Write = { kind: "session.revoke", sessions: [from], requires: "all", ended: () => [] };
  return { write, step: { kind: "rotate", from, session, limit }, fenced: keysOf([from]) };
}

const noLimit: SessionLimit = { cap: 0, evicted: () => [] };

function ending(sessions: readonly Session[], ended: Report): Part {
  return {
    write: { kind: "session.revoke", sessions, requires: "any", ended },
    step: { kind: "take", sessions },
    fenced: keysOf(sessions),
  };
}

async function endingAll(
  { except, ended }: Extract<Write, { kind: "session.delete_all" }>,
  key: OwnerKey,
  { halves, call }: Reading,
): Promise<Part> {
  const all = await halves.sessions.list(key, call);
  const sessions = all.filter(({ id }) => id !== except);
  return { ...ending(sessions, ended), step: { kind: "take_all", key, sessions }, fenced: [key] };
}

function keysOf(sessions: readonly Session[]): readonly OwnerKey[] {
  return sessions.flatMap(({ id, userId }) => (userId === null ? [] : [ownerKey({ id, userId })]));
}
