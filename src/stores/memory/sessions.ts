import { isExpired, type Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { flat } from "./flat.ts";
import { type Journal, table } from "./journal.ts";
import { endOf, packSession, type SessionRow, unpackSession } from "./session-row.ts";

/** The sessions of one engine, found by id, by owner and by expiry. */
export interface SessionTable {
  get(id: string): Session | null;
  /** Owner and end of a session, without reading the rest of it. */
  row(id: string): SessionRow | null;
  /** @throws TypeError where the id is taken */
  insert(session: Session): void;
  /** Replaces a session of the same id and owner. */
  update(session: Session): void;
  delete(session: Session): void;
  /** All of a user's rows, expired ones too, in the order of their insertion. */
  ofUser(userId: string): readonly Session[];
  /** Sessions of users that are unexpired at `now`. */
  count(now: Date): number;
  /** At most `limit` sessions that are expired at `now`. */
  expired(now: Date, limit: number): readonly Session[];
}

/** Distinct user agents kept for sharing. Past it sharing starts anew, so that invented ones do not pile up. */
const mostSharedStrings = 1_024;

/** An empty table of sessions. `ownId` gives the directory's own copy of a user's id, to share it. */
export function sessionTable(log: Journal, ownId: (userId: string) => string | null): SessionTable {
  const rows = table<SessionRow>(log);
  // Most users have one session: that id alone, without an array around it.
  const idsByOwner = table<string | readonly string[]>(log);
  const shared = new Map<string, string>();
  // No session ends before this, so that a sweep with nothing to do looks at no row.
  let earliest = Number.POSITIVE_INFINITY;

  function share(text: string | null): string | null {
    if (text === null) return null;
    const known = shared.get(text);
    if (known !== undefined) return known;
    if (shared.size >= mostSharedStrings) shared.clear();
    const own = flat(text);
    shared.set(own, own);
    return own;
  }

  function put(id: string, session: Session, owner: string | null): void {
    const row = packSession(session, { owner, userAgent: share(session.userAgent) });
    earliest = Math.min(earliest, endOf(row));
    rows.set(id, row);
  }

  function idsOf(userId: string): readonly string[] {
    const ids = idsByOwner.get(userId) ?? [];
    return typeof ids === "string" ? [ids] : ids;
  }

  function ownerString(userId: string): string {
    const [first] = idsOf(userId);
    return (first === undefined ? null : rows.get(first)?.owner) ?? ownId(userId) ?? flat(userId);
  }

  function get(id: string): Session | null {
    const row = rows.get(id);
    return row === undefined ? null : unpackSession(id, row);
  }

  return {
    get,
    row: (id) => rows.get(id) ?? null,
    insert(session) {
      if (rows.has(session.id)) throw new TypeError("there is a session of this id already");
      const id = flat(session.id);
      const owner = session.userId === null ? null : ownerString(session.userId);
      put(id, session, owner);
      if (owner === null) return;
      const others = idsOf(owner);
      idsByOwner.set(owner, others.length === 0 ? id : others.concat(id));
    },
    update(session) {
      put(session.id, session, rows.get(session.id)?.owner ?? null);
    },
    delete({ id, userId }) {
      rows.delete(id);
      if (userId === null) return;
      const left = idsOf(userId).filter((other) => other !== id);
      const [first] = left;
      if (first === undefined) idsByOwner.delete(userId);
      else idsByOwner.set(userId, left.length === 1 ? first : left);
    },
    ofUser: (userId) =>
      idsOf(userId)
        .map(get)
        .filter((session) => session !== null),
    count(now) {
      let count = 0;
      for (const [, row] of rows.entries()) if (row.owner !== null && endOf(row) > now.getTime()) count++;
      return count;
    },
    expired(now, limit) {
      const at = now.getTime();
      if (at < earliest) return [];
      const found: Session[] = [];
      let next = Number.POSITIVE_INFINITY;
      for (const [id, row] of rows.entries()) {
        const endsAt = endOf(row);
        if (endsAt > at) next = Math.min(next, endsAt);
        else if (found.length < limit) found.push(unpackSession(id, row));
        else return found;
      }
      const before = earliest;
      log.record(() => {
        earliest = before;
      });
      earliest = next;
      return found;
    },
  };
}

/** Unexpired and of the user's generation: what a check accepts. */
export function isLive(session: Session, user: User, now: Date): boolean {
  return session.generation === user.generation && !isExpired(session, now);
}
