import { isExpired, type Session } from "../domain/session.ts";
import type { DataWrite, RefreshWrite } from "../ports/detached-sessions.ts";
import type { Touch } from "../ports/session-store.ts";
import { refreshed } from "./refresh.ts";
import { lineBytes } from "./slot-text.ts";

/** What becomes of the sessions of one slot, and what the caller is told. */
export interface SlotChange<T> {
  /** The sessions from now on; null where they stay as they are. */
  readonly after: readonly Session[] | null;
  readonly answer: T;
}

/** Bytes that a slot may grow to by sign-ins; what is left of {@link slotBytes} is for data and refresh tokens of the sessions that are there. */
const signInBytes = 500_000;
/** Bytes that a slot may have: no item of Memcached is larger by default. */
export const slotBytes = 1_000_000;

/**
 * Adds a session and answers those that go for it, least recent first: what is past the cap, and past the room of a slot.
 *
 * @throws Error - a session of this id is there
 */
export function added(
  sessions: readonly Session[],
  { session, cap, now }: { readonly session: Session; readonly cap: number; readonly now: Date },
): SlotChange<readonly Session[]> {
  if (sessions.some(({ id }) => id === session.id)) throw new Error("a session of this id is there already");
  const others = sessions.filter(({ userId }) => userId !== null && userId === session.userId);
  const live = others.filter((other) => other.generation === session.generation && !isExpired(other, now));
  const overCap = cap === 0 ? 0 : Math.max(0, live.length + 1 - cap);
  const evicted = live.toSorted(leastRecentFirst).slice(0, overCap);
  const left = sessions.filter((other) => !evicted.includes(other));
  const crowded = crowdedOut([...left, session], others);
  const after = [...left, session].filter((other) => !crowded.has(other));
  return { after, answer: [...evicted, ...crowded] };
}

// Least recent first, as many as it takes.
function crowdedOut(all: readonly Session[], others: readonly Session[]): ReadonlySet<Session> {
  const crowded = new Set<Session>();
  let excess = all.reduce((sum, session) => sum + lineBytes(session), 0) - signInBytes;
  for (const other of others.toSorted(leastRecentFirst)) {
    if (excess <= 0) break;
    if (!all.includes(other)) continue;
    crowded.add(other);
    excess -= lineBytes(other);
  }
  return crowded;
}

/** Deletes sessions and answers those that were there. */
export function taken(
  sessions: readonly Session[],
  ids: ReadonlySet<string>,
): SlotChange<readonly Session[]> {
  const answer = sessions.filter(({ id }) => ids.has(id));
  return { after: answer.length === 0 ? null : sessions.filter(({ id }) => !ids.has(id)), answer };
}

/** Replaces a data bag. False unless the session is there, unexpired and of this data version. */
export function withData(
  sessions: readonly Session[],
  { sessionId, dataVersion, data }: DataWrite,
  now: Date,
): SlotChange<boolean> {
  const session = sessions.find(({ id }) => id === sessionId);
  if (session === undefined || isExpired(session, now) || session.dataVersion !== dataVersion)
    return { after: null, answer: false };
  const written: Session = { ...session, data, dataVersion: dataVersion + 1 };
  return { after: replaced(sessions, written), answer: true };
}

/** Puts the next refresh token in the place of the one before. False unless the session is there, unexpired and of this number. */
export function withRefresh(
  sessions: readonly Session[],
  write: RefreshWrite,
  now: Date,
): SlotChange<boolean> {
  const session = sessions.find(({ id }) => id === write.sessionId);
  const next = session === undefined ? null : refreshed(session, write, now);
  return next === null ? { after: null, answer: false } : { after: replaced(sessions, next), answer: true };
}

/** Moves uses forward, never back; what is gone or expired stays so. */
export function used(sessions: readonly Session[], touches: readonly Touch[], now: Date): SlotChange<void> {
  let after = sessions;
  for (const { sessionId, usedAt, idleExpiresAt } of touches) {
    const session = after.find(({ id }) => id === sessionId);
    if (session === undefined || isExpired(session, now)) continue;
    if (usedAt <= session.lastUsedAt && idleExpiresAt <= session.idleExpiresAt) continue;
    after = replaced(after, {
      ...session,
      lastUsedAt: later(session.lastUsedAt, usedAt),
      idleExpiresAt: later(session.idleExpiresAt, idleExpiresAt),
    });
  }
  return { after: after === sessions ? null : after, answer: undefined };
}

function replaced(sessions: readonly Session[], by: Session): readonly Session[] {
  return sessions.map((session) => (session.id === by.id ? by : session));
}

function leastRecentFirst(a: Session, b: Session): number {
  return a.lastUsedAt.getTime() - b.lastUsedAt.getTime();
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
