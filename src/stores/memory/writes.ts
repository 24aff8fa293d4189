import { isExpired, type Session } from "../../domain/session.ts";
import type { ApiKeyUses } from "../../ports/directory-store.ts";
import type { Touch } from "../../ports/session-store.ts";
import type { Committed, Refusal, Report, Write } from "../../ports/store.ts";
import { refreshed } from "../refresh.ts";
import { changedUser, erasedUser } from "../user-changes.ts";
import { credentialSteps, deleteCredentials } from "./credential-steps.ts";
import { peopleSteps } from "./people-steps.ts";
import { isLive } from "./sessions.ts";
import type { Tables } from "./tables.ts";
import type { Steps, Transaction } from "./transaction.ts";

type Kind = Write["kind"];

/** Runs the writes in order, all or none, without ever yielding to other work. */
export function runWrites(tables: Tables, writes: readonly Write[], now: Date): Committed {
  const on: Transaction = { tables, now, ended: [], reported: [] };
  const work = (): Committed => {
    for (const write of writes) {
      const refused = run(write, on);
      if (refused !== null) return { ok: false, refused };
    }
    return { ok: true, ended: on.ended, reported: on.reported };
  };
  return tables.journal.run(work, (result) => result.ok);
}

/** Deletes at most `limit` expired sessions together with writing the rows that report them. */
export function sweepSessions(tables: Tables, limit: number, report: Report, now: Date): readonly Session[] {
  const on: Transaction = { tables, now, ended: [], reported: [] };
  const work = (): readonly Session[] => {
    endSessions(on, tables.sessions.expired(now, limit), report);
    return on.ended;
  };
  return tables.journal.run(work, () => true);
}

/** Notes uses of sessions, forwards only. One that ended in the meantime is not brought back. */
export function touchSessions({ sessions, journal }: Tables, touches: readonly Touch[], now: Date): void {
  const touchOne = ({ sessionId, usedAt, idleExpiresAt }: Touch): void => {
    const session = sessions.get(sessionId);
    if (session === null || isExpired(session, now)) return;
    const lastUsedAt = later(session.lastUsedAt, usedAt);
    sessions.update({ ...session, lastUsedAt, idleExpiresAt: later(session.idleExpiresAt, idleExpiresAt) });
  };
  journal.run(
    () => touches.forEach(touchOne),
    () => true,
  );
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}

function run<K extends Kind>(write: Extract<Write, { kind: K }>, on: Transaction): Refusal | null {
  return (steps[write.kind as K] as Steps[K])(write, on);
}

function endSessions(on: Transaction, sessions: readonly Session[], report: Report): void {
  for (const session of sessions) on.tables.sessions.delete(session);
  recordEnds(on, sessions, report);
}

function recordEnds(
  { tables, ended, reported }: Transaction,
  sessions: readonly Session[],
  report: Report,
): void {
  const rows = report(sessions);
  for (const row of rows) tables.audit.insert(row);
  ended.push(...sessions);
  reported.push(...rows);
}

/** Adds uses of API keys, all or none. */
export function recordUses(tables: Tables, uses: readonly ApiKeyUses[]): void {
  tables.journal.run(
    () => tables.apiKeys.addUses(uses),
    () => true,
  );
}

const steps: Steps = {
  ...credentialSteps,
  ...peopleSteps,
  "user.require": ({ userId, generation }, { tables }) => {
    const user = tables.users.get(userId);
    return user?.status === "active" && user.generation === generation ? null : "stale";
  },
  "user.insert": ({ user }, { tables }) => {
    if (tables.users.get(user.id) !== null) throw new TypeError("there is a user of this id already");
    return tables.users.put(user);
  },
  "user.update": ({ userId, version, changes }, { tables, now }) => {
    const user = tables.users.get(userId);
    return user?.version === version ? tables.users.put(changedUser(user, changes, now)) : "conflict";
  },
  "user.advance": ({ userId, from }, { tables, now }) => {
    const user = tables.users.get(userId);
    if (user?.generation !== from) return "stale";
    return tables.users.put({ ...changedUser(user, {}, now), generation: from + 1 });
  },
  "directory.require_empty": (_, { tables }) => (tables.users.size === 0 ? null : "first_user_exists"),
  "directory.require_other_superuser": ({ userId }, { tables }) => {
    const user = tables.users.get(userId);
    const isOne = user?.isSuperuser === true && user.status === "active";
    return isOne && !tables.users.hasOtherSuperuser(userId) ? "last_superuser" : null;
  },
  "user.erase": ({ userId, requires }, { tables, now }) => {
    const user = tables.users.get(userId);
    if (requires === "deleted" && user?.status !== "deleted") return "conflict";
    if (user === null) return null;
    deleteCredentials(tables, userId);
    tables.outbox.deleteOfUser(userId);
    tables.audit.erasePersonal(userId);
    return tables.users.put(erasedUser(user, now));
  },
  "password.insert": ({ credential }, { tables }) => {
    if (tables.passwords.get(credential.userId) !== null) return "conflict";
    tables.passwords.put(credential);
    return null;
  },
  "password.replace": ({ credential }, { tables }) => {
    const before = tables.passwords.get(credential.userId);
    if (before?.id !== credential.id || before.version !== credential.version - 1) return "conflict";
    tables.passwords.put(credential);
    return null;
  },
  "session.insert": ({ session, cap, evicted }, on) => {
    on.tables.sessions.insert(session);
    endSessions(on, overCap(session, cap, on), evicted);
    return null;
  },
  "session.replace": ({ replaces, ended, session, ...rest }, on) => {
    const before = on.tables.sessions.get(replaces);
    endSessions(on, before === null ? [] : [before], ended);
    const data = handsOver(before, session, on) ? before.data : session.data;
    return run({ ...rest, kind: "session.insert", session: { ...session, data } }, on);
  },
  "session.rotate": ({ from, session }, on) => {
    const before = on.tables.sessions.get(from);
    if (!handsOver(before, session, on)) return "conflict";
    on.tables.sessions.delete(before);
    on.tables.sessions.insert({ ...session, data: before.data });
    return null;
  },
  "session.delete": ({ sessionId, userId, ended }, on) => {
    const session = on.tables.sessions.get(sessionId);
    const isMeant = session !== null && (userId === undefined || session.userId === userId);
    endSessions(on, isMeant ? [session] : [], ended);
    return null;
  },
  "session.delete_all": ({ userId, except, ended }, on) => {
    const theirs = on.tables.sessions.ofUser(userId).filter(({ id }) => id !== except);
    endSessions(on, theirs, ended);
    return null;
  },
  "session.set_data": ({ sessionId, dataVersion, data }, { tables, now }) => {
    const session = tables.sessions.get(sessionId);
    if (session === null || isExpired(session, now) || session.dataVersion !== dataVersion) return "conflict";
    tables.sessions.update({ ...session, data, dataVersion: dataVersion + 1 });
    return null;
  },
  "session.refresh": (write, { tables, now }) => {
    const session = tables.sessions.get(write.sessionId);
    const next = session === null ? null : refreshed(session, write, now);
    if (next === null) return "conflict";
    tables.sessions.update(next);
    return null;
  },
  "session.revoke": ({ sessions, requires, ended }, on) => {
    const fresh = sessions.filter(({ id }) => !on.tables.revocations.has(id));
    if (requires === "all" && fresh.length < sessions.length) return "conflict";
    for (const session of fresh) on.tables.revocations.put(session, on.now);
    recordEnds(on, fresh, ended);
    return null;
  },
  "revocation.forget": ({ sessionIds }, { tables }) => {
    for (const id of sessionIds) tables.revocations.delete(id);
    return null;
  },
  "audit.insert": ({ row }, { tables }) => {
    tables.audit.insert(row);
    return null;
  },
};

// Whether a session's data is for the one that comes after it: never another user's.
function handsOver(before: Session | null, { userId }: Session, { now }: Transaction): before is Session {
  if (before === null || isExpired(before, now)) return false;
  return before.userId === null || before.userId === userId;
}

// The others that must go for `session` to stay within the cap, least recently used first.
function overCap(session: Session, cap: number, { tables, now }: Transaction): readonly Session[] {
  const user = session.userId === null || cap === 0 ? null : tables.users.get(session.userId);
  if (user === null) return [];
  const others = tables.sessions.ofUser(user.id).filter(({ id }) => id !== session.id);
  const live = others.filter((other) => isLive(other, user, now));
  live.sort((a, b) => a.lastUsedAt.getTime() - b.lastUsedAt.getTime());
  return live.slice(0, Math.max(0, live.length + 1 - cap));
}
