import type { FoundSession } from "../../ports/session-store.ts";
import { sessionRow, userRow } from "../rows.ts";
import { type SessionCache, sessionCache } from "../session-cache.ts";
import type { Changes } from "./channel.ts";
import { underWay } from "./under-way.ts";

/** Sessions that were found lately, with their owners. */
export interface RecentSessions {
  /** What is known of all the ids, or null: ask the store. Never anything older than the bound, and never an expired session. */
  get(ids: readonly string[], now: Date): readonly FoundSession[] | null;
  /** To be called before the store is asked. */
  begin(now: Date): Reading;
  /** Ends a reading and keeps what was found, unless it has changed since it began. `null`: the store failed. */
  end(reading: Reading, found: readonly (FoundSession | null)[] | null): void;
  /** From here on nothing is answered, or kept from a reading under way, that these changes make wrong. */
  forget(changes: Changes): void;
}

/** A question to the store that is under way. */
export interface Reading {
  readonly shelf: Shelf;
  /** Of the shelf when the reading began: it may have been cleared since. */
  readonly filling: number;
  readonly begun: number;
}

/** How much is kept, and how long. */
export interface RecentLimits {
  readonly maxAgeMs: number;
  readonly maxSessions: number;
  /** A clock that nobody sets. */
  readonly elapsedMs: () => number;
}

/** What was read since one instant. */
interface Shelf {
  readonly cache: SessionCache;
  since: Instant;
  filling: number;
  puts: number;
}

/** By two clocks, of which the larger age counts: one may be set back, the other stands still while a machine sleeps. */
interface Instant {
  readonly elapsedMs: number;
  readonly nowMs: number;
}

const longAgo: Instant = { elapsedMs: Number.NEGATIVE_INFINITY, nowMs: Number.NEGATIVE_INFINITY };

/**
 * Makes {@link RecentSessions}: two shelves, of which one is filled. After half the age, or half the sessions, they change
 * places and the older is emptied, so that age and number are bounded without a note for each session.
 */
export function recentSessions({ maxAgeMs, maxSessions, elapsedMs }: RecentLimits): RecentSessions {
  const capacity = Math.max(1, Math.floor(maxSessions / 2));
  const readings = underWay();
  const emptyShelf = (): Shelf => ({ cache: sessionCache(capacity), since: longAgo, filling: 0, puts: 0 });
  let filled = emptyShelf();
  let older = emptyShelf();

  const instant = (now: Date): Instant => ({ elapsedMs: elapsedMs(), nowMs: now.getTime() });
  // The age of whatever may lie longest on it.
  const ageMs = ({ since }: Shelf, at: Instant): number =>
    Math.max(at.elapsedMs - since.elapsedMs, at.nowMs - since.nowMs);

  function turn(at: Instant): void {
    if (ageMs(filled, at) < maxAgeMs / 2 && filled.puts < capacity) return;
    [filled, older] = [older, filled];
    filled.cache.clear();
    filled.since = at;
    filled.filling++;
    filled.puts = 0;
  }

  function find(id: string, at: Instant): FoundSession | null {
    for (const shelf of [filled, older]) {
      const found = ageMs(shelf, at) < maxAgeMs ? shelf.cache.get(id, at.nowMs) : null;
      // Another process may have moved the idle limit.
      if (found !== null && !found.expired) return found;
    }
    return null;
  }

  function keep({ shelf, filling, begun }: Reading, found: FoundSession | null): void {
    if (found === null || found.expired || shelf.filling !== filling || shelf.puts >= capacity) return;
    const { session, user } = found;
    if (readings.isSpoiled(begun, session.id, session.userId)) return;
    shelf.puts++;
    shelf.cache.put(sessionRow(session), user === null ? null : userRow(user));
  }

  return {
    get(ids, now) {
      const at = instant(now);
      const known: FoundSession[] = [];
      for (const id of ids) {
        const found = find(id, at);
        if (found === null) return null;
        known.push(found);
      }
      return known;
    },
    begin(now) {
      turn(instant(now));
      return { shelf: filled, filling: filled.filling, begun: readings.begin() };
    },
    end(reading, found) {
      for (const each of found ?? []) keep(reading, each);
      readings.end();
    },
    forget(changes) {
      readings.note(changes);
      for (const { cache } of [filled, older]) drop(cache, changes);
    },
  };
}

function drop(cache: SessionCache, changes: Changes): void {
  if (changes === "everything") {
    cache.clear();
    return;
  }
  for (const id of changes.sessions) cache.dropSession(id);
  for (const id of changes.users) cache.dropUser(id);
}
