import { isExpired, type Session } from "../../domain/session.ts";
import type { DetachedSession } from "../../ports/detached-sessions.ts";
import type { SessionOwner } from "../../ports/directory-store.ts";
import type { FoundSession, SessionStore } from "../../ports/session-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import type { Halves } from "./halves.ts";
import { ownerKey } from "./owners.ts";

/** Makes the reading half of a `SessionStore`. */
export function sessionReader({ directory, sessions, owners }: Halves): Pick<SessionStore, "find" | "list"> {
  async function answer(found: DetachedSession | null, call: StoreCall): Promise<FoundSession | null> {
    if (found === null) return null;
    const { session, owner, readAtMs } = found;
    const { id, userId } = session;
    if (isExpired(session, call.now)) return { expired: true, id, userId };
    if (userId === null || owner !== null) return { expired: false, session, user: owner };
    const current = await directory.sessionOwner(userId, [id], call);
    if (current === null || current.revoked.length > 0) return null;
    owners.remember(ownerKey({ id, userId }), readAtMs, call);
    return { expired: false, session, user: current.user };
  }

  return {
    async find(ids, call) {
      const found = await sessions.find(ids, call);
      return Promise.all(found.map((one) => answer(one, call)));
    },
    async list(userId, call) {
      const user = await directory.user(userId, call);
      if (user === null) return [];
      const all = await sessions.list({ userId, slotTag: user.slotTag }, call);
      const ids = all.map(({ id }) => id);
      const owner = await directory.sessionOwner(userId, ids, call);
      if (owner === null) return [];
      return all.filter((session) => isLive(session, owner, call.now)).toSorted(mostRecentFirst);
    },
  };
}

function isLive(session: Session, owner: SessionOwner, now: Date): boolean {
  return (
    session.generation === owner.user.generation && !isExpired(session, now) && !isRevoked(owner, session.id)
  );
}

function isRevoked({ revoked }: SessionOwner, sessionId: string): boolean {
  return revoked.some((end) => end.sessionId === sessionId);
}

function mostRecentFirst(a: Session, b: Session): number {
  const byUse = b.lastUsedAt.getTime() - a.lastUsedAt.getTime();
  const byAge = b.createdAt.getTime() - a.createdAt.getTime();
  if (byUse !== 0 || byAge !== 0) return byUse || byAge;
  return a.id < b.id ? -1 : 1;
}
