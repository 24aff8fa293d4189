import { isExpired, type Session } from "../domain/session.ts";
import type { DetachedSessions } from "../ports/detached-sessions.ts";
import type { Touch } from "../ports/session-store.ts";
import type { Engine } from "../ports/store.ts";
import { type Journal, journal } from "./memory/journal.ts";
import { type SessionTable, sessionTable } from "./memory/sessions.ts";
import { refreshed } from "./refresh.ts";

/**
 * Sessions in this process beside a directory elsewhere, for `split`: nothing is left of them when the process ends, and no
 * other process sees them. A session takes at most 400 bytes. Every check reads the owner from the directory.
 */
export function memorySessions(): DetachedSessions {
  const engine: Engine = { name: "memory" };
  const log = journal();
  const rows = sessionTable(log, () => null);
  const get = (id: string): Session | null => rows.get(id);
  return {
    engine,
    owners: null,
    async ping() {},
    async close() {},
    find: (ids) =>
      ids.map(get).map((session) => (session === null ? null : { session, owner: null, readAtMs: 0 })),
    list: ({ userId }) => rows.ofUser(userId),
    insert: async (session, cap, { now }) => changed(log, () => insert(rows, session, cap, now)),
    take: async (ids) => changed(log, () => take(rows, ids)),
    setData: async ({ sessionId, dataVersion, data }, { now }) =>
      changed(log, () => {
        const session = rows.get(sessionId);
        if (session === null || isExpired(session, now) || session.dataVersion !== dataVersion) return false;
        rows.update({ ...session, data, dataVersion: dataVersion + 1 });
        return true;
      }),
    refresh: async (write, { now }) =>
      changed(log, () => {
        const session = rows.get(write.sessionId);
        const next = session === null ? null : refreshed(session, write, now);
        if (next !== null) rows.update(next);
        return next !== null;
      }),
    touch: async (touches, { now }) =>
      changed(log, () => {
        for (const each of touches) touch(rows, each, now);
      }),
    // Not kept: the table takes what it finds here for deleted.
    expired: async (limit, { now }) =>
      log.run(
        () => rows.expired(now, limit),
        () => false,
      ),
  };
}

// Synchronous, so that nothing comes between its steps.
function changed<T>(log: Journal, work: () => T): T {
  return log.run(work, () => true);
}

function insert(rows: SessionTable, session: Session, cap: number, now: Date): readonly Session[] {
  rows.insert(session);
  if (cap === 0 || session.userId === null) return [];
  const others = rows
    .ofUser(session.userId)
    .filter((other) => other.id !== session.id && other.generation === session.generation)
    .filter((other) => !isExpired(other, now))
    .sort((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime());
  const evicted = others.slice(0, Math.max(0, others.length + 1 - cap));
  for (const other of evicted) rows.delete(other);
  return evicted;
}

function take(rows: SessionTable, ids: readonly string[]): readonly Session[] {
  const there = [...new Set(ids)].map((id) => rows.get(id)).filter((session) => session !== null);
  for (const session of there) rows.delete(session);
  return there;
}

function touch(rows: SessionTable, { sessionId, usedAt, idleExpiresAt }: Touch, now: Date): void {
  const session = rows.get(sessionId);
  if (session === null || isExpired(session, now)) return;
  rows.update({
    ...session,
    lastUsedAt: later(session.lastUsedAt, usedAt),
    idleExpiresAt: later(session.idleExpiresAt, idleExpiresAt),
  });
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
